/**
 * What becomes of a command that does not go to a server as the client sent it: parts that run one
 * after the other, and whose replies are one reply to the client.
 */
import { Status } from "../protocol/constants.ts";
import type { BorrowedBytes } from "../net/buffers.ts";
import type { CommandRow } from "../protocol/replies.ts";
import type { ClientOutput } from "./client_output.ts";
import type { EndReason } from "./end_reason.ts";

/** A reply of the proxy, as packets. */
export interface OwnAnswer {
  readonly packets: Uint8Array | BorrowedBytes;
  /** Number of the packet behind them, perhaps beyond what a byte holds. */
  readonly nextSequence: number;
  /** Whether the last packet is an ERR, after which the parts behind it do not run. */
  readonly isError: boolean;
  /** Why the session ends with this answer, where it does. */
  readonly ends?: EndReason;
}

/** A command that a server answers. */
export interface SendPart {
  readonly kind: "send";
  readonly row: CommandRow;
  readonly payload: Uint8Array;
}

/** Where in the reply of a command an answer stands. */
export interface AnswerPlace {
  /** Of its first packet. */
  readonly sequence: number;
  /** For the packets that end results. */
  readonly status: number;
}

/** A reply that the proxy makes. */
export interface AnswerPart {
  readonly kind: "answer";
  make(place: AnswerPlace): Promise<OwnAnswer>;
}

/** Empty for a command without a reply. */
export type Plan = readonly (SendPart | AnswerPart)[];

export interface PlanUser {
  /** An answer has been sent, or could not be. */
  onAnswered(answer: OwnAnswer): void;
  /** An answer could not be made, for no reason that the client could be told as its own. */
  onFailure(error: unknown): void;
}

/** One plan on its way. */
export class PlanRun {
  /** Number of the packet that the client expects next. */
  sequence: number;
  readonly #parts: Plan;
  readonly #output: ClientOutput;
  readonly #user: PlanUser;
  #next = 0;
  #isOver = false;

  constructor(
    parts: Plan,
    sequence: number,
    { output, user }: { readonly output: ClientOutput; readonly user: PlanUser },
  ) {
    this.#parts = parts;
    this.sequence = sequence;
    this.#output = output;
    this.#user = user;
  }

  /** Begins the next part; undefined when there is none. */
  take(): SendPart | AnswerPart | undefined {
    return this.#parts[this.#next++];
  }

  /** The part that runs. */
  get current(): SendPart | AnswerPart | undefined {
    return this.#parts[this.#next - 1];
  }

  /** Whether parts come behind the one that runs. */
  get hasMore(): boolean {
    return this.#next < this.#parts.length;
  }

  /** Makes and sends an answer, unless the run is over before it is made. */
  answer(part: AnswerPart, status: number): void {
    // Where an ERR has ended several replies, the flag is left from the one before it.
    const own = status & ~Status.MORE_RESULTS_EXISTS;
    const more = this.hasMore ? Status.MORE_RESULTS_EXISTS : 0;
    part.make({ sequence: this.sequence, status: own | more }).then(
      (answer) => {
        if (!this.#isOver) this.#send(answer);
      },
      (error) => {
        if (!this.#isOver) this.#user.onFailure(error);
      },
    );
  }

  /** Nobody waits for it any more: no more calls of the user. */
  end(): void {
    this.#isOver = true;
  }

  #send(answer: OwnAnswer): void {
    this.sequence = answer.nextSequence & 0xff;
    this.#output.send(answer.packets, () => {
      if (!this.#isOver) this.#user.onAnswered(answer);
    });
  }
}
