/** The sessions of the identity script. */
import type { Line } from "../step.ts";

/** What runs over one connection from login to COM_QUIT. */
export interface ScriptSession {
  readonly name: string;
  /** Schema of the login; none unless given. */
  readonly database?: string;
  /** The last step is the server's close. */
  readonly endsByServer?: boolean;
  readonly lines: readonly Line[];
}

/** The script's own schema; dropped before and after each run. */
export const SCHEMA = "identity_db";
