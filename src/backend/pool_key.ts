/** What server sessions must have in common to be of one pool. */
import { createHmac, randomBytes } from "node:crypto";
import type { LoginKey } from "../protocol/auth.ts";
import { Capability } from "../protocol/constants.ts";
import type { ServerLogin } from "./server_login.ts";

/** Capabilities that make no difference to a server or to what it sends. */
const WITHOUT_EFFECT = Capability.CONNECT_WITH_DB | Capability.ODBC | Capability.IGNORE_SIGPIPE |
  Capability.TRANSACTIONS | Capability.PLUGIN_AUTH | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CONNECT_ATTRS | Capability.SECURE_CONNECTION;

/** Of this process: what is made with it tells nobody else whether two secrets are the same. */
const SALT = randomBytes(32);

const identities = new WeakMap<LoginKey, string>();

/** The same text for the same secret, and none that leads back to it. */
export function secretIdentity(key: LoginKey): string {
  const known = identities.get(key);
  if (known !== undefined) return known;
  const identity = createHmac("sha256", SALT).update(key.sha1Twice).digest("hex");
  identities.set(key, identity);
  return identity;
}

/**
 * Account, character set and capability class of a login. Schema and attributes are no part of it:
 * they are state, which whoever takes a session over brings to what it wants. The character set is,
 * since it is what a reset goes back to.
 */
export function poolKey({ user, key, charset, capabilities }: ServerLogin): string {
  const base = (capabilities.base & ~WITHOUT_EFFECT) >>> 0;
  return `${user}\0${charset}\0${base}\0${capabilities.extended}\0${secretIdentity(key)}`;
}
