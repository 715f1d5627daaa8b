/** Which failures to get a server session are the server's, and not the account's. */
import type { ErrorName, SluiceError } from "../errors.ts";

/** The server takes no more connections for now; those that it has are well. */
const IS_FULL: ReadonlySet<number> = new Set([
  1040, // too many connections
  1203, // too many connections of this user
  1226, // max_user_connections of this account is reached
]);

/** Server errors after which another server may well say yes. */
const TRY_ANOTHER: ReadonlySet<number> = new Set([
  1040, // too many connections
  1053, // shutdown in progress
  1129, // host is blocked
  1203, // too many connections of this user
]);

export function mayHelpElsewhere({ kind, code }: SluiceError): boolean {
  return kind === "server_unreachable" || kind === "server_malformed" || TRY_ANOTHER.has(code);
}

/** What a login comes to whose account or schema is no good. */
const REFUSALS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "server_refused",
  "server_auth_plugin",
  "unknown_database",
]);

/** Whether a server is well and would not have the account, or its schema. */
export function refusesLogin(error: SluiceError): boolean {
  return REFUSALS.has(error.kind) && !mayHelpElsewhere(error);
}

export function isServerFull({ kind, code }: SluiceError): boolean {
  return kind === "server_refused" && IS_FULL.has(code);
}
