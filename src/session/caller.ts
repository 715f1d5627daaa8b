/** Who a logged-in client is to the proxy's own statements. */
import type { Caller, Identity, Privileges } from "../admin/scope.ts";
import type { ClientLogin } from "./login.ts";

export class SessionCaller implements Caller {
  readonly id: number;
  readonly #login: ClientLogin;
  readonly #connectTimeout: () => number;
  #privileges: Promise<Privileges> | undefined;

  constructor(id: number, login: ClientLogin, connectTimeout: () => number) {
    this.id = id;
    this.#login = login;
    this.#connectTimeout = connectTimeout;
  }

  get user(): string {
    return this.#login.name.user;
  }

  get tenant(): string {
    return this.#login.name.tenant;
  }

  get cluster(): string {
    return this.#login.servers?.cluster.config.name ?? "";
  }

  get identity(): Identity {
    return this.#login.identity;
  }

  /** What could not be asked is asked again by the next statement that needs it. */
  privileges(): Promise<Privileges> {
    return this.#privileges ??= this.#ask().catch((error) => {
      this.#privileges = undefined;
      throw error;
    });
  }

  async #ask(): Promise<Privileges> {
    const { servers } = this.#login;
    if (servers === undefined) return { seesOthers: false, endsOthers: false };
    return await servers.cluster.privileges(servers.request, this.#connectTimeout());
  }
}
