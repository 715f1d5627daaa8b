/** Statements of the proxy that a client has given a name with PREPARE. */
import { type AdminAnswer, OK } from "../admin/answer.ts";
import { type AdminStatement, findStatement, TOKEN_LIMIT } from "../admin/commands.ts";
import type { Identity } from "../admin/scope.ts";
import { SluiceError } from "../errors.ts";
import { encodeText } from "../protocol/bytes.ts";
import { type SqlMode, type Token, tokenize } from "../sql/tokens.ts";

/** What becomes of PREPARE, EXECUTE or DEALLOCATE PREPARE; undefined: it is the server's. */
export type NamedOutcome =
  | { readonly kind: "run"; readonly statement: AdminStatement }
  | { readonly kind: "answer"; readonly answer: () => Promise<AdminAnswer> }
  | undefined;

const WORDS: ReadonlySet<string> = new Set(["PREPARE", "EXECUTE", "DEALLOCATE", "DROP"]);

const ok: NamedOutcome = { kind: "answer", answer: () => Promise.resolve(OK) };

export class NamedStatements {
  readonly #identity: Identity;
  readonly #mode: SqlMode;
  readonly #byName = new Map<string, AdminStatement>();

  constructor(identity: Identity, mode: SqlMode) {
    this.#identity = identity;
    this.#mode = mode;
  }

  /** Whether the tokens can be about a prepared statement at all. */
  static concerns(tokens: readonly Token[]): boolean {
    return WORDS.has(word(tokens[0]));
  }

  take(tokens: readonly Token[]): NamedOutcome {
    switch (word(tokens[0])) {
      case "PREPARE":
        return this.#prepare(tokens);
      case "EXECUTE":
        return this.#execute(tokens);
      case "DEALLOCATE":
      case "DROP": {
        const isPrepared = word(tokens[1]) === "PREPARE" && tokens.length === 3;
        return isPrepared && this.#byName.delete(nameOf(tokens[2])) ? ok : undefined;
      }
    }
  }

  #prepare(tokens: readonly Token[]): NamedOutcome {
    const [, name, from, text] = tokens;
    if (tokens.length !== 4 || word(from) !== "FROM") return undefined;
    // The name is taken, whatever it stood for before.
    this.#byName.delete(nameOf(name));
    if (text?.kind !== "string") return undefined;
    const bytes = encodeText(text.text);
    const range = { start: 0, end: bytes.length };
    const statement = findStatement(
      tokenize(bytes, range, this.#mode, TOKEN_LIMIT),
      this.#identity,
    );
    if (statement === undefined) return undefined;
    this.#byName.set(nameOf(name), statement);
    return ok;
  }

  #execute(tokens: readonly Token[]): NamedOutcome {
    const statement = this.#byName.get(nameOf(tokens[1]));
    if (statement === undefined) return undefined;
    if (tokens.length === 2) return { kind: "run", statement };
    return {
      kind: "answer",
      answer: () =>
        Promise.reject(
          new SluiceError(
            "not_supported",
            `EXECUTE ... USING is not supported for ${statement.name}: prepare it by protocol, or ` +
              "write the values into its text",
          ),
        ),
    };
  }
}

function word(token: Token | undefined): string {
  return token?.kind === "word" ? token.text.toUpperCase() : "";
}

/** Names of prepared statements are the same in any letter case. */
function nameOf(token: Token | undefined): string {
  return token?.kind === "word" || token?.kind === "quoted_name" ? token.text.toLowerCase() : "";
}
