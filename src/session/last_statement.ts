/**
 * What a client may ask of its last statement: ROW_COUNT(), FOUND_ROWS(), warnings and errors. The
 * server session that ran it tells, as long as that has run nothing else; what is known here stands
 * in where it cannot.
 */
import { type Conditions, readConditions } from "../backend/read_conditions.ts";
import { clearConditions, readFoundRows } from "../backend/read_out.ts";
import type { ServerSession } from "../backend/server_session.ts";
import type { Habits } from "../backend/shared_servers.ts";
import { Command } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import { Ask, Effect } from "../sql/effects.ts";
import type { Dialect } from "../state/dialect.ts";
import {
  commandLeavesConditions,
  countsWarnings,
  leavesConditions,
  leavesFoundRows,
} from "../state/kept_facts.ts";
import {
  firstWords,
  firstWordsOfEach,
  type PlannedCommand,
  runsStatement,
} from "./planned_command.ts";

/** GET STACKED DIAGNOSTICS outside of a handler: the conditions stay, without this one. */
const NO_HANDLER = 3004;

/** Commands whose reply is the end of no rows, and counts none. */
const ENDS_IN_EOF: ReadonlySet<number> = new Set([Command.SET_OPTION, Command.DEBUG]);

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

export class LastStatement {
  readonly #facts: LastFacts = { ...NO_FACTS };
  readonly #habits: Habits;
  /** FOUND_ROWS() of the server session that ran the last command is this client's. */
  #hasFoundRows = false;
  /** The same of ROW_COUNT(). */
  #hasRowCount = true;
  /** The server session has run other statements since, so that it would tell of those. */
  #isHidden = false;

  constructor(habits: Habits) {
    this.#habits = habits;
  }

  /** How many it had; undefined where only the server can tell. */
  get warnings(): number | undefined {
    const { warnings, conditions } = this.#facts;
    return warnings ?? conditions?.warnings;
  }

  /**
   * What the server session that ran the last command would tell, if it can be asked, and what it
   * cannot tell because it never knew.
   * @param canBeAsked it is there as the command left it
   * @returns undefined where it tells itself
   */
  factsFor(asks: number, canBeAsked: boolean): LastFacts | undefined {
    if (!canBeAsked || this.#isHidden) return this.#facts;
    const isForeign = (asks === Ask.foundRows && !this.#hasFoundRows) ||
      (asks === Ask.rowCount && !this.#hasRowCount);
    const isOlder = (asks & Ask.diagnostics) !== 0 && this.#facts.conditions !== undefined;
    return isForeign || isOlder ? this.#facts : undefined;
  }

  /** Whether a server session has what the client may ask for, and any other statement would hide. */
  hasFactsOn(server: ServerSession): boolean {
    return server.state.mayHaveConditions || this.#isFoundRowsWanted;
  }

  /** Whether the server session has FOUND_ROWS() that the client may ask for. */
  get #isFoundRowsWanted(): boolean {
    return this.#hasFoundRows && (this.#habits.asked & Ask.foundRows) !== 0;
  }

  /** The next statement runs on a server session that somebody else has used. */
  goElsewhere(): void {
    this.#hasFoundRows = false;
    this.#hasRowCount = false;
  }

  /** Reads that out of the server session, which would tell of that alone then. @throws {SluiceError} */
  async readOut(server: ServerSession): Promise<void> {
    const facts = this.#facts;
    this.#isHidden = true;
    if (server.state.mayHaveConditions && facts.conditions === undefined) {
      facts.conditions = await readConditions(server);
    } else if (server.state.mayHaveConditions) {
      await clearConditions(server);
    } else if (this.#isFoundRowsWanted) {
      facts.foundRows = await readFoundRows(server);
    }
  }

  /** A statement was refused before it could run; undefined where nothing was read of why. */
  learnRefusal(conditions: Conditions | undefined): void {
    if (conditions === undefined) return;
    Object.assign(this.#facts, { conditions, warnings: undefined, rowCount: -1 });
    this.#isHidden = true;
  }

  /** A command was answered that has had no warnings, and leaves those that are there. */
  countNoWarnings(): void {
    this.#facts.warnings = 0;
  }

  /** The session was reset. */
  forget(): void {
    Object.assign(this.#facts, NO_FACTS);
  }

  /** A command has run. @param asks what it asks for of the one before */
  learn(server: ServerSession, command: PlannedCommand, asks: number): void {
    const { errorCode } = server.tracker;
    const isAboutLast = (asks & Ask.diagnosticsArea) !== 0 && command.isAlone;
    if (isAboutLast && errorCode === 0) return this.#learnAnswer(server, command);
    this.#isHidden = false;
    this.#learnConditions(server, command, asks);
    this.#learnRowCount(server, command);
    if (errorCode === 0) this.#learnFoundRows(server, command);
    else if (calculates(command)) this.#hasFoundRows = true;
  }

  #learnConditions(server: ServerSession, command: PlannedCommand, asks: number): void {
    const facts = this.#facts;
    const { tracker, dialect } = server;
    const isDone = tracker.errorCode === 0;
    const leaves = isDone && commandLeavesConditions(command.command, dialect);
    if (leaves && !countsWarnings(command.command)) return;
    facts.warnings = tracker.errorCode === 0 ? tracker.warnings : undefined;
    if (leaves && tracker.warnings === 0) return;
    // MySQL forgets them with every statement that is not about them.
    const isForgetful = dialect === "mysql";
    const keeps = !isForgetful || (asks & Ask.diagnostics) !== 0;
    const isSilent = tracker.errorCode === 0 &&
      (isForgetful ? tracker.warnings === 0 : !tracker.hasWarned);
    server.state.mayHaveConditions = !isSilent || (keeps && server.state.mayHaveConditions);
    if (facts.conditions === undefined) return;
    const isRefused = tracker.errorCode === NO_HANDLER && command.isAlone &&
      (asks & Ask.diagnosticsArea) !== 0;
    const isKept = isRefused || (isSilent && allLeaveConditions(command, dialect));
    if (!isKept) facts.conditions = undefined;
  }

  #learnRowCount({ tracker, dialect }: ServerSession, command: PlannedCommand): void {
    const facts = this.#facts;
    const isDone = tracker.errorCode === 0;
    if (!isStatement(command, dialect, isDone)) return;
    // To OceanBase a statement that fails is none, and the one before may not be the client's.
    if (!isDone && dialect === "oceanbase") {
      if (!command.isAlone) facts.rowCount = tracker.rowCount;
      return;
    }
    this.#hasRowCount = true;
    facts.rowCount = isDone && !ENDS_IN_EOF.has(command.command) ? tracker.rowCount : -1;
  }

  #learnFoundRows({ tracker, dialect }: ServerSession, command: PlannedCommand): void {
    if (!runsStatement(command)) return;
    const isAsked = (this.#habits.asked & Ask.foundRows) !== 0;
    if (!tracker.hasRows && (this.#hasFoundRows || !isAsked)) return;
    if (isAsked && leavesFoundRows(firstWords(command), dialect)) return;
    if (tracker.hasRows) this.#facts.foundRows = tracker.rows;
    this.#hasFoundRows = true;
  }

  /** GET DIAGNOSTICS leaves everything as it was. What it cannot find is one condition more. */
  #learnAnswer(server: ServerSession, { need }: PlannedCommand): void {
    const facts = this.#facts;
    const { warnings } = server.tracker;
    facts.warnings = warnings;
    if (warnings > 0) {
      facts.rowCount = -1;
      server.state.mayHaveConditions = true;
    }
    if (need?.hidesFacts !== true) return;
    this.#isHidden = true;
    this.#hasFoundRows = false;
  }
}

/** Whether FOUND_ROWS() may be of it, though another statement of the text has failed. */
function calculates({ classified, isAlone }: PlannedCommand): boolean {
  return !isAlone && (classified.effects & Effect.calculatesFoundRows) !== 0;
}

/** Whether ROW_COUNT() is of this command: COM_PING counts as a statement, COM_STMT_PREPARE does not. */
function isStatement(command: PlannedCommand, dialect: Dialect, isDone: boolean): boolean {
  if (runsStatement(command)) return true;
  if (dialect === "oceanbase") return false;
  return !isDone || commandRow(command.command)?.shape === "status";
}

function allLeaveConditions(command: PlannedCommand, dialect: Dialect): boolean {
  if (!runsStatement(command)) return dialect === "mariadb";
  const statements = firstWordsOfEach(command);
  return statements.length > 0 && statements.every((text) => leavesConditions(text, dialect));
}
