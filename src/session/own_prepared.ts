/**
 * Statements of the proxy that a client has prepared. Their ids are from a range that no server
 * reaches, so that those of servers pass as they are.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase_ps.html
 */
import type { AdminScope } from "../admin/scope.ts";
import type { AdminStatement } from "../admin/commands.ts";
import { SluiceError } from "../errors.ts";
import type { Value } from "../protocol/binary_value.ts";
import { Command } from "../protocol/constants.ts";
import { decodeExecute, type ParameterType, readStatementId } from "../protocol/prepared.ts";
import { FIRST_OWN_ID, LAST_PREPARED } from "../state/prepared_registry.ts";
import type { OwnAnswers } from "./own_answer.ts";
import type { AnswerPart, Plan } from "./plan.ts";

/** A client that prepares ever more without closing has them all; beyond this it gets an error. */
const MOST = 1_000;

interface Prepared {
  readonly statement: AdminStatement;
  /** A copy, for lists. */
  readonly text: Uint8Array;
  types: readonly ParameterType[];
}

export class OwnPrepared {
  readonly #scope: AdminScope;
  readonly #answers: OwnAnswers;
  readonly #capabilities: number;
  readonly #byId = new Map<number, Prepared>();
  #nextId = FIRST_OWN_ID;
  #lastId = 0;
  #running: Prepared | undefined;

  /** @param capabilities that the client agreed on */
  constructor(scope: AdminScope, answers: OwnAnswers, capabilities: number) {
    this.#scope = scope;
    this.#answers = answers;
    this.#capabilities = capabilities;
  }

  /** What the command executes that was planned last; undefined for any other command. */
  get running(): { readonly text: Uint8Array } | undefined {
    return this.#running;
  }

  /** COM_STMT_PREPARE of a statement of the proxy. @param text a copy of it */
  prepare(statement: AdminStatement, text: Uint8Array): Plan {
    if (this.#byId.size >= MOST) {
      const message =
        `Can't create more than ${MOST} prepared statements of the proxy in one session`;
      return [this.#answers.error(new SluiceError("too_many_prepared", message))];
    }
    const id = this.#nextId++;
    this.#lastId = id;
    this.#byId.set(id, { statement, text, types: [] });
    const { parameters, columns } = statement;
    return [this.#answers.prepared({ statementId: id, parameters, columns })];
  }

  /** A statement was prepared on a server. */
  onServerPrepare(): void {
    this.#lastId = 0;
  }

  /**
   * A command for a prepared statement; undefined where the statement is a server's.
   * @param payload from the command byte on
   */
  plan(payload: Uint8Array): Plan | undefined {
    this.#running = undefined;
    if (payload.length < 5) return undefined;
    const asked = readStatementId(payload);
    const id = asked === LAST_PREPARED ? this.#lastId : asked;
    const prepared = this.#byId.get(id);
    if (prepared === undefined) return undefined;
    switch (payload[0]) {
      case Command.STMT_EXECUTE:
        this.#running = prepared;
        return [this.#execute(prepared, payload.slice())];
      case Command.STMT_RESET:
        return [this.#answers.ok()];
      case Command.STMT_CLOSE:
        this.#byId.delete(id);
        return [];
      case Command.STMT_SEND_LONG_DATA:
        return [];
      default:
        return [this.#answers.error(
          new SluiceError("not_supported", "Statements of the proxy can only be executed as such"),
        )];
    }
  }

  #execute(prepared: Prepared, payload: Uint8Array): AnswerPart {
    const { statement } = prepared;
    return this.#answers.of(async () => {
      const request = decodeExecute(payload, {
        capabilities: this.#capabilities,
        parameters: statement.parameters,
        types: prepared.types,
      });
      if (request.hasTypes) prepared.types = request.parameters;
      const values = request.parameters.map(({ value }): Value => value ?? null);
      return await statement.run(this.#scope, values.slice(0, statement.parameters));
    }, true);
  }
}
