import { assertEquals } from "@std/assert";
import {
  askedOfServer,
  type Capabilities,
  chosenByClient,
  offeredToClients,
} from "../../src/protocol/capabilities.ts";
import { Capability, MariaDbCapability } from "../../src/protocol/constants.ts";

const ALL: Capabilities = { base: 0xffffffff, extended: 0xffffffff };
const NONE: Capabilities = { base: 0, extended: 0 };

/** Of later issues, or of no use between a proxy and its clients: never offered. */
const WITHHELD = Capability.SSL | Capability.COMPRESS | Capability.ZSTD_COMPRESSION |
  Capability.MULTI_FACTOR_AUTHENTICATION | Capability.CAPABILITY_EXTENSION |
  Capability.SSL_VERIFY_SERVER_CERT | Capability.REMEMBER_OPTIONS | Capability.RESERVED;

function names(flags: number): string[] {
  return Object.entries(Capability).filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
}

Deno.test("What servers can and the proxy does not is not offered", () => {
  const offered = offeredToClients(ALL);
  assertEquals(names(offered.base & WITHHELD), []);
  assertEquals(names(~offered.base & ~WITHHELD), []);
  assertEquals(offered.extended & MariaDbCapability.COM_MULTI, 0);
});

Deno.test("What servers cannot is not offered, except for the proxy's own part", () => {
  assertEquals(names(offeredToClients(NONE).base), [
    "CONNECT_WITH_DB",
    "PROTOCOL_41",
    "SECURE_CONNECTION",
    "PLUGIN_AUTH",
    "CONNECT_ATTRS",
    "PLUGIN_AUTH_LENENC_CLIENT_DATA",
  ]);
  assertEquals(offeredToClients(NONE).extended, 0);
});

Deno.test("A client gets what it asks for and was offered", () => {
  const offered = offeredToClients({
    base: Capability.LONG_PASSWORD | Capability.DEPRECATE_EOF,
    extended: 0,
  });
  const asked = Capability.LONG_PASSWORD | Capability.DEPRECATE_EOF | Capability.QUERY_ATTRIBUTES |
    Capability.PROTOCOL_41;
  const chosen = chosenByClient({ base: asked, extended: 0xff }, offered);
  assertEquals(names(chosen.base), ["LONG_PASSWORD", "PROTOCOL_41", "DEPRECATE_EOF"]);
  // Only a client that leaves LONG_PASSWORD out means MariaDB's flags.
  assertEquals(chosen.extended, 0);
});

Deno.test("MariaDB's flags count for a client that knows them", () => {
  const { PROGRESS, CACHE_METADATA, STMT_BULK_OPERATIONS } = MariaDbCapability;
  const offered = offeredToClients({ base: 0, extended: PROGRESS | CACHE_METADATA });
  const chosen = chosenByClient(
    { base: Capability.PROTOCOL_41, extended: CACHE_METADATA | STMT_BULK_OPERATIONS },
    offered,
  );
  assertEquals(chosen.extended, CACHE_METADATA);
});

Deno.test("A server is asked for the client's choice and for session tracking", () => {
  const client = { base: Capability.FOUND_ROWS | Capability.DEPRECATE_EOF, extended: 0 };
  const asked = askedOfServer(client, ALL)!;
  assertEquals(names(asked.base), [
    "FOUND_ROWS",
    "PROTOCOL_41",
    "SECURE_CONNECTION",
    "PLUGIN_AUTH",
    "PLUGIN_AUTH_LENENC_CLIENT_DATA",
    "SESSION_TRACK",
    "DEPRECATE_EOF",
  ]);
});

Deno.test("A server without session tracking is not asked for it", () => {
  const server = { base: 0xffffffff & ~Capability.SESSION_TRACK, extended: 0 };
  const client = { base: Capability.SESSION_TRACK, extended: 0 };
  assertEquals(askedOfServer(client, server)!.base & Capability.SESSION_TRACK, 0);
});

Deno.test("What the proxy does itself is not asked for in the client's name", () => {
  const own = Capability.CONNECT_ATTRS | Capability.CONNECT_WITH_DB | Capability.SSL;
  const asked = askedOfServer({ base: own | Capability.PROTOCOL_41, extended: 0 }, ALL)!;
  assertEquals(names(asked.base & own), []);
});

const UNSPOKEN: readonly (readonly [string, Capabilities])[] = [
  ["DEPRECATE_EOF", { base: Capability.DEPRECATE_EOF, extended: 0 }],
  ["QUERY_ATTRIBUTES", { base: Capability.QUERY_ATTRIBUTES, extended: 0 }],
  ["OPTIONAL_RESULTSET_METADATA", { base: Capability.OPTIONAL_RESULTSET_METADATA, extended: 0 }],
  ["MariaDB's CACHE_METADATA", { base: 0, extended: MariaDbCapability.CACHE_METADATA }],
];

for (const [name, client] of UNSPOKEN) {
  Deno.test(`A server without ${name} cannot serve a client that speaks so`, () => {
    const server = {
      base: (0xffffffff & ~client.base) >>> 0,
      extended: (0xffffffff & ~client.extended) >>> 0,
    };
    assertEquals(askedOfServer(client, server), undefined);
    assertEquals(askedOfServer(client, ALL) === undefined, false);
  });
}

Deno.test("What does not change bytes may be missing on a server", () => {
  const client = { base: Capability.LOCAL_FILES | Capability.INTERACTIVE, extended: 0 };
  assertEquals(askedOfServer(client, NONE) === undefined, false);
});
