/** Answers of the proxy in the form that a client agreed on. */
import type { AdminAnswer, Row } from "../admin/answer.ts";
import { ProtocolError, SluiceError } from "../errors.ts";
import { encodeText } from "../protocol/bytes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { encodeErr, encodeOk, plainOk } from "../protocol/response.ts";
import {
  encodePrepareReply,
  encodeResultEnd,
  encodeResultHead,
  encodeRow,
} from "../protocol/resultset.ts";
import { mapInSlices } from "../session_manager.ts";
import type { AnswerPart, OwnAnswer } from "./plan.ts";

export interface AnswerForm {
  readonly capabilities: Capabilities;
  /** Whether the client takes error codes of 5000 to 5013 for a malformed packet, as MariaDB's do. */
  readonly isLibMariaDb: boolean;
}

/** Makes answers for one client. */
export class OwnAnswers {
  readonly #form: AnswerForm;

  constructor(form: AnswerForm) {
    this.#form = form;
  }

  /**
   * A part that answers what `run` comes to; what it throws becomes an ERR.
   * @param isBinary whether a prepared statement asks
   */
  of(run: () => Promise<AdminAnswer>, isBinary = false): AnswerPart {
    return {
      kind: "answer",
      make: async (status) => {
        try {
          return await this.#encode(await run(), status, isBinary);
        } catch (error) {
          if (error instanceof SluiceError) return this.#error(error);
          if (!(error instanceof ProtocolError)) throw error;
          const message = "Malformed communication packet";
          return this.#error(new SluiceError("malformed_packet", message, { cause: error }));
        }
      },
    };
  }

  ok(): AnswerPart {
    return this.payloads((status) => [encodeOk(plainOk(status), this.#form.capabilities.base)]);
  }

  error(error: SluiceError): AnswerPart {
    return { kind: "answer", make: () => Promise.resolve(this.#error(error)) };
  }

  payloads(make: (status: number) => readonly Uint8Array[]): AnswerPart {
    return {
      kind: "answer",
      make: (status) => Promise.resolve({ payloads: make(status), isError: false }),
    };
  }

  /** The reply to COM_STMT_PREPARE. */
  prepared(
    statement: Omit<Parameters<typeof encodePrepareReply>[0], "status">,
  ): AnswerPart {
    return this.payloads((status) => encodePrepareReply({ ...statement, status }, this.#agreed));
  }

  get #agreed(): { readonly capabilities: number; readonly extendedCapabilities: number } {
    const { base, extended } = this.#form.capabilities;
    return { capabilities: base, extendedCapabilities: extended };
  }

  #error(error: SluiceError): OwnAnswer {
    const isTaken = this.#form.isLibMariaDb && error.kind === "bad_internal_command";
    const told = isTaken ? new SluiceError("syntax", error.message) : error;
    return { payloads: [encodeErr(told)], isError: true };
  }

  async #encode(answer: AdminAnswer, status: number, isBinary: boolean): Promise<OwnAnswer> {
    switch (answer.kind) {
      case "ok": {
        const { affectedRows = 0, message = "" } = answer;
        const ok = { ...plainOk(status), affectedRows, info: encodeText(message) };
        return { payloads: [encodeOk(ok, this.#agreed.capabilities)], isError: false };
      }
      case "rows": {
        const { columns, rows } = answer;
        const head = { columns, status, warnings: 0 };
        const encode = (row: Row) => encodeRow(row, columns, { binary: isBinary });
        const payloads = encodeResultHead(head, this.#agreed)
          .concat(await mapInSlices(rows, encode), encodeResultEnd(head, this.#agreed));
        return { payloads, isError: false };
      }
      case "ends_caller": {
        const error = new SluiceError("killed", "Query execution was interrupted");
        return { ...this.#error(error), ends: "killed" };
      }
    }
  }
}
