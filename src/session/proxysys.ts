/**
 * The two accounts of the proxy itself, which no server knows: `root@proxysys` administers it,
 * `inspector@proxysys` asks whether it is alive.
 */
import type { Identity } from "../admin/scope.ts";
import type { Secret } from "../config/types.ts";
import { LoginKey, type Verifier, verifierOf } from "../protocol/auth.ts";
import { type Account, NOBODY } from "./accounts.ts";
import type { LoginName } from "./login_name.ts";

/** The tenant whose logins reach no server. */
const PROXYSYS_TENANT = "proxysys";

/** OceanBase's own tenant, whose `root` may run the statements of the proxy. */
const SYS_TENANT = "sys";

/** What the configuration says of these accounts; undefined is the empty password. */
export interface ProxysysConfig {
  readonly obproxySysSecret: Secret | undefined;
  readonly inspectorSecret: Secret | undefined;
  /** Those with a password may log in from everywhere. */
  readonly skipProxySysPrivateCheck: boolean;
}

/** A login of tenant `proxysys`, and from where. */
export interface ProxysysLogin {
  readonly name: LoginName;
  /** Address of the socket's other end, without port. */
  readonly host: string;
  /** As it is now: passwords may change while the proxy runs. */
  readonly config: ProxysysConfig;
}

/** Whether a login name is for the accounts of the proxy: no cluster can have this tenant. */
export function isProxysys({ tenant }: LoginName): boolean {
  return tenant === PROXYSYS_TENANT;
}

/** Who somebody is to the proxy's statements once the password has been proven. */
export function identityOf(name: LoginName): Identity {
  if (isProxysys(name) && name.user === "inspector") return "inspector";
  if (name.user !== "root") return "ordinary";
  if (isProxysys(name)) return "proxysys";
  return name.tenant === SYS_TENANT ? "root_sys" : "ordinary";
}

/** Keeps what logins have shown of passwords of which the configuration has a hash. */
export class ProxysysAccounts {
  readonly #root = new Slot();
  readonly #inspector = new Slot();

  /** {@link NOBODY} stands for a refusal, and looks and lasts like a wrong password. */
  find({ name, host, config }: ProxysysLogin): Account {
    const [slot, secret] = name.user === "root"
      ? [this.#root, config.obproxySysSecret]
      : name.user === "inspector"
      ? [this.#inspector, config.inspectorSecret]
      : [undefined, undefined];
    if (slot === undefined) return NOBODY;
    const isNear = isEmpty(secret)
      ? isLoopback(host)
      : config.skipProxySysPrivateCheck || isLoopback(host) || isPrivate(host);
    return isNear ? slot.account(secret) : NOBODY;
  }
}

function isEmpty(secret: Secret | undefined): boolean {
  return secret === undefined || (secret.kind === "clear" && secret.password === "");
}

/** The account of the secret that was last asked for. */
class Slot {
  #secret: Secret | undefined;
  #account: Account | undefined;

  account(secret: Secret | undefined): Account {
    if (this.#account === undefined || this.#secret !== secret) {
      this.#secret = secret;
      this.#account = new ProxysysAccount(secret);
    }
    return this.#account;
  }
}

class ProxysysAccount implements Account {
  readonly serverUser = undefined;
  /** Never used, but a client need not show its password for want of it. */
  readonly serverKey = NOBODY.serverKey;
  #verifier: Verifier;

  constructor(secret: Secret | undefined) {
    this.#verifier = secret?.kind === "sha1_hash"
      ? { isEmpty: false, sha1Twice: secret.stage2 }
      : verifierOf(LoginKey.fromPassword(secret?.password ?? ""));
  }

  get verifier(): Verifier {
    return this.#verifier;
  }

  learn(key: LoginKey): void {
    if (key.password !== undefined) this.#verifier = verifierOf(key);
  }
}

/** Of addresses as {@linkcode canonical} gives them. The private ones: RFC 1918 and RFC 4193. */
const LOOPBACK = /^(?:127\.|::1$)/;
const PRIVATE = /^(?:(?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.|f[cd][0-9a-f]{2}:)/;

/** Whether an address, without port, is one of this machine; names and nonsense are not. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(canonical(host));
}

/** Whether an address, without port, is one that the internet does not reach. */
export function isPrivate(host: string): boolean {
  return PRIVATE.test(canonical(host));
}

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The one shortest form of an address, IPv4 in IPv6 as IPv4; empty for what is none. */
function canonical(host: string): string {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return host;
  const withoutZone = host.replace(/%.*$/s, "");
  if (!/^[0-9a-f:.]+$/i.test(withoutZone)) return "";
  const address = URL.parse(`http://[${withoutZone}]/`)?.hostname.slice(1, -1) ?? "";
  const mapped = MAPPED.exec(address);
  if (mapped === null) return address;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}
