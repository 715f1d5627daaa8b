/**
 * Prepared statements of the text protocol: PREPARE name, EXECUTE name, DEALLOCATE PREPARE name.
 * A server session has names of several clients, or old ones of the same; before a name is used or
 * missed there, it is made the client's own.
 * https://dev.mysql.com/doc/refman/9.0/en/sql-prepared-statements.html
 */
import type { Classified } from "../sql/classified.ts";
import type { Dialect } from "./dialect.ts";
import { contextOf, isBoundToNoSchema, type PrepareContext } from "./prepare_context.ts";
import type { SessionState } from "./session_state.ts";

/** What a client has prepared under a name. */
export interface NamedStatement {
  /** In lower case. */
  readonly name: string;
  /** The whole PREPARE statement as the client sent it: it means the same in the same context. */
  readonly text: Uint8Array;
  readonly context: PrepareContext;
  /** What it does when it is executed. */
  readonly classified: Classified;
  /** It cannot be had on another server session. */
  readonly isBound: boolean;
}

/** The names of one client session; few clients have any. */
export class ClientNames {
  #byName: Map<string, NamedStatement> | undefined;
  #context: PrepareContext | undefined;

  get size(): number {
    return this.#byName?.size ?? 0;
  }

  find(name: string): NamedStatement | undefined {
    return this.#byName?.get(name.toLowerCase());
  }

  /** A PREPARE has succeeded. */
  add(
    { name, text, classified }: Omit<NamedStatement, "context" | "isBound">,
    { state, dialect }: { readonly state: SessionState; readonly dialect: Dialect },
  ): NamedStatement {
    this.#context = contextOf(state, dialect, this.#context);
    const named = {
      name: name.toLowerCase(),
      text: text.slice(),
      context: this.#context,
      classified,
      isBound: isBoundToNoSchema({ context: this.#context, text }),
    };
    this.#byName ??= new Map();
    this.#byName.set(named.name, named);
    return named;
  }

  /** A DEALLOCATE has succeeded, or a PREPARE of the name has failed. */
  remove(name: string): void {
    this.#byName?.delete(name.toLowerCase());
  }

  /** The session was reset. */
  clear(): void {
    this.#byName = this.#context = undefined;
  }
}

/** What a server session must do before a statement that names a prepared one. */
export type NamedPreparation =
  /** Runs the statement in the context that it names. */
  | { readonly prepare: NamedStatement }
  /** Runs the statement as it is: the client has no such name, and must be told so. */
  | { readonly deallocate: string };

/** The names of one server session. */
export class ServerNames {
  /** The least recently prepared one first; undefined for names that may stand for anything. */
  #byName: Map<string, NamedStatement | undefined> | undefined;

  get size(): number {
    return this.#byName?.size ?? 0;
  }

  /** Whether one of them can be had nowhere else. */
  get hasBound(): boolean {
    return this.#byName?.values().some((named) => named?.isBound === true) === true;
  }

  /** The least recently prepared one. */
  get oldest(): string | undefined {
    return this.#byName?.keys().next().value;
  }

  /** Undefined where the name is the client's own there, or nobody's. */
  preparation(name: string, client: ClientNames): NamedPreparation | undefined {
    const key = name.toLowerCase();
    const wanted = client.find(key);
    if (wanted !== undefined) {
      return this.#byName?.get(key) === wanted ? undefined : { prepare: wanted };
    }
    return this.#byName?.has(key) === true ? { deallocate: deallocation(key) } : undefined;
  }

  /** The server has prepared it. */
  add(named: NamedStatement): void {
    this.#put(named.name, named);
  }

  /** Preparing has failed: nobody knows what the name stands for. */
  spoil(name: string): void {
    this.#put(name.toLowerCase(), undefined);
  }

  #put(key: string, named: NamedStatement | undefined): void {
    this.#byName ??= new Map();
    this.#byName.delete(key);
    this.#byName.set(key, named);
  }

  remove(name: string): void {
    this.#byName?.delete(name.toLowerCase());
  }

  /** The server has forgotten all. */
  clear(): void {
    this.#byName = undefined;
  }
}

/** The statement that does away with a name. */
export function deallocation(name: string): string {
  return `DEALLOCATE PREPARE \`${name.replaceAll("`", "``")}\``;
}
