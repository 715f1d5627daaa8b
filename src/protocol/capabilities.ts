/**
 * Which capabilities the proxy offers to clients, takes from them to servers, and needs itself.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
 */
import { Capability, MariaDbCapability } from "./constants.ts";

/** What decides how packets look and statements behave: goes from the client to the server. */
const PASSED = Capability.LONG_PASSWORD | Capability.FOUND_ROWS | Capability.LONG_FLAG |
  Capability.NO_SCHEMA | Capability.ODBC | Capability.LOCAL_FILES | Capability.IGNORE_SPACE |
  Capability.INTERACTIVE | Capability.IGNORE_SIGPIPE | Capability.TRANSACTIONS |
  Capability.MULTI_STATEMENTS | Capability.MULTI_RESULTS | Capability.PS_MULTI_RESULTS |
  Capability.CAN_HANDLE_EXPIRED_PASSWORDS | Capability.SESSION_TRACK | Capability.DEPRECATE_EOF |
  Capability.OPTIONAL_RESULTSET_METADATA | Capability.QUERY_ATTRIBUTES;

/** What the proxy does itself on both sides, whatever the other side can. */
const OWN = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA | Capability.CONNECT_ATTRS | Capability.CONNECT_WITH_DB;

const MARIADB_PASSED = MariaDbCapability.PROGRESS | MariaDbCapability.STMT_BULK_OPERATIONS |
  MariaDbCapability.EXTENDED_METADATA | MariaDbCapability.CACHE_METADATA |
  MariaDbCapability.BULK_UNIT_RESULTS;

/** Capabilities that change the bytes of requests or replies, so both sides must agree on them. */
const FORMAT = Capability.DEPRECATE_EOF | Capability.OPTIONAL_RESULTSET_METADATA |
  Capability.QUERY_ATTRIBUTES;

/** The two words of capability flags; `extended` is MariaDB's. */
export interface Capabilities {
  readonly base: number;
  readonly extended: number;
}

/**
 * What the greeting offers when the servers behind can `servers`.
 * @param isShared clients may go on with statements that another one has prepared, and so cannot
 *   rely on a server telling them once only what their columns are
 */
export function offeredToClients(servers: Capabilities, isShared = false): Capabilities {
  const without = isShared ? MariaDbCapability.CACHE_METADATA : 0;
  return {
    base: ((servers.base & PASSED) | OWN) >>> 0,
    extended: servers.extended & MARIADB_PASSED & ~without,
  };
}

/** What a session has after the client chose from the offer. */
export function chosenByClient(login: Capabilities, offered: Capabilities): Capabilities {
  const base = (login.base & offered.base) >>> 0;
  const isMariaDb = (login.base & Capability.LONG_PASSWORD) === 0;
  return { base, extended: isMariaDb ? (login.extended & offered.extended) >>> 0 : 0 };
}

/**
 * What a server login asks for: the client's choice and session tracking where the server has it.
 * Undefined where the server cannot speak as the client wants to.
 */
export function askedOfServer(
  client: Capabilities,
  server: Capabilities,
): Capabilities | undefined {
  if ((client.base & FORMAT & ~server.base) !== 0) return undefined;
  if ((client.extended & ~server.extended) !== 0) return undefined;
  const tracking = server.base & Capability.SESSION_TRACK;
  const own = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | tracking |
    (server.base & (Capability.PLUGIN_AUTH | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA));
  const passed = client.base & PASSED & ~Capability.SESSION_TRACK;
  return { base: (passed | own) >>> 0, extended: client.extended };
}
