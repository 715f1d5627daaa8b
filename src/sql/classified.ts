/** What is known of a statement, as values. */

/** What a statement may do to its session and ask of it. */
export interface Classified {
  /** Bits of `Effect`. */
  readonly effects: number;
  /** Bits of `Ask`. */
  readonly asks: number;
  /** Those that are set, in the order of the text; a name may come more than once. */
  readonly userVariables: readonly AssignedVariable[];
  /** What effects concern, in the order of the text, where more than their being there matters. */
  readonly names: readonly NamedEffect[];
  /** What a comment names that begins with `sluice: server=`, the last one of them. */
  readonly server: string | undefined;
  /** It changes nothing, takes no lock, and may be run once more elsewhere. */
  readonly isRead: boolean;
}

export interface AssignedVariable {
  /** In lower case, without quotes and `@`. */
  readonly name: string;
  /**
   * The value where it is one literal, in a form that means the same in every sql_mode and
   * character_set_client; undefined for what is computed.
   */
  readonly literal: string | undefined;
  /** The literal is a string that takes character_set_connection and collation_connection. */
  readonly takesConnectionCharset: boolean;
}

/** An effect on one thing: a table, a lock, a prepared statement, a variable … */
export interface NamedEffect {
  /** One bit of `Effect`. */
  readonly effect: number;
  /** Without quotes, letters as typed; undefined where it is computed. */
  readonly name: string | undefined;
  /** Of a table: what stands before its name; undefined for the session's schema. */
  readonly schema?: string | undefined;
  /** Of a table that only changes its name, if it is temporary: the new one. */
  readonly renamedTo?: { readonly schema: string | undefined; readonly name: string };
}
