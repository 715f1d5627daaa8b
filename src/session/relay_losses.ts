/**
 * What a relay does when its server session is lost under it: how far the command has come decides,
 * together with what its owner makes of that.
 */
import type { ServerSession } from "../backend/server_session.ts";
import type { SluiceError } from "../errors.ts";
import { frame } from "../protocol/bytes.ts";
import { encodeErr } from "../protocol/response.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import type { EndReason } from "./end_reason.ts";
import type { Stage } from "./loss.ts";
import type { PlanRun } from "./plan.ts";
import type { RelayMode } from "./relay_mode.ts";
import type { RelayOwner } from "./relay_owner.ts";
import type { ReplyPump } from "./reply_pump.ts";
import { farewellOf, isFarewell, lastErrorOf, lost, malformed } from "./server_errors.ts";
import type { LossAnswer, LossDecision } from "./server_loss.ts";

/** The relay, as its losses see and change it. */
export interface LosingRelay {
  readonly mode: RelayMode;
  readonly plan: PlanRun | undefined;
  readonly input: ClientInput;
  readonly command: ClientCommand;
  readonly pump: ReplyPump;
  readonly owner: RelayOwner;
  server: ServerSession | undefined;
  /** The command, or a part of it, runs or has run on the server session. */
  hasRun: boolean;
  /** Sends what ends the command or the session, whole or not, and then does what remains. */
  say(bytes: Uint8Array, then: () => void): void;
  fail(reason: EndReason, error: SluiceError): void;
  /** Reads the command to its end, then answers it with the error. */
  answerError(error: SluiceError, ends: EndReason | undefined): void;
  /** Reads the command to its end, waits for what is being written of it, and goes on. */
  drain(then: () => void): void;
  becomeIdle(): void;
  /** The command waits for another server session. */
  acquire(): void;
}

const CLOSED = "the server closed the connection";

export class RelayLosses {
  /** The command was lost with a server session, and runs on another one. */
  isSecondRun = false;
  /** The server has not taken what was written last of the command. */
  isUnwritten = false;
  readonly #relay: LosingRelay;
  /** The server session was lost in the middle of a reply; `told` is set where that is decided. */
  #cut: { readonly error: SluiceError; readonly told?: LossAnswer } | undefined;

  constructor(relay: LosingRelay) {
    this.#relay = relay;
  }

  /** A command begins, or a part of one that has an answer of its own. */
  beginCommand(): void {
    this.isSecondRun = this.isUnwritten = false;
  }

  onServerLost(error: SluiceError): void {
    const { mode, command, plan, pump } = this.#relay;
    switch (mode) {
      case "closed":
      case "ending":
      case "draining":
        // It is seen when that is over.
        return;
      case "sending": {
        const isSent = command.isWhole && !this.isUnwritten;
        // Who expects no reply cannot be told now.
        const isSilent = plan === undefined && command.row?.shape === "none";
        const stage = isSilent ? "none" : isSent ? "sent" : "unsent";
        return this.#act(this.#decide(error, stage));
      }
      case "replying":
        if (command.isWhole && pump.hasBegun) {
          this.#cut = { error };
          return pump.cut();
        }
        return this.#act(this.#decide(error, command.isWhole ? "sent" : "answered"));
      default:
        this.#outlives(error);
    }
  }

  /** What was there of the reply has reached the client. */
  onReplyCut(): void {
    const relay = this.#relay;
    const { server } = relay;
    const { tracker } = server!;
    const { error, told } = this.#cut ?? { error: lost(server!, CLOSED), told: undefined };
    this.#cut = undefined;
    const stage = tracker.atBoundary ? "answered" : "inside a packet";
    const decision = told ?? this.#decide(error, stage);
    if (typeof decision === "string") throw new TypeError(`Expected an answer, got ${decision}`);
    if (decision.ends !== undefined || !tracker.atBoundary) {
      return relay.fail(decision.ends ?? "server_lost", decision.error);
    }
    relay.server = undefined;
    const packet = frame(encodeErr(decision.error), tracker.nextSequence);
    relay.say(packet, () => relay.becomeIdle());
  }

  /**
   * The reply has come whole: only what follows is without its server session.
   * @returns what the rest of the command is to be answered with, if that is decided
   */
  takeCut(): LossAnswer | undefined {
    const told = this.#cut?.told;
    if (told === undefined) return undefined;
    this.#cut = undefined;
    this.#relay.server = undefined;
    return told;
  }

  /** An ERR that says that the server session ends, and not what became of the command. */
  passesError(code: number): boolean {
    const relay = this.#relay;
    if (!isFarewell(code) || !relay.owner.keepsCommands) return true;
    const server = relay.server!;
    const decision = this.#decide(lost(server, lastErrorOf(server)), "sent");
    if (typeof decision === "string") {
      this.#act(decision);
    } else {
      relay.server = undefined;
      relay.answerError(decision.error, decision.ends);
    }
    return false;
  }

  /** What the server has sent is no reply. */
  onMalformed(problem: string): void {
    const { server, owner, pump } = this.#relay;
    const error = malformed(server!, problem);
    if (!owner.keepsCommands || pump.hasBegun) return this.#relay.fail("server_lost", error);
    // The server said it before it read the command.
    const isFarewell = server!.buffer[server!.walked + 3] === 0 &&
      farewellOf(server!) !== undefined;
    this.#act(this.#decide(error, isFarewell ? "unsent" : "sent"));
  }

  /** Bytes that no command asked for: a farewell in form of an ERR, or nonsense. */
  outlivesUnasked(server: ServerSession): boolean {
    const count = server.end - server.walked;
    return this.#outlives(malformed(server, `it sent ${count} bytes unasked`));
  }

  /** @returns false where the server session is lost, and the client's has ended with it */
  outlivesServer(): boolean {
    const { server } = this.#relay;
    if (server === undefined || server.isOpen) return true;
    const error = this.#cut?.error ?? lost(server, CLOSED);
    this.#cut = undefined;
    return this.#outlives(error);
  }

  /** Gives the client the answer, behind what has come of a reply. */
  tell(told: LossAnswer): void {
    const relay = this.#relay;
    switch (relay.mode) {
      case "replying":
        if (!relay.command.isWhole) break;
        this.#cut = { error: told.error, told };
        return relay.pump.cut();
      case "sending":
        break;
      default:
        return;
    }
    relay.server = undefined;
    // The client is still talking: heard out, so that it reads the answer and not a reset.
    relay.answerError(told.error, told.ends);
  }

  /** The server session is lost while no command is on it. @returns as `outlivesServer` */
  #outlives(error: SluiceError): boolean {
    const relay = this.#relay;
    const server = relay.server!;
    const decision = this.#decide(error, "none");
    relay.server = undefined;
    if (typeof decision === "string" || decision.ends === undefined) return true;
    const { ends } = decision;
    const end = () => relay.owner.end(ends, decision.error);
    if (farewellOf(server) === undefined) end();
    else relay.say(server.buffer.slice(server.walked, server.end), end);
    return false;
  }

  #decide(error: SluiceError, stage: Stage): LossDecision {
    const { server, plan, input, owner } = this.#relay;
    const part = plan?.current;
    const payload = part?.kind === "send" ? part.payload : input.kept?.subarray(4);
    const farewell = farewellOf(server!);
    const { isSecondRun } = this;
    return owner.onServerLost({ error, farewell, stage, payload, isSecondRun });
  }

  #act(decision: LossDecision): void {
    const relay = this.#relay;
    if (typeof decision !== "string") return this.tell(decision);
    relay.server = undefined;
    if (decision === "again") relay.drain(() => this.#runAgain());
    else relay.drain(() => relay.becomeIdle());
  }

  #runAgain(): void {
    const relay = this.#relay;
    this.isSecondRun = true;
    this.isUnwritten = false;
    relay.hasRun = false;
    if (relay.plan === undefined) {
      relay.input.restore();
      relay.command.open(relay.input);
    }
    relay.acquire();
  }
}
