/** Who may see which sessions, and who may end them. */
import { SluiceError } from "../errors.ts";
import { logWarning } from "../log.ts";
import { type ClientSessionInfo, visitInSlices } from "../session_manager.ts";
import type { AdminScope, Privileges } from "./scope.ts";

/**
 * - `granted`: the caller may
 * - `denied`: it may not, but may know that there is such a session
 * - `hidden`: for the caller there is no such session
 */
export type Access = "granted" | "denied" | "hidden";

/** What the caller wants to do with a session. */
export type Purpose = "see" | "end";

const RIGHTS: Readonly<Record<Purpose, keyof Privileges>> = {
  see: "seesOthers",
  end: "endsOthers",
};

/**
 * Decides for one statement of one caller. Privileges are asked for only when they matter: when
 * there is a session of somebody else in the caller's own tenant.
 */
export class Visibility {
  readonly #scope: AdminScope;
  #privileges: Privileges | undefined;

  constructor(scope: AdminScope) {
    this.#scope = scope;
  }

  /**
   * @param read gives the session as it is now: it may change while a server is asked
   * @throws {SluiceError} where it depends on privileges and no server tells them
   */
  async access(read: () => ClientSessionInfo, purpose: Purpose): Promise<Access> {
    const access = this.#judge(read(), purpose);
    if (access !== undefined) return access;
    this.#privileges = await this.#scope.caller.privileges();
    return this.#judge(read(), purpose)!;
  }

  /**
   * The sessions that the caller sees, by id; where no server tells more, its own user's. Each is
   * looked at as it is when it is read.
   */
  async visible(): Promise<IteratorObject<ClientSessionInfo, void>> {
    const { clients } = this.#scope.proxy.manager;
    let hasDoubt = false;
    await visitInSlices(clients.inTurn(), (entry) => {
      hasDoubt ||= this.#judge(entry.info(), "see") === undefined;
    });
    if (hasDoubt) this.#privileges = await this.#askForList();
    return clients.inTurn()
      .map((entry) => entry.info())
      .filter((info) => this.#judge(info, "see") === "granted");
  }

  async #askForList(): Promise<Privileges> {
    try {
      return await this.#scope.caller.privileges();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      logWarning("privileges unknown", { "cs_id": this.#scope.caller.id, cause: error.message });
      return { seesOthers: false, endsOthers: false };
    }
  }

  /** In the order of OceanBase's proxy. @returns undefined where it depends on privileges */
  #judge(info: ClientSessionInfo, purpose: Purpose): Access | undefined {
    const { caller } = this.#scope;
    if (info.id === caller.id || caller.identity === "proxysys") return "granted";
    if (caller.identity === "root_sys" || caller.tenant.toLowerCase() === "sys") {
      if (purpose === "see" || !info.isLoggedIn) return "granted";
      return info.cluster === caller.cluster ? "granted" : "denied";
    }
    if (!this.#isNeighbour(info)) return "hidden";
    if (info.isLoggedIn && info.user === caller.user) return "granted";
    if (this.#privileges === undefined) return undefined;
    return this.#privileges[RIGHTS[purpose]] ? "granted" : "denied";
  }

  /** Of the caller's own cluster and tenant. */
  #isNeighbour(info: ClientSessionInfo): boolean {
    const { caller } = this.#scope;
    if (!info.isLoggedIn) return this.#hasOnePlace;
    return info.cluster === caller.cluster && info.tenant === caller.tenant;
  }

  /** Who is about to log in belongs nowhere yet, unless there is but one place to belong to. */
  get #hasOnePlace(): boolean {
    const [only, another] = this.#scope.proxy.clusters;
    return only !== undefined && another === undefined && only.config.kind === "mysql" &&
      only.config.tenants.length === 0;
  }
}
