/** Where the proxy knows accounts from. The configuration is the first source of several. */
import type { SharingMode, UserConfig } from "../config/types.ts";
import { LoginKey, type Verifier, verifierOf } from "../protocol/auth.ts";
import type { LoginName } from "./login_name.ts";

/** An account that clients log in to, and what logs in to servers in its place. */
export interface Account {
  readonly verifier: Verifier;
  /** User name on the servers; undefined means the client's own. */
  readonly serverUser: string | undefined;
  /** Known before anybody logs in; where only a hash of the password is, once one was shown. */
  readonly serverKey: LoginKey | undefined;
  /** Most sessions that it may have; 0 means no limit, undefined that of all accounts. */
  readonly maxConnections?: number | undefined;
  /** How its sessions have server sessions, where the account says so itself. */
  readonly sharing?: SharingMode | undefined;
  /** A login has shown the password: the next one needs no full authentication. */
  learn(key: LoginKey): void;
}

/** A place where accounts are looked up. */
export interface CredentialSource {
  find(name: LoginName): Account | undefined;
  /** Whether a login may need the RSA key, so that it had better be made early. */
  readonly needsRsaKey: boolean;
}

class ConfiguredAccount implements Account {
  readonly serverUser: string | undefined;
  readonly maxConnections: number | undefined;
  readonly sharing: SharingMode | undefined;
  #verifier: Verifier;
  #serverKey: LoginKey | undefined;

  constructor(user: UserConfig) {
    this.serverUser = user.server?.user;
    this.maxConnections = user.maxConnections;
    this.sharing = user.sharing;
    if (user.server !== undefined) this.#serverKey = LoginKey.fromPassword(user.server.password);
    if (user.secret.kind === "clear") {
      const key = LoginKey.fromPassword(user.secret.password);
      this.#verifier = verifierOf(key);
      this.#serverKey ??= key;
    } else {
      this.#verifier = { isEmpty: false, sha1Twice: user.secret.stage2 };
    }
  }

  get verifier(): Verifier {
    return this.#verifier;
  }

  get serverKey(): LoginKey | undefined {
    return this.#serverKey;
  }

  learn(key: LoginKey): void {
    if (key.password === undefined) return;
    this.#verifier = verifierOf(key);
    // From now on logins are short and show nothing that a server could be given.
    this.#serverKey ??= key;
  }
}

/** The accounts of `[[users]]`. */
export class ConfiguredAccounts implements CredentialSource {
  readonly needsRsaKey: boolean;
  readonly #byUser = new Map<string, { config: UserConfig; account: Account }[]>();

  constructor(users: readonly UserConfig[]) {
    this.needsRsaKey = users.some((user) => user.secret.kind === "sha1_hash");
    for (const config of users) {
      const row = { config, account: new ConfiguredAccount(config) };
      const rows = this.#byUser.get(config.name);
      if (rows === undefined) this.#byUser.set(config.name, [row]);
      else rows.push(row);
    }
  }

  /** The entry that says most about tenant and cluster wins. */
  find(name: LoginName): Account | undefined {
    let best: Account | undefined;
    let bestRank = -1;
    for (const { config, account } of this.#byUser.get(name.user) ?? []) {
      if (config.cluster !== "" && config.cluster !== name.cluster) continue;
      if (config.tenant !== "" && config.tenant !== name.tenant) continue;
      const rank = (config.cluster === "" ? 0 : 2) + (config.tenant === "" ? 0 : 1);
      if (rank > bestRank) [best, bestRank] = [account, rank];
    }
    return best;
  }
}

const NOBODYS_KEY = LoginKey.fromPassword(crypto.randomUUID());

/** Checked in place of an account that there is none of, so that both look and last the same. */
export const NOBODY: Account = {
  verifier: verifierOf(NOBODYS_KEY),
  serverUser: undefined,
  serverKey: NOBODYS_KEY,
  learn() {},
};
