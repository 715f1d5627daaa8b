/**
 * Logins that a server has taken: they need no server any more to be told OK, until a server refuses
 * one of them.
 */
import type { TenantConfig } from "../config/types.ts";
import { SluiceError } from "../errors.ts";
import { refusesLogin } from "./failover.ts";
import { secretIdentity } from "./pool_key.ts";
import type { ServerLogin } from "./server_login.ts";

/** Logins that are remembered; beyond that the oldest is proven again. */
const MOST = 10_000;

/**
 * For how long nobody asks for the schema of a login in a shared session that is in it already: it
 * may be gone meanwhile, which the session does not notice. Milliseconds.
 */
const FRESH = 1_000;

/** Who logs in where. */
export interface ProvenLogin {
  readonly login: Pick<ServerLogin, "user" | "schema" | "key">;
  readonly tenant: TenantConfig | undefined;
}

export class LoginProofs {
  /** When it was proven, the oldest first. Milliseconds since the epoch. */
  readonly #since = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether a server has taken this account, with its password, and schema since they last failed. */
  has(login: ProvenLogin): boolean {
    return this.#since.has(keyOf(login));
  }

  /** The same, just now. */
  isFresh(login: ProvenLogin): boolean {
    const since = this.#since.get(keyOf(login));
    return since !== undefined && this.#now() - since < FRESH;
  }

  /** A server has taken it. */
  remember(login: ProvenLogin): void {
    const key = keyOf(login);
    this.#since.delete(key);
    if (this.#since.size >= MOST) {
      for (const oldest of this.#since.keys()) {
        this.#since.delete(oldest);
        break;
      }
    }
    this.#since.set(key, this.#now());
  }

  /** Somebody has got no session: where it is for the login, the next one is proven again. */
  judge(login: ProvenLogin, error: unknown): void {
    if (error instanceof SluiceError && refusesLogin(error)) this.#since.delete(keyOf(login));
  }
}

function keyOf({ login: { user, schema, key }, tenant }: ProvenLogin): string {
  return `${user}\0${schema}\0${tenant?.name ?? ""}\0${secretIdentity(key)}`;
}
