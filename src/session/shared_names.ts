/**
 * Prepared statements of the text protocol of one client whose server sessions are shared: PREPARE
 * name FROM 'text', EXECUTE name, DEALLOCATE PREPARE name, each alone in its command. A name is
 * prepared again where it is missing, and done away with where it is another client's. What is
 * prepared in another way (from a variable, beside other statements) binds the client to its server
 * session.
 * https://dev.mysql.com/doc/refman/9.0/en/sql-prepared-statements.html
 */
import { exchange, type Reply, textCommand } from "../backend/server_exchange.ts";
import type { ServerSession } from "../backend/server_session.ts";
import { encodeText, frame } from "../protocol/bytes.ts";
import type { Classified } from "../sql/classified.ts";
import { classifyText } from "../sql/classify.ts";
import { Effect } from "../sql/effects.ts";
import { type SqlMode, type Token, tokenize } from "../sql/tokens.ts";
import {
  ClientNames,
  deallocation,
  type NamedStatement,
  type ServerNames,
} from "../state/named_registry.ts";
import { MOST_PREPARED } from "../state/prepared_registry.ts";
import type { SessionState } from "../state/session_state.ts";
import type { ClientInput } from "./client_input.ts";
import { followExecution } from "../state/prepare_context.ts";
import { inContextOf, readSettings, tellsSettings, tooManyPrepared } from "./prepare_again.ts";
import type { ServerNeed } from "./server_need.ts";
import { CLOSES_STATEMENTS } from "./shared_statements.ts";

/** Effects that are about names. */
export const NAMING = Effect.prepares | Effect.executes | Effect.deallocates;

/** Answered as DEALLOCATE PREPARE is. */
const DOES_NOTHING = encodeText("DO 0");

/** Others are the same to servers in more ways than by upper and lower case. */
const PLAIN_NAME = /^[\w$]+$/;

/** More than the longest of the statements has. */
const MOST_TOKENS = 5;

/** What becomes of names with the command that was planned last. */
type Change =
  | { readonly kind: "prepare"; readonly statement: Omit<NamedStatement, "context" | "isBound"> }
  | { readonly kind: "deallocate" | "lose"; readonly name: string };

export interface SharedNamesOptions {
  /** How the client's texts are to be read, as of now. */
  mode(): SqlMode;
  /** Most names of a server session. */
  limit(): number;
}

export class SharedNames implements ServerNeed {
  readonly #names = new ClientNames();
  readonly #options: SharedNamesOptions;
  #executed: readonly string[] = [];
  /** Those, and what is deallocated. */
  #used: readonly string[] = [];
  #changes: readonly Change[] = [];
  constructor(options: SharedNamesOptions) {
    this.#options = options;
  }

  /** The client's session is reset. */
  clear(): void {
    this.#names.clear();
  }

  /**
   * A text about names.
   * @param isAlone whether it is certainly one statement
   * @returns what it does, as far as names do not hide that
   */
  plan(text: Uint8Array, classified: Classified, isAlone: boolean): Classified {
    this.#executed = this.#used = [];
    const mode = this.#options.mode();
    const range = { start: 0, end: text.length };
    const prepared = isAlone ? readPrepare(tokenize(text, range, mode, MOST_TOKENS)) : undefined;
    if (prepared !== undefined) {
      const inner = encodeText(prepared.text);
      const does = classifyText(inner, { start: 0, end: inner.length }, mode);
      const statement = { name: prepared.name, text: text.slice(), classified: does };
      this.#changes = [{ kind: "prepare", statement }];
      return { ...classified, effects: classified.effects & ~NAMING, names: [] };
    }
    const named = (effect: number) =>
      classified.names.filter((one) => one.effect === effect).map(({ name = "" }) => name);
    const executed = named(Effect.executes).filter((name) => name !== "");
    const deallocated = named(Effect.deallocates);
    const kind = isAlone ? "deallocate" : "lose";
    this.#executed = executed;
    this.#used = [...executed, ...deallocated];
    this.#changes = [
      ...named(Effect.prepares).map((name) => ({ kind: "lose", name }) as const),
      ...deallocated.map((name) => ({ kind, name }) as const),
    ];
    return this.#joined(classified, executed, isAlone);
  }

  get runs(): string | undefined {
    const [name, more] = this.#used;
    const statement = name === undefined || more !== undefined ? undefined : this.#names.find(name);
    if (statement === undefined || this.#changes.length > 0) return undefined;
    const { text } = statement;
    const range = { start: 0, end: text.length };
    return readPrepare(tokenize(text, range, this.#options.mode(), MOST_TOKENS))?.text;
  }

  get tellsChanges(): boolean {
    return this.#changes.length > 0;
  }

  isMet(server: ServerSession): boolean {
    if (this.#isTooMany || (this.#prepares && !tellsSettings(server))) return false;
    const names = server.state.prepared?.names;
    if (this.#isVoid(server)) return true;
    if (names === undefined) {
      return this.#used.every((name) => this.#names.find(name) === undefined);
    }
    return this.#missing(names) === undefined && !this.#isFull(names);
  }

  /** Whether it prepares one more than a client may have. */
  get #isTooMany(): boolean {
    const [change] = this.#changes;
    return this.#names.size >= MOST_PREPARED && change?.kind === "prepare" &&
      this.#names.find(change.statement.name) === undefined;
  }

  get #prepares(): boolean {
    return this.#changes.some(({ kind }) => kind === "prepare");
  }

  async meet(server: ServerSession, wanted: SessionState): Promise<void> {
    if (this.#isTooMany) throw tooManyPrepared();
    if (this.#prepares) await readSettings(server);
    const { names } = server.state.keepPrepared();
    while (this.#isFull(names)) {
      const { oldest } = names;
      await run(server, encodeText(deallocation(oldest!)));
      names.remove(oldest!);
    }
    for (let name = this.#missing(names); name !== undefined; name = this.#missing(names)) {
      const todo = names.preparation(name, this.#names)!;
      if ("deallocate" in todo) {
        await run(server, encodeText(todo.deallocate));
        names.remove(name);
      } else {
        await this.#prepare(server, todo.prepare, wanted);
      }
    }
  }

  onSend(server: ServerSession, input: ClientInput): Uint8Array | undefined {
    return this.#isVoid(server)
      ? frame(textCommand(server, DOES_NOTHING).payload, 0)
      : CLOSES_STATEMENTS.onSend(server, input);
  }

  /** Whether the client does away with a name of its own that is not there. */
  #isVoid({ state: { prepared }, dialect }: ServerSession): boolean {
    const [change] = this.#changes;
    // OceanBase answers what does nothing with one row.
    if (dialect === "oceanbase") return false;
    if (change?.kind !== "deallocate" || this.#names.find(change.name) === undefined) return false;
    return prepared?.names.preparation(change.name, this.#names) !== undefined ||
      prepared === undefined;
  }

  onSent(): void {}

  onDone(server: ServerSession): void {
    const { tracker, dialect, state: { known } } = server;
    const { names } = server.state.keepPrepared();
    const hasFailed = tracker.errorCode !== 0;
    server.state.counted = undefined;
    for (const name of this.#executed) {
      const statement = this.#names.find(name);
      if (statement !== undefined && known !== undefined) {
        // Among other changes, the name may have had another statement.
        const isUnsure = hasFailed || this.#changes.length > 0;
        followExecution(statement.context, known, { dialect, isUnsure });
      }
    }
    for (const change of this.#changes) {
      const { name } = change.kind === "prepare" ? change.statement : change;
      if (change.kind === "deallocate" && hasFailed) continue;
      const isThere = names.preparation(name, this.#names) === undefined;
      // Another client's stays where this one's was elsewhere.
      if (change.kind !== "deallocate" || isThere) names.remove(name);
      this.#names.remove(name);
      if (change.kind !== "prepare") continue;
      if (hasFailed || known === undefined) names.spoil(name);
      else names.add(this.#names.add(change.statement, { state: known, dialect }));
    }
  }

  /** What runs under the names counts in their place. */
  #joined(outer: Classified, executed: readonly string[], isAlone: boolean): Classified {
    // Among several statements, nobody knows which of them have run.
    if (!isAlone) return { ...outer, effects: outer.effects | Effect.unknown };
    if (executed.length === 0) return outer;
    const inner = executed.map((name) => this.#names.find(name)?.classified);
    const known = inner.filter((one) => one !== undefined);
    // Another one fails, or is on the server session that the client is bound to.
    if (known.length === 0) return outer;
    return {
      effects: known.reduce((all, one) => all | one.effects, outer.effects & ~NAMING),
      asks: known.reduce((all, one) => all | one.asks, outer.asks),
      userVariables: [...outer.userVariables, ...known.flatMap((one) => one.userVariables)],
      names: known.flatMap((one) => one.names),
      server: outer.server,
      isRead: known.every((one) => one.isRead),
    };
  }

  #missing(names: ServerNames): string | undefined {
    return this.#used.find((name) => names.preparation(name, this.#names) !== undefined);
  }

  #isFull(names: ServerNames): boolean {
    return names.size > this.#options.limit();
  }

  async #prepare(
    server: ServerSession,
    named: NamedStatement,
    wanted: SessionState,
  ): Promise<void> {
    const { names } = server.state.keepPrepared();
    try {
      await inContextOf(server, named, { wanted, prepare: () => run(server, named.text) });
    } catch (error) {
      // Whatever had the name is gone.
      names.spoil(named.name);
      throw error;
    }
    names.add(named);
  }
}

async function run(server: ServerSession, text: Uint8Array): Promise<Reply> {
  // It is counted like the client's own.
  server.state.counted = undefined;
  const [reply] = await exchange(server, [textCommand(server, text)]);
  return reply!;
}

interface Prepare {
  readonly name: string;
  readonly text: string;
}

/** @returns undefined for other statements, and for texts and names that are no plain ones */
function readPrepare(tokens: readonly Token[]): Prepare | undefined {
  const [prepare, name, from, text] = tokens;
  const isPrepare = tokens.length === 4 && isWord(prepare, "PREPARE") && isWord(from, "FROM");
  if (!isPrepare || text!.kind !== "string" || !isName(name!)) return undefined;
  return { name: name!.text, text: text!.text };
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.text.toUpperCase() === word;
}

function isName({ kind, text }: Token): boolean {
  return (kind === "word" || kind === "quoted_name") && PLAIN_NAME.test(text);
}
