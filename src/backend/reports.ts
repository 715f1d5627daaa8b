/**
 * What a server session has said of its state in the replies to one command, and what must be known
 * of the command to understand that.
 */
import { type Classified, PLAIN } from "../sql/classified.ts";
import { behindComments } from "../sql/first_words.ts";
import { Effect } from "../sql/effects.ts";
import { Status } from "../protocol/constants.ts";
import type { OkPacket } from "../protocol/response.ts";
import { isPassing } from "../state/apply_statement.ts";
import type { Dialect } from "../state/dialect.ts";
import type { SessionState } from "../state/session_state.ts";
import {
  applyTrack,
  type SpecialVariable,
  specialVariables,
  Tracked,
  trackedCharacteristics,
} from "../state/track.ts";

/** The command whose reply reports. */
export interface ReportedCommand {
  readonly classified: Pick<Classified, "effects">;
  /** It has variables assigned to themselves, so that the server reports them. */
  readonly settles?: boolean;
  /** The begin of its text. */
  textUpTo?(characters: number): string | undefined;
}

/** Of commands of the proxy, which say all that they do. */
const OWN: ReportedCommand = { classified: PLAIN };

/** Longer than any SET NAMES with a hint. */
const TEXT_LIMIT = 500;

export class Reports {
  /** Set before a command is sent. */
  command: ReportedCommand = OWN;
  /** Bits of `Tracked`. */
  seen = 0;
  /** Of the transaction: see {@link trackedCharacteristics}. */
  characteristics: string | undefined;
  specialVariables: readonly SpecialVariable[] = [];

  /** The reply to the command begins. */
  begin(command = OWN): void {
    this.command = command;
    if (this.seen === 0) return;
    this.seen = 0;
    this.characteristics = undefined;
    this.specialVariables = [];
  }

  /** @throws {ProtocolError} */
  take(known: SessionState, ok: OkPacket, dialect: Dialect): void {
    const { classified: { effects }, settles } = this.command;
    const sets = (effects & Effect.setsSystemVariables) !== 0;
    const hasMore = (ok.status & Status.MORE_RESULTS_EXISTS) !== 0;
    const text = sets ? this.command.textUpTo?.(TEXT_LIMIT) : undefined;
    const seen = applyTrack(known, ok, {
      dialect,
      isPassing: isPassing(effects, dialect, hasMore),
      settles: settles === true,
      statement: text && behindComments(text),
    });
    this.seen |= seen;
    if ((seen & Tracked.ONCE) !== 0) {
      this.specialVariables = [...this.specialVariables, ...specialVariables(ok, dialect)];
    }
    if ((seen & Tracked.TRANSACTION) !== 0) this.characteristics = trackedCharacteristics(ok);
  }
}
