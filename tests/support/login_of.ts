/** A login on a server, as tests without a client have it. */
import type { ServerLogin } from "../../src/backend/server_login.ts";
import { LoginKey } from "../../src/protocol/auth.ts";
import { Capability } from "../../src/protocol/constants.ts";

const KEY = LoginKey.fromPassword("secret");

/** The account `app` with password `secret`, unless changed. */
export function loginOf(change: Partial<ServerLogin> = {}): ServerLogin {
  return {
    user: "app",
    key: KEY,
    schema: "",
    charset: 45,
    maxPacketSize: 1 << 24,
    capabilities: { base: Capability.DEPRECATE_EOF, extended: 0 },
    attributes: new Uint8Array(0),
    ...change,
  };
}
