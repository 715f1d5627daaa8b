/**
 * What the session of a client is like whose server sessions are shared: its state, what pins it to
 * the server session that it has, and what it may ask of its last statement.
 */
import { type Conditions, readConditions } from "../backend/read_conditions.ts";
import {
  clearConditions,
  readFoundRows,
  readLocks,
  readUnseen,
  settle,
  settlePending,
} from "../backend/read_out.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { Habits } from "../backend/shared_servers.ts";
import { Capability, Command, Status } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import { type Classified, PLAIN } from "../sql/classified.ts";
import { Ask, Effect } from "../sql/effects.ts";
import { applyStatement, changesReports } from "../state/apply_statement.ts";
import type { Dialect } from "../state/dialect.ts";
import type { SessionStateInfo } from "../session_manager.ts";
import { areToBeAsked, leavesPins, type Pin, Pins } from "../state/pins.ts";
import {
  adopt,
  SessionState,
  type StateValue,
  textOf,
  UNKNOWN_ROLE,
  Unread,
  type UnreadValues,
} from "../state/session_state.ts";
import { Tracked } from "../state/track.ts";
import { mayBeCounted } from "../state/unseen.ts";
import { NOT_SET } from "../state/user_variables.ts";
import { INSERT_ID } from "../state/variables.ts";
import { causeOf } from "./pin_cause.ts";
import {
  firstWords,
  firstWordsOfEach,
  type PlannedCommand,
  replacedBy,
} from "./planned_command.ts";

const SYNTAX_ERROR = 1064;
/** GET STACKED DIAGNOSTICS outside of a handler: the conditions stay, without this one. */
const NO_HANDLER = 3004;

/** Statements without rows that leave FOUND_ROWS() as it was, unless they select some. */
const LEAVES_FOUND_ROWS =
  /^\s*(insert|replace|delete|set|use|commit|rollback|begin|start|create|alter|drop|truncate)\b(?![^]*\bselect\b)/i;
/** MariaDB has more of them, and OceanBase still more, which may select. */
const MORE_LEAVE_FOUND_ROWS: Readonly<Record<Dialect, RegExp | undefined>> = {
  mysql: undefined,
  mariadb: /^\s*(do|update)\b(?![^]*\bselect\b)/i,
  oceanbase: /^\s*(insert|replace|update|delete|do|prepare|lock|unlock|flush)\b/i,
};
/** Generates ids, and tells none where it fails or, on MariaDB, returns rows. */
const INSERTS = /^\s*(insert|replace)\b/i;

/** Where MariaDB uses no table, warnings stay. */
const LEAVES_CONDITIONS = new RegExp(
  "^\\s*(execute\\s+immediate\\s*[\"'])?(prepare\\s+\\S+\\s+from\\s*[\"'])?" +
    "(do|set|use|begin|start|commit|rollback|savepoint|release|xa|select|values|call|help|explain|" +
    "flush|unlock|kill|deallocate|drop\\s+prepare|show\\s+(processlist|grants|master))\\b" +
    "(?![^]*\\bfrom\\b(?!\\s*@|\\s+dual\\b))",
  "i",
);
const RUNS_STATEMENT: ReadonlySet<number> = new Set([
  ...[Command.QUERY, Command.STMT_EXECUTE, Command.MARIADB_STMT_BULK_EXECUTE],
]);

/** What a server tells of the statement that ran last in a session. */
export interface LastFacts {
  /** ROW_COUNT() */
  rowCount: number | bigint;
  /** FOUND_ROWS() */
  foundRows: number | bigint;
  /** Undefined where there are none, or nobody has read them yet. */
  conditions: Conditions | undefined;
  /**
   * How many warnings it had, as the replies to commands that are no statements repeat it; undefined
   * behind an error, beside which there may have been others: the conditions tell.
   */
  warnings: number | undefined;
}

/** Behind a login. */
const NO_FACTS: Readonly<LastFacts> = {
  rowCount: 0,
  foundRows: 0,
  conditions: undefined,
  warnings: 0,
};

export class ClientState {
  /** What the session must look like; undefined until a server session has shown it. */
  wanted: SessionState | undefined;
  readonly facts: LastFacts = { ...NO_FACTS };
  readonly #pins = new Pins();
  readonly #habits: Habits;
  /** A text was prepared there under a name that nothing here knows. */
  #hasUnknownName = false;
  /** FOUND_ROWS() of the server session that ran the last command is this client's. */
  #hasFoundRows = false;
  /** The same of ROW_COUNT(). */
  #hasRowCount = true;
  /** The server session has run other statements since, so that it would tell of those. */
  #isHidden = false;
  /** Of the server session when the command began: perhaps another client's. */
  #insertIdBefore: StateValue = "";
  /** The last insert id that an OK had, for those who ask for the first time. */
  #insertIdTold: number | bigint = 0;

  constructor(habits: Habits) {
    this.#habits = habits;
  }

  get pins(): readonly Pin[] {
    return this.#pins.list();
  }

  get isPinned(): boolean {
    return this.#pins.isPinned;
  }

  info(): SessionStateInfo {
    const { wanted } = this;
    return {
      version: wanted?.version ?? 0,
      variables: textsOf(wanted?.variables ?? NO_VALUES),
      userVariables: textsOf(wanted?.userVariables ?? NO_VALUES),
    };
  }

  /** Whether the client must stay on the server session, as far as that is known without asking. */
  get isBound(): boolean {
    return this.isPinned && !areToBeAsked(this.pins);
  }

  /** Whether clients of the account ask for LAST_INSERT_ID(), so that it goes where they go. */
  get asksInsertId(): boolean {
    return (this.#habits.asked & Ask.lastInsertId) !== 0;
  }

  /**
   * The server session, which is in the wanted state, runs a command.
   * @param isAsLeft nobody has used it since this client did
   */
  begin(server: ServerSession, command: PlannedCommand | undefined, isAsLeft = true): void {
    if (!isAsLeft) this.#hasFoundRows = false;
    this.#insertIdBefore = server.known!.insertId;
    server.reports!.begin(command);
  }

  /**
   * What the server session that ran the last command would tell, if it can be asked, and what it
   * cannot tell because it never knew.
   * @param canBeAsked it is there as the command left it
   */
  factsFor(asks: number, canBeAsked: boolean): LastFacts | undefined {
    if (!canBeAsked || this.#isHidden) return this.facts;
    const isForeign = (asks === Ask.foundRows && !this.#hasFoundRows) ||
      (asks === Ask.rowCount && !this.#hasRowCount);
    const isOlder = (asks & Ask.diagnostics) !== 0 && this.facts.conditions !== undefined;
    return isForeign || isOlder ? this.facts : undefined;
  }

  /** The server session has done it. @param now in milliseconds since the epoch */
  learn(server: ServerSession, command: PlannedCommand, now: number): void {
    const { known, tracker } = server;
    if (known === undefined || this.wanted === undefined) {
      this.#pins.add("unknown_state", now, causeOf(command));
      return;
    }
    const { errorCode } = tracker;
    // A text that a server does not understand does nothing.
    const isNothing = errorCode === SYNTAX_ERROR && command.isAlone;
    const classified = isNothing ? PLAIN : seenToDo(server, command);
    const { effects } = command.classified;
    if (effects !== 0 && mayBeCounted(effects, isNothing, () => firstWords(command))) {
      server.counted = undefined;
    }
    const hasReply = commandRow(command.command)?.shape !== "none";
    if (!isNothing && hasReply) this.#apply(server, command, classified);
    if (command.several !== undefined && errorCode === 0) {
      this.#applyOption(server, command.several);
    }
    this.#pin(server, command, { classified, now });
    if ((classified.effects & Effect.prepares) !== 0 && command.command === Command.QUERY) {
      this.#hasUnknownName = true;
    }
    const isBound = this.#hasUnknownName || server.prepared?.hasBound === true;
    if (isBound || this.isPinned) {
      this.#pins.set("prepared_statement", isBound, now, causeOf(command));
    }
    // Whatever it is that nobody can tell: here it is as it should be.
    if (known.isUncertain && !this.isPinned) {
      this.#pins.add("unknown_state", now, causeOf(command));
    }
    if (hasReply) this.#noteFacts(server, command, classified.asks);
    this.#habits.asked |= classified.asks;
    // Who sets it will ask for it.
    if ((classified.effects & Effect.setsLastInsertId) !== 0) {
      this.#habits.asked |= Ask.lastInsertId;
    }
    const { schema, role } = this.wanted;
    adopt(this.wanted, known, this.#insertIdBefore);
    if (errorCode !== 0 && replacedBy(command) !== undefined) {
      // What it was to replace may be nowhere: another's was in its place.
      this.wanted.setSchema(schema);
      this.wanted.setRole(role);
    }
    this.begin(server, command);
  }

  /** Whether it has what the client may ask of its last statement, and any other would hide. */
  hasFacts(server: ServerSession): boolean {
    return server.mayHaveConditions || this.#isFoundRowsWanted;
  }

  /** Whether the server session has FOUND_ROWS() that the client may ask for. */
  get #isFoundRowsWanted(): boolean {
    return this.#hasFoundRows && (this.#habits.asked & Ask.foundRows) !== 0;
  }

  /** Whether somebody else who gets the server session must read something out of it first. */
  leavesMore(server: ServerSession): boolean {
    const known = server.known!;
    if (
      this.isPinned || known.isPending || server.mayHaveConditions ||
      (this.#habits.asked & Ask.foundRows) !== 0
    ) {
      return true;
    }
    const unread = known.unread();
    if (unread === undefined) return false;
    if ((this.#habits.asked & Ask.lastInsertId) !== 0) return true;
    return unread.userVariables.length > 0 || unread.variables.length > 1 ||
      unread.variables[0]![1] !== known.insertId;
  }

  /**
   * Reads that out.
   * @returns whether the client can leave it: false where there is what stays
   * @throws {SluiceError}
   */
  async readOut(server: ServerSession): Promise<boolean> {
    const { insertId } = server.known!;
    if (server.mayHaveConditions && this.facts.conditions === undefined) {
      this.facts.conditions = await readConditions(server);
    } else if (server.mayHaveConditions) {
      await clearConditions(server);
    } else if (this.#isFoundRowsWanted) {
      this.facts.foundRows = await readFoundRows(server);
    }
    const isFree = (!this.isPinned || await this.#readPins(server)) &&
      await this.#readValues(server, insertId);
    // What has been asked for is what the server would tell of now.
    if (!isFree) this.#isHidden = true;
    return isFree;
  }

  /** @returns whether all of them can be made elsewhere */
  async #readValues(server: ServerSession, insertIdBefore: StateValue): Promise<boolean> {
    const known = server.known!;
    await settle(server, { insertId: (this.#habits.asked & Ask.lastInsertId) !== 0 });
    const isAllRead = (known.unread()?.userVariables.length ?? 0) === 0;
    // Of what is there no statement makes the same elsewhere.
    if (!isAllRead) known.setUncertain();
    this.#adoptLate(known, insertIdBefore);
    if (!isAllRead) this.#pins.add("unknown_state", Date.now(), "user variable");
    return isAllRead;
  }

  /** The server session is the client's: has it report what it has not reported yet. */
  async hearLateReports(server: ServerSession): Promise<void> {
    const known = server.known!;
    if (!known.isPending) return;
    const { insertId } = known;
    await settlePending(server);
    this.#adoptLate(known, insertId);
  }

  /** What was told late is the client's: the insert id, if the one before was. */
  #adoptLate(known: SessionState, insertIdBefore: StateValue): void {
    const { wanted } = this;
    if (wanted === undefined) return;
    adopt(wanted, known, wanted.insertId === insertIdBefore ? insertIdBefore : known.insertId);
  }

  /** @returns whether none is left */
  async #readPins(server: ServerSession): Promise<boolean> {
    const pins = await readLocks(server, this.pins);
    this.#pins.replace(pins);
    if (pins.some(({ reason }) => reason === "routine")) {
      if (await readUnseen(server)) this.#pins.end("state read");
      else this.#pins.add("unknown_state", Date.now(), "routine");
    }
    return !this.isPinned;
  }

  /** Whether it has the client's schema and roles: where those were gone, USE may have failed there. */
  isInPlace({ known }: ServerSession): boolean {
    const { wanted } = this;
    return wanted?.schema === known?.schema && wanted?.role === known?.role;
  }

  /** Whether LAST_INSERT_ID() gives the client's own there. */
  hasInsertId({ known }: ServerSession): boolean {
    return this.wanted?.insertId === known?.insertId;
  }

  /** LAST_INSERT_ID() is asked for elsewhere and was not read: nearly always, it is the last one told. */
  supposeInsertId(): void {
    const insertId = this.wanted?.insertId;
    if (insertId instanceof Unread) insertId.text ??= String(this.#insertIdTold);
  }

  /** The session was reset: the next server session shows again what it is like. */
  reset(): void {
    this.wanted = undefined;
    this.#pins.replace([]);
    this.#hasUnknownName = false;
    Object.assign(this.facts, NO_FACTS);
  }

  /** The session is what this one, which it has reset, has reported. */
  beginAs(server: ServerSession): void {
    this.wanted = new SessionState();
    this.wanted.copyFrom(server.known!);
  }

  /** Values that nobody can read any more: the variables are as behind a login. */
  forget({ variables, userVariables }: UnreadValues): void {
    for (const [, cell] of userVariables) cell.text = NOT_SET;
    for (const [name] of variables) {
      if (name === INSERT_ID) this.supposeInsertId();
      else this.wanted?.dropVariable(name);
    }
  }

  /** The server session is gone: with it what pinned the client to it. */
  lose(): readonly Pin[] {
    const lost = this.#pins.list();
    this.#pins.end("server session lost");
    this.#hasUnknownName = false;
    if (this.wanted === undefined) return lost;
    this.wanted.isUncertain = false;
    if (this.wanted.role === UNKNOWN_ROLE) this.wanted.setRole("");
    return lost;
  }

  #apply(server: ServerSession, command: PlannedCommand, classified: Classified): void {
    const { tracker, dialect, capabilities } = server;
    const { effects } = classified;
    const isFailed = tracker.errorCode !== 0;
    const isToldId = tracker.lastInsertId !== 0;
    if (isToldId) this.#insertIdTold = tracker.lastInsertId;
    const hasInsertId = isToldId || this.#hidesInsertId(server, command);
    if (!isFailed && effects === 0 && !hasInsertId) return;
    applyStatement(server.known!, classified, {
      dialect,
      isFailed,
      hasInsertId,
      endsInEof: tracker.hasRows && (capabilities.base & Capability.DEPRECATE_EOF) === 0,
      isOneOfSeveral: !command.isAlone,
    });
  }

  /** Whether it may have generated an id that the reply does not tell. */
  #hidesInsertId({ tracker, dialect }: ServerSession, command: PlannedCommand): boolean {
    const isSilent = tracker.errorCode !== 0 || (tracker.hasRows && dialect === "mariadb");
    if (!isSilent || !this.asksInsertId) return false;
    return !command.isAlone || INSERTS.test(firstWords(command));
  }

  #applyOption({ known, capabilities }: ServerSession, several: boolean): void {
    const isAsLogin = several === ((capabilities.base & Capability.MULTI_STATEMENTS) !== 0);
    known!.setSeveral(isAsLogin ? undefined : several);
  }

  #pin(
    server: ServerSession,
    command: PlannedCommand,
    { classified, now }: { readonly classified: Classified; readonly now: number },
  ): void {
    const { tracker, dialect, schema } = server;
    const { seen, characteristics, specialVariables } = server.reports!;
    const { effects, names, isRead, asks } = classified;
    const { errorCode, status } = tracker;
    const isAutomatic = (status & Status.AUTOCOMMIT) !== 0;
    const isQuiet = seen === 0 && (isAutomatic || errorCode === 0) &&
      command.command !== Command.STMT_SEND_LONG_DATA;
    if (isQuiet && leavesPins(this.#pins.list(), effects, status)) return;
    const cause = causeOf(command);
    this.#pins.apply({
      command: command.command,
      cause,
      dialect,
      effects,
      names,
      isRead,
      asksDiagnostics: (asks & Ask.diagnostics) !== 0,
      schema,
      status: errorCode === 0 ? status : undefined,
      error: errorCode === 0 ? undefined : errorCode,
      statementId: command.statementId,
      characteristics,
      specialVariables,
      hasInsertId: errorCode === 0 && tracker.lastInsertId !== 0,
      changes: tracker.rowCount,
    }, now);
    // It may have begun one, and an ERR has no flags to tell.
    if (errorCode !== 0 && !isAutomatic) this.#pins.add("transaction", now, cause);
    const isTold = changesReports(names, dialect);
    if (isTold) server.reportsLess = true;
    const isUntold = (seen & Tracked.TRACKING) !== 0 && !isTold;
    if (isUntold) this.#pins.add("unknown_state", now, cause);
  }

  #noteFacts(server: ServerSession, command: PlannedCommand, asks: number): void {
    const { facts } = this;
    const { tracker, dialect } = server;
    const isAboutThem = (asks & Ask.diagnosticsArea) !== 0 && command.isAlone;
    if (isAboutThem && tracker.errorCode === 0) return this.#noteAnswer(server, command);
    this.#isHidden = false;
    facts.warnings = tracker.errorCode === 0 ? tracker.warnings : undefined;
    // MySQL forgets them with every statement that is not about them.
    const isForgetful = dialect === "mysql";
    const keeps = !isForgetful || (asks & Ask.diagnostics) !== 0;
    const isSilent = tracker.errorCode === 0 &&
      (isForgetful ? tracker.warnings === 0 : !tracker.hasWarned);
    server.mayHaveConditions = !isSilent || (keeps && server.mayHaveConditions);
    const isKept = facts.conditions !== undefined && isSilent && dialect === "mariadb" &&
      leavesConditions(command);
    const isRefused = isAboutThem && tracker.errorCode === NO_HANDLER;
    if (!isKept && !isRefused) facts.conditions = undefined;
    // To OceanBase a statement that fails is none, and the one before may not be the client's.
    this.#hasRowCount = tracker.errorCode === 0 || dialect !== "oceanbase";
    if (!this.#hasRowCount) facts.rowCount = command.isAlone ? facts.rowCount : tracker.rowCount;
    else facts.rowCount = tracker.errorCode === 0 ? tracker.rowCount : -1;
    if (tracker.errorCode !== 0) return;
    if (tracker.hasRows) facts.foundRows = tracker.rows;
    else if (this.#hasFoundRows || (this.#habits.asked & Ask.foundRows) === 0) return;
    this.#hasFoundRows = tracker.hasRows || !leavesFoundRows(firstWords(command), dialect);
  }

  /** GET DIAGNOSTICS leaves everything as it was. What it cannot find is one condition more. */
  #noteAnswer(server: ServerSession, { need }: PlannedCommand): void {
    const { facts } = this;
    const { warnings } = server.tracker;
    facts.warnings = warnings;
    if (warnings > 0) {
      facts.rowCount = -1;
      server.mayHaveConditions = true;
    }
    if (need?.hidesFacts !== true) return;
    this.#isHidden = true;
    this.#hasFoundRows = false;
  }
}

const NO_VALUES: ReadonlyMap<string, StateValue> = new Map();

function textsOf(values: ReadonlyMap<string, StateValue>): Map<string, string | undefined> {
  return new Map([...values].map(([name, value]) => [name, textOf(value)]));
}

/**
 * What servers report where code has changed something. OceanBase's code runs in a schema of its own,
 * and coming back from it is a report too; insert ids alone are another change of state to it.
 */
const SHOWS_CODE: Readonly<Record<Dialect, number>> = {
  mysql: Tracked.STATE,
  mariadb: Tracked.STATE,
  oceanbase: Tracked.STATE | Tracked.SCHEMA,
};

/** What a command has done: where its text does not tell of the change of state, a trigger's code. */
function seenToDo(
  { reports, dialect }: ServerSession,
  { command, classified, need }: PlannedCommand,
): Classified {
  const isChanged = (reports!.seen & SHOWS_CODE[dialect]) === SHOWS_CODE[dialect];
  const isTold = classified.effects !== 0 || need?.tellsChanges === true;
  if (!isChanged || isTold || !RUNS_STATEMENT.has(command)) return classified;
  return { ...classified, effects: Effect.calls };
}

/** On MariaDB. */
function leavesConditions(command: PlannedCommand): boolean {
  if (!RUNS_STATEMENT.has(command.command)) return true;
  const statements = firstWordsOfEach(command);
  return statements.length > 0 &&
    statements.every((text) => text === "" || LEAVES_CONDITIONS.test(text));
}

function leavesFoundRows(text: string, dialect: Dialect): boolean {
  return LEAVES_FOUND_ROWS.test(text) || MORE_LEAVE_FOUND_ROWS[dialect]?.test(text) === true;
}
