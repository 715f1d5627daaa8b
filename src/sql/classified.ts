/** What is known of a statement, as values. */
import { Effect } from "./effects.ts";

/** What a statement may do to its session and ask of it. */
export interface Classified {
  /** Bits of {@link Effect}. */
  readonly effects: number;
  /** Bits of `Ask`. */
  readonly asks: number;
  /** User variables that are set, in the order of the text; a name may come more than once. */
  readonly userVariables: readonly AssignedVariable[];
  /** What effects concern, in the order of the text, where more than their being there matters. */
  readonly names: readonly NamedEffect[];
  /** What a comment names that begins with `sluice: server=`, the last one of them. */
  readonly server: string | undefined;
  /** It changes nothing, takes no lock, and may be run once more elsewhere. */
  readonly isRead: boolean;
}

const NOTHING = {
  asks: 0,
  userVariables: [],
  names: [],
  server: undefined,
  isRead: false,
} as const;

/** Of what was not looked at, because it can have no effects. */
export const PLAIN: Classified = Object.freeze({ effects: 0, ...NOTHING });

/** Of what cannot be looked at. */
export const UNKNOWN: Classified = Object.freeze({ effects: Effect.unknown, ...NOTHING });

export interface AssignedVariable {
  /** In lower case, without quotes and `@`. */
  readonly name: string;
  /**
   * The value where it is one literal, in ASCII, and in a form that means the same in every
   * sql_mode and character_set_client; undefined for what is computed. With `NULL` a variable
   * keeps the type that it had.
   */
  readonly literal: string | undefined;
  /** The literal is a string that takes character_set_connection and collation_connection. */
  readonly takesConnectionCharset: boolean;
}

/**
 * An effect on one thing: a temporary table, a lock, a handler, a prepared statement, a schema; for
 * system variables the name in lower case, for locks on servers what `Effect.locksServer` says.
 */
export interface NamedEffect {
  /** One bit of {@link Effect}. */
  readonly effect: number;
  /** Without quotes, letters as typed; undefined where it is computed, or need not run just once. */
  readonly name: string | undefined;
  /** Of a table: what stands before its name; undefined for the session's schema. */
  readonly schema?: string | undefined;
  /** Of a table that only changes its name, if it is temporary: the new one. */
  readonly renamedTo?: TableName;
  /** It concerns all that there are. */
  readonly all?: true;
}

export interface TableName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** Gathers what is found in a statement, or in several. */
export class Findings {
  effects = 0;
  asks = 0;
  server: string | undefined;
  /** Something else than its effects makes it no read. */
  isWrite = false;
  readonly userVariables: AssignedVariable[] = [];
  readonly names: NamedEffect[] = [];

  /** One effect on one thing. */
  name(effect: number, name: string | undefined, rest?: Partial<NamedEffect>): void {
    this.effects |= effect;
    this.names.push({ effect, name, ...rest });
  }

  assign(name: string, literal?: string, takesConnectionCharset = false): void {
    this.effects |= Effect.setsUserVariables;
    this.userVariables.push({ name: name.toLowerCase(), literal, takesConnectionCharset });
  }

  get result(): Classified {
    const { effects, asks, server, userVariables, names, isWrite } = this;
    // A count of rows is made anew where the statement is run again.
    const isRead = !isWrite && (effects & ~Effect.calculatesFoundRows) === 0;
    return { effects, asks, userVariables, names, server, isRead };
  }
}
