/** Who a logged-in client is: to the proxy's own statements, and to the plans of its commands. */
import type { AdminScope, Caller, Identity, Privileges } from "../admin/scope.ts";
import { attributeOf } from "../protocol/attributes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { Status } from "../protocol/constants.ts";
import { charsetId } from "../sql/charsets.ts";
import type { SqlMode } from "../sql/tokens.ts";
import { areSensitive } from "../state/pins.ts";
import type { PreparedBook } from "../state/prepared_registry.ts";
import type { LastFacts } from "./last_statement.ts";
import type { PlannerOptions } from "./command_planner.ts";
import type { SessionContext } from "./context.ts";
import type { ClientLogin } from "./login.ts";
import type { PlannedCommand } from "./planned_command.ts";
import type { ServerHold } from "./server_hold.ts";

/** The client's session, as far as it changes what is planned. */
export interface CallingSession {
  readonly id: number;
  /** Status flags, as the last reply left them. */
  readonly status: number;
  /** Undefined for accounts that use no server. */
  readonly hold: ServerHold | undefined;
}

export class SessionCaller implements Caller, PlannerOptions {
  readonly isLibMariaDb: boolean;
  readonly #session: CallingSession;
  readonly #login: ClientLogin;
  readonly #context: SessionContext;
  #privileges: Promise<Privileges> | undefined;

  constructor(session: CallingSession, login: ClientLogin, context: SessionContext) {
    this.#session = session;
    this.#login = login;
    this.#context = context;
    this.isLibMariaDb = attributeOf(login.asked.attributes, "_client_name") === "libmariadb";
  }

  get id(): number {
    return this.#session.id;
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
    const { connectTimeout } = this.#context.config;
    return await servers.cluster.privileges(servers.request, connectTimeout);
  }

  get scope(): AdminScope {
    return { caller: this, proxy: this.#context.proxyView };
  }

  get capabilities(): Capabilities {
    return this.#login.asked.capabilities;
  }

  get isShared(): boolean {
    return this.#login.servers?.sharing === "transaction";
  }

  get preparedBook(): PreparedBook {
    return this.#context.preparedBook;
  }

  /** Not behind an ERR, which has no flags, where it may have begun or ended a transaction. */
  isStatusKnown(): boolean {
    const { hold, status } = this.#session;
    const hasFailed = (hold?.current?.tracker.errorCode ?? 0) !== 0;
    return !hasFailed || (status & (Status.AUTOCOMMIT | Status.IN_TRANS)) === Status.AUTOCOMMIT;
  }

  preparedLimit(): number {
    return this.#context.config.poolPreparedStatements;
  }

  warnings(): number | undefined {
    return this.#session.hold?.warnings;
  }

  countNoWarnings(): void {
    this.#session.hold?.countNoWarnings();
  }

  facts(asks: number, command: PlannedCommand): LastFacts | undefined {
    return this.#session.hold?.facts(asks, command);
  }

  isSensitive(): boolean {
    const { hold } = this.#session;
    return hold !== undefined && areSensitive(hold.pins);
  }

  mode(): SqlMode {
    const { asked, servers } = this.#login;
    const { hold, status } = this.#session;
    const version = servers?.cluster.version;
    const charset = hold?.variable("character_set_client");
    return {
      ansiQuotes: hold?.variable("sql_mode")?.includes("ANSI_QUOTES") ?? false,
      noBackslashEscapes: (status & Status.NO_BACKSLASH_ESCAPES) !== 0,
      charset: charset === undefined ? asked.charset : charsetId(charset),
      ...(version === undefined ? {} : { serverVersion: version }),
    };
  }
}
