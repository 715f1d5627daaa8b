/** Who may see which sessions, and who may end them. */
import { SluiceError } from "../errors.ts";
import { logWarning } from "../log.ts";
import {
  type ClientEntry,
  type ClientSessionInfo,
  type SessionOwner,
  visitInSlices,
} from "../session_manager.ts";
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
   * @param session is asked again behind a wait for a server, since it may change meanwhile
   * @throws {SluiceError} where it depends on privileges and no server tells them
   */
  async access(session: ClientEntry, purpose: Purpose): Promise<Access> {
    const access = this.#judge(session.owner(), purpose);
    if (access !== undefined) return access;
    this.#privileges = await this.#scope.caller.privileges();
    return this.#judge(session.owner(), purpose)!;
  }

  /**
   * The sessions that the caller sees, by id; where no server tells more, its own user's. Each is
   * looked at as it is when it is read.
   */
  async visible(): Promise<IteratorObject<ClientSessionInfo, void>> {
    const { clients } = this.#scope.proxy.manager;
    let hasDoubt = false;
    await visitInSlices(clients.values(), (entry) => {
      hasDoubt ||= this.#judge(entry.owner(), "see") === undefined;
    });
    if (hasDoubt) this.#privileges = await this.#askForList();
    return clients.inTurn()
      .filter((entry) => this.#judge(entry.owner(), "see") === "granted")
      .map((entry) => entry.info());
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
  #judge(owner: SessionOwner, purpose: Purpose): Access | undefined {
    const { caller } = this.#scope;
    if (owner.id === caller.id || caller.identity === "proxysys") return "granted";
    if (caller.identity === "root_sys" || caller.tenant.toLowerCase() === "sys") {
      if (purpose === "see" || !owner.isLoggedIn) return "granted";
      return owner.cluster === caller.cluster ? "granted" : "denied";
    }
    if (!this.#isNeighbour(owner)) return "hidden";
    if (owner.isLoggedIn && owner.user === caller.user) return "granted";
    if (this.#privileges === undefined) return undefined;
    return this.#privileges[RIGHTS[purpose]] ? "granted" : "denied";
  }

  /** Of the caller's own cluster and tenant. */
  #isNeighbour(owner: SessionOwner): boolean {
    const { caller } = this.#scope;
    if (!owner.isLoggedIn) return this.#hasOnePlace;
    return owner.cluster === caller.cluster && owner.tenant === caller.tenant;
  }

  /** Who is about to log in belongs nowhere yet, unless there is but one place to belong to. */
  get #hasOnePlace(): boolean {
    const [only, another] = this.#scope.proxy.clusters;
    return only !== undefined && another === undefined && only.config.kind === "mysql" &&
      only.config.tenants.length === 0;
  }
}
