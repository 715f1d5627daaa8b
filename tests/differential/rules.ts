/**
 * The rules by which a server session is made like the client's own, each with a way to do without
 * it: what it stands in is replaced for the whole process until that is undone.
 */
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { Reports } from "../../src/backend/reports.ts";
import { ServerSession } from "../../src/backend/server_session.ts";
import { SharedServers } from "../../src/backend/shared_servers.ts";
import { ClientState } from "../../src/session/client_state.ts";
import { KeptWarnings, LAST_FACTS } from "../../src/session/fact_answers.ts";
import { LastServer } from "../../src/session/last_server.ts";
import { LastStatement } from "../../src/session/last_statement.ts";
import { SharedNames } from "../../src/session/shared_names.ts";
import { SharedStatements } from "../../src/session/shared_statements.ts";
import { Ask } from "../../src/sql/effects.ts";
import { type PinReason, Pins } from "../../src/state/pins.ts";
import { ServerStatements } from "../../src/state/server_statements.ts";
import { SessionState, type StateValue, Unread } from "../../src/state/session_state.ts";
import { Tracked } from "../../src/state/track.ts";
import { assignmentOf } from "../../src/state/user_variables.ts";
import { isHiddenCollation } from "../../src/state/variables.ts";

/** Puts the rule in force again. */
export type Undo = () => void;

export interface Rule {
  readonly name: string;
  /** Those whose sessions need it; all of them where there is nothing. */
  readonly engines?: readonly EngineName[];
  /** What the generator may use, so that the loss is noticed soon. */
  readonly features: readonly string[];
  switchOff(): Undo;
}

function together(...parts: readonly Undo[]): Undo {
  return () => {
    for (const undo of parts.toReversed()) undo();
  };
}

function replaceMethod<Owner extends object, Name extends keyof Owner & string>(
  prototype: Owner,
  name: Name,
  make: (own: Owner[Name]) => Owner[Name],
): Undo {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  if (typeof own?.value !== "function") throw new TypeError(`Expected a method ${name}, got none`);
  Object.defineProperty(prototype, name, { ...own, value: make(own.value) });
  return () => void Object.defineProperty(prototype, name, own);
}

function replaceGetter<Owner extends object, Name extends keyof Owner & string>(
  prototype: Owner,
  name: Name,
  get: (this: Owner, own: () => Owner[Name]) => Owner[Name],
): Undo {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  const getOwn = own?.get;
  if (getOwn === undefined) throw new TypeError(`Expected a getter ${name}, got none`);
  Object.defineProperty(prototype, name, {
    ...own,
    get(this: Owner) {
      return get.call(this, () => getOwn.call(this));
    },
  });
  return () => void Object.defineProperty(prototype, name, own!);
}

// ---- state ----

function withoutVariables(isMeant: (name: string, value: StateValue) => boolean): Undo {
  return replaceMethod(
    SessionState.prototype,
    "setVariable",
    (own) =>
      function (this: SessionState, name, value) {
        if (!isMeant(name, value)) own.call(this, name, value);
      },
  );
}

/** As if whatever the proxy cannot see left everything as it was. */
function withoutUncertainty(): Undo {
  return replaceMethod(SessionState.prototype, "setUncertain", () => () => {});
}

function withoutUserVariables(isMeant: (value: StateValue) => boolean): Undo {
  return replaceMethod(
    SessionState.prototype,
    "setUserVariable",
    (own) =>
      function (this: SessionState, name, value) {
        if (!isMeant(value)) own.call(this, name, value);
      },
  );
}

const ISOLATION = /^(tx_isolation|tx_read_only|transaction_isolation|transaction_read_only)$/;
const CHARSETS = /^(character_set_|collation_)/;
const OF_OTHER_RULES = /^(sql_mode|time_zone|autocommit)$/;

function isCharset(name: string): boolean {
  return CHARSETS.test(name) || isHiddenCollation(name);
}

function isOrdinary(name: string): boolean {
  return !isCharset(name) && !ISOLATION.test(name) && !OF_OTHER_RULES.test(name);
}

/** Says of every variable that it has one, so that none is there that another session lacks. */
class Claiming extends Map<string, StateValue> {
  override get(name: string): StateValue {
    return super.get(name) ?? new Unread();
  }
}

const STATE_RULES: readonly Rule[] = [
  {
    name: "schema",
    features: ["schemas"],
    switchOff: () => replaceMethod(SessionState.prototype, "setSchema", () => () => {}),
  },
  {
    name: "character sets and collations",
    features: ["charsets"],
    switchOff: () => withoutVariables(isCharset),
  },
  {
    name: "sql_mode",
    features: ["variables"],
    switchOff: () => withoutVariables((name) => name === "sql_mode"),
  },
  {
    name: "time zone",
    features: ["variables"],
    switchOff: () => withoutVariables((name) => name === "time_zone"),
  },
  {
    name: "other session variables",
    features: ["variables"],
    switchOff: () => withoutVariables(isOrdinary),
  },
  {
    name: "autocommit",
    features: ["autocommit", "plain"],
    switchOff: () => withoutVariables((name) => name === "autocommit"),
  },
  {
    name: "isolation level",
    features: ["isolation"],
    switchOff: () => withoutVariables((name) => ISOLATION.test(name)),
  },
  {
    name: "variables that are not reported",
    engines: ["mariadb"],
    features: ["variables"],
    switchOff: () => withoutVariables((_, value) => value instanceof Unread),
  },
  {
    name: "roles",
    engines: ["mysql"],
    features: ["roles"],
    switchOff: () => replaceMethod(SessionState.prototype, "setRole", () => () => {}),
  },
  {
    name: "user variables by literal",
    features: ["userLiterals"],
    switchOff: () => withoutUserVariables((value) => typeof value === "string"),
  },
  {
    name: "the collation that a number was assigned under",
    engines: ["mysql"],
    features: ["userLiterals", "charsets"],
    switchOff: () =>
      replaceMethod(
        SessionState.prototype,
        "setUserVariable",
        (own) =>
          function (this: SessionState, name, value) {
            own.call(this, name, typeof value === "string" ? assignmentOf(value).text : value);
          },
      ),
  },
  {
    name: "user variables that were computed",
    features: ["userComputed"],
    switchOff: () => withoutUserVariables((value) => value instanceof Unread),
  },
  {
    name: "user variables read back",
    features: ["userComputed"],
    switchOff: () =>
      replaceMethod(
        ClientState.prototype,
        "leavesMore",
        (own) =>
          function (this: ClientState, server) {
            const isAll = server.state.known!.unread()?.userVariables.length === 0;
            return isAll && own.call(this, server);
          },
      ),
  },
  {
    name: "login where a schema must go",
    features: ["schemas"],
    switchOff: () => replaceMethod(ServerSession.prototype, "onLoggedInAgain", () => () => {}),
  },
  {
    name: "reset where a user variable must go",
    features: ["userLiterals", "userComputed"],
    switchOff: () =>
      replaceGetter(SessionState.prototype, "userVariables", (own) => new Claiming(own())),
  },
  {
    name: "reports that a client has switched off",
    features: ["fewerReports"],
    switchOff: () =>
      replaceMethod(
        ClientState.prototype,
        "learn",
        (own) =>
          function (this: ClientState, server, command, now) {
            own.call(this, server, command, now);
            server.state.reportsLess = false;
          },
      ),
  },
  {
    name: "whether texts may have several statements",
    features: ["several"],
    switchOff: () => replaceMethod(SessionState.prototype, "setSeveral", () => () => {}),
  },
  {
    name: "reset sessions asked for their state",
    features: ["variables", "userLiterals", "sessions"],
    switchOff: () => replaceMethod(LastServer.prototype, "reset", () => () => {}),
  },
];

// ---- what the last statement has left ----

/** Whatever server session comes next is asked. */
function withoutFacts(asked: number): Undo {
  return replaceMethod(
    LastStatement.prototype,
    "factsFor",
    (own) =>
      function (this: LastStatement, asks, canBeAsked) {
        return (asks & asked) === 0 ? own.call(this, asks, canBeAsked) : undefined;
      },
  );
}

const FACT_RULES: readonly Rule[] = [
  {
    name: "last insert id",
    features: ["insertIds"],
    switchOff: () =>
      together(
        replaceGetter(ClientState.prototype, "asksInsertId", () => false),
        replaceMethod(ClientState.prototype, "hasInsertId", () => () => true),
      ),
  },
  {
    name: "ROW_COUNT",
    features: ["rowCount"],
    switchOff: () => withoutFacts(Ask.rowCount & LAST_FACTS),
  },
  {
    name: "FOUND_ROWS",
    features: ["foundRows"],
    switchOff: () => withoutFacts(Ask.foundRows & LAST_FACTS),
  },
  {
    name: "warnings and errors",
    features: ["warnings"],
    switchOff: () => withoutFacts(Ask.diagnostics & LAST_FACTS),
  },
  {
    name: "count of warnings in other replies",
    engines: ["mysql"],
    features: ["plain", "warnings"],
    switchOff: () => replaceMethod(KeptWarnings.prototype, "onSent", () => () => {}),
  },
  {
    name: "conditions cleared for the next client",
    features: ["mistakes", "sessions"],
    switchOff: () =>
      together(
        replaceMethod(
          SharedServers.prototype,
          "acquire",
          (own) =>
            async function (this: SharedServers, request, options) {
              return withoutConditions(await own.call(this, request, options), request.holder);
            },
        ),
        replaceMethod(
          SharedServers.prototype,
          "tryTake",
          (own) =>
            function (this: SharedServers, request, backend) {
              const session = own.call(this, request, backend);
              return session && withoutConditions(session, request.holder);
            },
        ),
      ),
  },
];

function withoutConditions(session: ServerSession, holder: object): ServerSession {
  if (session.seat?.lastHolder !== holder) session.state.mayHaveConditions = false;
  return session;
}

// ---- prepared statements ----

const PREPARED_RULES: readonly Rule[] = [
  {
    name: "prepared again",
    features: ["binaryPrepared"],
    switchOff: () =>
      replaceMethod(SharedStatements.prototype, "meet", () => () => Promise.resolve()),
  },
  {
    name: "bound types put in",
    features: ["binaryPrepared"],
    switchOff: () => together(bindingAll("peek"), bindingAll("use")),
  },
  {
    name: "PREPARE by name",
    features: ["textPrepared"],
    switchOff: () => replaceMethod(SharedNames.prototype, "meet", () => () => Promise.resolve()),
  },
];

/** As if every server session had the types that the client has bound. */
function bindingAll(name: "peek" | "use"): Undo {
  return replaceMethod(
    ServerStatements.prototype,
    name,
    (own) =>
      function (this: ServerStatements, statement) {
        const held = own.call(this, statement);
        if (held !== undefined) {
          held.types = statement.types;
          held.hasFailed = false;
        }
        return held;
      },
  );
}

// ---- pins ----

function withoutPins(...reasons: readonly PinReason[]): Undo {
  const isMeant = (reason: PinReason) => reasons.includes(reason);
  return replaceMethod(
    Pins.prototype,
    "add",
    (own) =>
      function (this: Pins, reason, begin, thing) {
        if (!isMeant(reason)) own.call(this, reason, begin, thing);
      },
  );
}

/** A session in a transaction is kept without a pin as well. */
function withoutTransactions(...reasons: readonly PinReason[]): Undo {
  return together(
    withoutPins("transaction", ...reasons),
    replaceGetter(ServerSession.prototype, "isInTransaction", () => false),
  );
}

/** A session on which a statement has something open is kept without a pin as well. */
function withoutReserved(reason: PinReason): Undo {
  return together(
    withoutPins(reason),
    replaceGetter(ServerStatements.prototype, "hasReserved", () => false),
  );
}

function pinRule(reason: PinReason, features: readonly string[]): Rule {
  return { name: `pin: ${reason}`, features, switchOff: () => withoutPins(reason) };
}

const PIN_RULES: readonly Rule[] = [
  {
    name: "pin: transaction",
    features: ["transactions", "plain"],
    switchOff: () => withoutTransactions(),
  },
  pinRule("next_transaction", ["nextTransaction", "plain"]),
  {
    // Its server session is in a transaction, which keeps it as well.
    name: "pin: xa",
    features: ["xa", "plain"],
    switchOff: () => withoutTransactions("xa"),
  },
  pinRule("temporary_table", ["temporaryTables", "plain"]),
  pinRule("lock_tables", ["lockTables", "plain"]),
  pinRule("user_lock", ["userLocks", "plain"]),
  {
    name: "pin: cursor",
    features: ["cursors", "plain"],
    switchOff: () => withoutReserved("cursor"),
  },
  pinRule("handler", ["handlers", "plain"]),
  {
    name: "pin: long_data",
    features: ["longData", "plain"],
    switchOff: () => withoutReserved("long_data"),
  },
  pinRule("found_rows", ["calcFoundRows", "plain"]),
  {
    // What nobody can tell the outcome of is pinned without a reason of its own, too.
    name: "pin: routine",
    features: ["routines"],
    switchOff: () =>
      together(
        withoutPins("routine"),
        withoutUncertainty(),
      ),
  },
];

const CODE_RULES: readonly Rule[] = [
  {
    name: "what triggers set",
    features: ["triggers"],
    switchOff: () =>
      replaceMethod(
        Reports.prototype,
        "take",
        (own) =>
          function (this: Reports, known, ok, dialect) {
            own.call(this, known, ok, dialect);
            this.seen &= ~Tracked.STATE;
          },
      ),
  },
  {
    name: "what code makes and no server lists",
    features: ["hiddenTables", "plain"],
    switchOff: () =>
      together(
        withoutUncertainty(),
        replaceMethod(
          Pins.prototype,
          "add",
          (own) =>
            function (this: Pins, reason, begin, thing) {
              if (reason === "unknown_state") this.end("routine");
              else own.call(this, reason, begin, thing);
            },
        ),
      ),
  },
];

const UNKNOWN_RULE: Rule = {
  name: "pin: unknown_state",
  features: ["unknownRoles", "roles", "plain"],
  switchOff: () =>
    together(
      withoutPins("unknown_state"),
      withoutUncertainty(),
    ),
};

export const RULES: readonly Rule[] = [
  ...[...STATE_RULES, ...FACT_RULES, ...PREPARED_RULES, ...PIN_RULES, ...CODE_RULES, UNKNOWN_RULE],
];
