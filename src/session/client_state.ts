/**
 * What the session of a client is like whose server sessions are shared: its state, what pins it to
 * the server session that it has, and what it may ask of its last statement.
 */
import { readLocks, readUnseen, settle, settlePending } from "../backend/read_out.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { Habits } from "../backend/shared_servers.ts";
import { Capability, Command, Status } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import { isReadAsUtf8 } from "../sql/charsets.ts";
import { type Classified, PLAIN } from "../sql/classified.ts";
import { Ask, Effect } from "../sql/effects.ts";
import { applyCommand } from "../state/apply_command.ts";
import { applyStatement, changesReports } from "../state/apply_statement.ts";
import type { SessionStateInfo } from "../session_manager.ts";
import type { Dialect } from "../state/dialect.ts";
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
import { returnResets, Tracked } from "../state/track.ts";
import { mayBeCounted } from "../state/unseen.ts";
import { hasManyLocks } from "../state/user_locks.ts";
import { NOT_SET, shownValue } from "../state/user_variables.ts";
import { INSERT_ID } from "../state/variables.ts";
import { LastStatement } from "./last_statement.ts";
import { causeOf } from "./pin_cause.ts";
import { firstWords, type PlannedCommand, replacedBy, runsStatement } from "./planned_command.ts";

const SYNTAX_ERROR = 1064;

/** Generates ids, and tells none where it fails or, on MariaDB, returns rows. */
const INSERTS = /^\s*(insert|replace)\b/i;

export class ClientState {
  /** What the session must look like; undefined until a server session has shown it. */
  wanted: SessionState | undefined;
  readonly lastStatement: LastStatement;
  readonly #pins = new Pins();
  readonly #habits: Habits;
  /** A text was prepared there under a name that nothing here knows. */
  #hasUnknownName = false;
  /** Of the server session when the command began: perhaps another client's. */
  #insertIdBefore: StateValue = "";
  /** The last insert id that an OK had, for those who ask for the first time. */
  #insertIdTold: number | bigint = 0;

  constructor(habits: Habits) {
    this.#habits = habits;
    this.lastStatement = new LastStatement(habits);
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
      userVariables: textsOf(wanted?.userVariables ?? NO_VALUES, shownValue),
    };
  }

  /** Whether the client must stay on the server session, as far as that is known without asking. */
  get isBound(): boolean {
    return this.isPinned && !areToBeAsked(this.pins);
  }

  /** Whether the names of its locks are too many, some of which it may not have. */
  get hasManyLocks(): boolean {
    return !this.isBound && hasManyLocks(this.#pins);
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
    if (!isAsLeft) this.lastStatement.goElsewhere();
    this.#insertIdBefore = server.state.known!.insertId;
    server.state.reports!.begin(command);
  }

  /** The server session has done it. @param now in milliseconds since the epoch */
  learn(server: ServerSession, command: PlannedCommand, now: number): void {
    const { tracker, state: { known } } = server;
    if (known === undefined || this.wanted === undefined) {
      this.#pins.add("unknown_state", { since: now, cause: causeOf(command) });
      return;
    }
    const { errorCode } = tracker;
    // A text that a server does not understand does nothing.
    const isNothing = errorCode === SYNTAX_ERROR && command.isAlone;
    const classified = isNothing ? PLAIN : seenToDo(server, command);
    const { effects } = command.classified;
    if (effects !== 0 && mayBeCounted(effects, isNothing, () => firstWords(command))) {
      server.state.counted = undefined;
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
    const isBound = this.#hasUnknownName || server.state.prepared?.hasBound === true;
    if (isBound || this.isPinned) {
      this.#pins.set("prepared_statement", isBound, { since: now, cause: causeOf(command) });
    }
    // Whatever it is that nobody can tell: here it is as it should be.
    if (known.isUncertain && !this.isPinned) {
      this.#pins.add("unknown_state", { since: now, cause: causeOf(command) });
    }
    if (hasReply) this.lastStatement.learn(server, command, classified.asks);
    this.#habits.asked |= classified.asks;
    // Who sets it will ask for it, and so will who has `WHERE id IS NULL` mean it.
    if ((classified.effects & Effect.setsLastInsertId) !== 0 || setsAutoIsNull(classified)) {
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

  /** Whether somebody else who gets the server session must read something out of it first. */
  leavesMore(server: ServerSession): boolean {
    const known = server.state.known!;
    if (this.isPinned || known.isPending || this.lastStatement.hasFactsOn(server)) return true;
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
    const { insertId } = server.state.known!;
    await this.lastStatement.readOut(server);
    return (!this.isPinned || await this.#readPins(server)) &&
      await this.#readValues(server, insertId);
  }

  /** @returns whether all of them can be made elsewhere */
  async #readValues(server: ServerSession, insertIdBefore: StateValue): Promise<boolean> {
    const known = server.state.known!;
    await settle(server, { insertId: (this.#habits.asked & Ask.lastInsertId) !== 0 });
    const isAllRead = (known.unread()?.userVariables.length ?? 0) === 0;
    // Of what is there no statement makes the same elsewhere.
    if (!isAllRead) known.setUncertain();
    this.#adoptLate(known, insertIdBefore);
    if (!isAllRead) this.#pins.add("unknown_state", { since: Date.now(), cause: "user variable" });
    return isAllRead;
  }

  /** The server session is the client's: has it report what it has not reported yet. */
  async hearLateReports(server: ServerSession): Promise<void> {
    const known = server.state.known!;
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
    await readLocks(server, this.#pins);
    if (this.#pins.has("routine")) {
      if (await readUnseen(server)) this.#pins.end("routine");
      else this.#pins.add("unknown_state", { since: Date.now(), cause: "routine" });
    }
    return !this.isPinned;
  }

  /** Whether it has the client's schema and roles. */
  isInPlace({ state: { known } }: ServerSession): boolean {
    const { wanted } = this;
    return wanted?.schema === known?.schema && wanted?.role === known?.role;
  }

  /** The server session is the client's: finds out which locks it has. @throws {SluiceError} */
  async readLocks(server: ServerSession): Promise<void> {
    await this.lastStatement.readOut(server);
    await readLocks(server, this.#pins);
  }

  /** Whether LAST_INSERT_ID() gives the client's own there. */
  hasInsertId({ state: { known } }: ServerSession): boolean {
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
    this.#pins.endAll();
    this.#hasUnknownName = false;
    this.lastStatement.forget();
  }

  /** The session is what this one, which it has reset, has reported. */
  beginAs(server: ServerSession): void {
    this.wanted = new SessionState();
    this.wanted.copyFrom(server.state.known!);
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
  lose(): void {
    this.#pins.endAll();
    this.#hasUnknownName = false;
    if (this.wanted === undefined) return;
    this.wanted.isUncertain = false;
    if (this.wanted.role === UNKNOWN_ROLE) this.wanted.setRole("");
  }

  #apply(server: ServerSession, command: PlannedCommand, classified: Classified): void {
    const { tracker, dialect } = server;
    const known = server.state.known!;
    const { effects } = classified;
    const isFailed = tracker.errorCode !== 0;
    const isToldId = tracker.lastInsertId !== 0;
    if (isToldId) this.#insertIdTold = tracker.lastInsertId;
    const hasInsertId = isToldId || this.#hidesInsertId(server, command);
    const hasNoReports = mayHaveNoReports(server, command);
    const isPlain = !isFailed && effects === 0 && !hasInsertId;
    if (isPlain && !(hasNoReports && returnResets(known, dialect))) return;
    applyStatement(known, classified, {
      dialect,
      isFailed,
      hasInsertId,
      hasNoReports,
      isOneOfSeveral: !command.isAlone,
    });
  }

  /** Whether it may have generated an id that the reply does not tell. */
  #hidesInsertId({ tracker, dialect }: ServerSession, command: PlannedCommand): boolean {
    const isSilent = tracker.errorCode !== 0 || (tracker.hasRows && dialect === "mariadb");
    if (!isSilent || !this.asksInsertId) return false;
    return !command.isAlone || INSERTS.test(firstWords(command));
  }

  #applyOption({ state: { known }, capabilities }: ServerSession, several: boolean): void {
    const isAsLogin = several === ((capabilities.base & Capability.MULTI_STATEMENTS) !== 0);
    known!.setSeveral(isAsLogin ? undefined : several);
  }

  #pin(
    server: ServerSession,
    command: PlannedCommand,
    { classified, now }: { readonly classified: Classified; readonly now: number },
  ): void {
    const { tracker, dialect, schema } = server;
    const { seen, characteristics, specialVariables } = server.state.reports!;
    const { effects, names, isRead, asks } = classified;
    const { errorCode, status } = tracker;
    const isAutomatic = (status & Status.AUTOCOMMIT) !== 0;
    const isQuiet = seen === 0 && (isAutomatic || errorCode === 0) &&
      command.command !== Command.STMT_SEND_LONG_DATA;
    if (isQuiet && leavesPins(this.#pins.list(), effects, status)) return;
    const cause = causeOf(command);
    applyCommand(this.#pins, {
      command: command.command,
      cause,
      dialect,
      effects,
      names,
      isRead,
      asksDiagnostics: (asks & Ask.diagnostics) !== 0,
      asksSequences: (this.#habits.asked & Ask.sequence) !== 0,
      isOneOfSeveral: !command.isAlone,
      isUtf8: names.length > 0 && isReadAsUtf8(command.mode.charset) &&
        isInUtf8(server.state.known!),
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
    if (errorCode !== 0 && !isAutomatic) this.#pins.add("transaction", { since: now, cause });
    const isTold = changesReports(names, dialect);
    if (isTold) server.state.reportsLess = true;
    const isUntold = (seen & Tracked.TRACKING) !== 0 && !isTold;
    if (isUntold) this.#pins.add("unknown_state", { since: now, cause });
  }
}

/** Whether the reply to the command, which has succeeded, had no OK. */
function mayHaveNoReports(
  { tracker, capabilities }: ServerSession,
  { command }: PlannedCommand,
): boolean {
  return command === Command.STMT_PREPARE ||
    (tracker.hasRows && (capabilities.base & Capability.DEPRECATE_EOF) === 0);
}

/** Whether the server reads texts as UTF-8, and as far as that is known leaves their strings in it. */
function isInUtf8(known: SessionState): boolean {
  const client = textOf(known.variable("character_set_client"));
  const connection = textOf(known.variable("collation_connection"));
  return client?.startsWith("utf8") === true && connection?.startsWith("utf8") !== false;
}

function setsAutoIsNull({ names }: Classified): boolean {
  return names.some(({ name }) => name?.toLowerCase() === "sql_auto_is_null");
}

const NO_VALUES: ReadonlyMap<string, StateValue> = new Map();

function textsOf(
  values: ReadonlyMap<string, StateValue>,
  shown = (text: string) => text,
): Map<string, string | undefined> {
  return new Map([...values].map(([name, value]) => {
    const text = textOf(value);
    return [name, text === undefined ? undefined : shown(text)];
  }));
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
  { state: { reports }, dialect }: ServerSession,
  command: PlannedCommand,
): Classified {
  const { classified, need } = command;
  const isChanged = (reports!.seen & SHOWS_CODE[dialect]) === SHOWS_CODE[dialect];
  const isTold = classified.effects !== 0 || need?.tellsChanges === true;
  if (!isChanged || isTold || !runsStatement(command)) return classified;
  return { ...classified, effects: Effect.calls };
}
