/**
 * Moves commands from one client to a server session, and has their replies moved back.
 *
 * The hot loops are promise callbacks made once per session; nothing is allocated, copied or
 * awaited per packet, and there are no timers. At most one write is outstanding in each direction,
 * and the next read of that direction follows it: that is the whole backpressure.
 */
import type { ServerSession, ServerSessionUser } from "../backend/server_session.ts";
import { internalError, messageOf, ProtocolError, SluiceError } from "../errors.ts";
import { BIG } from "../net/buffers.ts";
import type { Transport } from "../net/transport.ts";
import { frame } from "../protocol/bytes.ts";
import { Command } from "../protocol/constants.ts";
import { commandRow } from "../protocol/replies.ts";
import { encodeErr } from "../protocol/response.ts";
import type { ClientCommand } from "./client_command.ts";
import { ClientInput, type ClientInputUser } from "./client_input.ts";
import { ClientOutput } from "./client_output.ts";
import { ClientTalk, TALK_LIMIT } from "./client_talk.ts";
import { CommandSender } from "./command_sender.ts";
import { type OwnAnswer, type Plan, PlanRun, type PlanUser } from "./plan.ts";
import type { EndReason } from "./end_reason.ts";
import type { RelayMode } from "./relay_mode.ts";
import type { RelayOwner } from "./relay_owner.ts";
import { ReplyPump, type ReplyPumpUser } from "./reply_pump.ts";
import { type LosingRelay, RelayLosses } from "./relay_losses.ts";
import { lost } from "./server_errors.ts";
import type { ServerWriterUser } from "./server_writer.ts";

/** What an answer that comes to an end leads to: the next command, or the end of the session. */
type Ends = EndReason | undefined;

export class Relay
  implements
    ServerSessionUser,
    ServerWriterUser,
    ClientInputUser,
    ReplyPumpUser,
    PlanUser,
    LosingRelay {
  readonly #client: Transport;
  readonly #losses = new RelayLosses(this);
  readonly owner: RelayOwner;
  readonly input: ClientInput;
  readonly pump: ReplyPump;
  readonly #sender: CommandSender;
  readonly command: ClientCommand;
  readonly #output: ClientOutput;
  mode: RelayMode = "talking";
  #talk: ClientTalk | undefined;
  server: ServerSession | undefined;
  /** Runs where the command does not go to a server as it is. */
  plan: PlanRun | undefined;
  /** What follows when a command that is not sent on has been read to its end. */
  #afterDrain: (() => void) | undefined;
  /** Commands that have begun. */
  commandNumber = 0;
  /** The command, or a part of it, runs or has run on the server session. */
  hasRun = false;
  /** The session ends with an error while the server session is still at work. */
  #isCutShort = false;

  constructor(client: Transport, owner: RelayOwner) {
    this.#client = client;
    this.owner = owner;
    this.input = new ClientInput(client, this);
    this.#sender = new CommandSender(this.input, this);
    this.command = this.#sender.command;
    this.pump = new ReplyPump(client, this);
    this.#output = new ClientOutput(client);
  }

  get bytesIn(): number {
    return this.input.total;
  }

  get bytesOut(): number {
    return this.pump.bytesOut + this.#output.bytesOut + (this.#talk?.bytesWritten ?? 0);
  }

  /** Whether nothing is asked of a server or said by the client. */
  get isIdle(): boolean {
    return this.mode === "idle" && this.input.available === 0;
  }

  /** Whether a reply waits for the client to read. */
  get isBlockedByClient(): boolean {
    return this.pump.isWriting || this.#output.isWriting;
  }

  /** Whether the server session is at work, so that leaving means cancelling. */
  get isExecuting(): boolean {
    return this.mode === "sending" || this.mode === "replying" || this.#isCutShort;
  }

  /** Whether a command waits for a server session, or for what must be known before. */
  get isAcquiring(): boolean {
    return this.mode === "acquiring";
  }

  /** The client's side, for the login; ends with `resume`. */
  talk(sequence: number): ClientTalk {
    this.mode = "talking";
    this.#talk = new ClientTalk(this.#client, this.input, sequence);
    return this.#talk;
  }

  /** The talk is over: commands are taken from now on. */
  resume(): void {
    if (this.mode !== "talking") return;
    this.#output.bytesOut += this.#talk?.bytesWritten ?? 0;
    this.#talk = undefined;
    this.becomeIdle();
  }

  /** The server session of the commands from now on, and of the one that waits for it. */
  use(server: ServerSession): void {
    this.server = server;
    server.acquire(this);
    if (this.mode !== "acquiring") return;
    this.mode = "sending";
    this.#step(this.plan === undefined ? this.#sendCommand : this.#sendPart);
  }

  /** No server session can be had for the waiting command. */
  refuse(error: SluiceError): void {
    if (this.server?.isOpen === false) this.server = undefined;
    if (this.mode === "acquiring") this.answerError(error, undefined);
  }

  /**
   * The owner has taken the server session away, and the client stays.
   * @param error ends what the client is waiting for
   */
  dropServer(error?: SluiceError): void {
    if (error !== undefined) this.#losses.tell({ error, ends: undefined });
    if (this.mode !== "replying") this.server = undefined;
  }

  /** No more calls of the owner; both connections are its to close. */
  close(): void {
    this.mode = "closed";
    this.input.close();
    this.pump.close();
    this.#sender.close();
    this.plan?.end();
  }

  /**
   * Ends the session with an error, which the client gets if it is at a packet boundary and not
   * busy taking something else.
   */
  fail(reason: EndReason, error: SluiceError): void {
    const sequence = this.#errorSequence();
    if (this.mode === "closed" || this.mode === "ending") return;
    if (sequence === undefined) return this.owner.end(reason, error);
    this.#isCutShort = this.isExecuting;
    this.say(frame(encodeErr(error), sequence), () => this.owner.end(reason, error));
  }

  /** Once a second. */
  sweep(now: number): void {
    if (this.mode === "replying") this.pump.flush();
    if (this.mode !== "ending" || !this.#output.isStuck(now)) return;
    this.owner.end("client_lost", new SluiceError("client_lost", "Client does not read its end"));
  }

  /** Number of an ERR that can be sent right now; undefined where the client could not read one. */
  #errorSequence(): number | undefined {
    if (this.pump.isWriting || this.#output.isWriting) return undefined;
    switch (this.mode) {
      case "idle":
        return this.command.nextSequence;
      case "acquiring":
      case "answering":
        return this.plan?.sequence ?? this.command.sequenceBehind(this.input);
      case "replying": {
        const { tracker } = this.server!;
        return tracker.atBoundary ? tracker.nextSequence : undefined;
      }
      default:
        return undefined;
    }
  }

  /** Sends what ends the command or the session, whole or not, and then does what remains. */
  say(bytes: Uint8Array, then: () => void): void {
    this.mode = "ending";
    this.plan?.end();
    this.#output.send(bytes, () => {
      if (this.mode !== "closed") then();
    });
  }

  #step(step: () => void): void {
    try {
      step.call(this);
    } catch (error) {
      this.onFailure(error);
    }
  }

  /** What failed costs this session, and no other. */
  onFailure(error: unknown): void {
    if (error instanceof SluiceError) return this.fail("protocol_error", error);
    this.fail("internal_error", internalError(error));
  }

  // ---- client to server ----

  onClientBytes(): void {
    switch (this.mode) {
      case "idle":
        return this.#step(this.#beginCommand);
      case "sending":
        return this.#step(this.#sendCommand);
      case "replying":
        return this.#step(this.#takeTurn);
      case "draining":
        return this.#step(this.#drainOn);
      case "acquiring":
      case "answering":
        return this.input.readAhead();
      case "talking":
        return this.#talk?.onClientBytes();
    }
  }

  onClientEnd(reason: string): void {
    switch (this.mode) {
      case "closed":
      case "ending":
        return;
      case "idle":
        return this.owner.end("client_closed");
      case "talking":
        if (this.#talk?.onClientEnd(reason)) return;
    }
    this.owner.end("client_lost", new SluiceError("client_lost", reason));
  }

  #beginCommand(): void {
    const command = this.command;
    if (!command.open(this.input)) return;
    if (command.code === Command.QUIT) return this.owner.end("quit");
    this.hasRun = false;
    const row = command.row = commandRow(command.code);
    if (row === undefined) {
      return this.answerError(new SluiceError("unknown_command", "Unknown command"), undefined);
    }
    this.#losses.beginCommand();
    const number = ++this.commandNumber;
    this.owner.onCommand(row);
    if (command.code === Command.CHANGE_USER) return this.#beginTalk(command.length);
    const settling = this.owner.settling;
    if (settling === undefined) return this.#planCommand();
    this.mode = "acquiring";
    this.input.readAhead();
    settling.then(() => {
      // It may have been refused meanwhile, and another one may wait.
      if (this.isAcquiring && this.commandNumber === number) this.#step(this.#planCommand);
    });
  }

  #planCommand(): void {
    const plan = this.owner.plan(this.command, this.input);
    if (plan !== undefined) return this.drain(() => this.#beginPlan(plan));
    if (!this.#hasServer()) return this.acquire();
    this.mode = "sending";
    this.#sendCommand();
  }

  /** Whether there is a server session that the command can go to, or one can be had at once. */
  #hasServer(): boolean {
    if (this.server !== undefined) return this.owner.isReady(this.server);
    this.server = this.owner.takeServer();
    return this.server !== undefined;
  }

  acquire(): void {
    this.mode = "acquiring";
    this.input.readAhead();
    this.owner.needServer(this.#losses.isSecondRun);
  }

  #beginTalk(length: number): void {
    const input = this.input;
    if (length > TALK_LIMIT) {
      const error = new SluiceError("malformed_packet", "Malformed communication packet");
      return this.answerError(error, "protocol_error");
    }
    const payload = input.bytes.slice(input.start + 4, input.start + 4 + length);
    input.consume(length + 4);
    this.owner.changeUser(payload, this.talk(1));
  }

  #sendCommand(): void {
    this.#sender.keeps = this.owner.keepsCommands;
    this.#sender.send(this.server!, this.owner.need);
  }

  onServerWritten(): void {
    switch (this.mode) {
      case "sending":
        return this.#step(this.command.isWhole ? this.#commandSent : this.#sendCommand);
      case "replying":
        return this.#step(this.#turnTaken);
      case "draining":
        return this.#step(this.#drainOn);
    }
  }

  /** The server side is broken; its read says how, if one is outstanding. */
  onServerUnwritable(error: unknown): void {
    const server = this.server;
    this.#losses.isUnwritten = true;
    if (this.mode === "draining") return this.#step(this.#drainOn);
    if (server === undefined) return;
    if (!server.isOpen || !server.isReading) this.onServerLost(lost(server, messageOf(error)));
  }

  #commandSent(): void {
    const server = this.server!;
    const plan = this.plan;
    const { row, length, sequence, mayOpenCursor } = this.command;
    this.hasRun = true;
    if (plan?.current?.kind === "send") {
      server.tracker.begin(plan.current.row, 0, false);
      server.tracker.join(plan.sequence, plan.hasMore);
    } else {
      this.input.adapt(length + 4);
      if (row!.shape === "none") return this.becomeIdle();
      server.tracker.begin(row!, sequence, mayOpenCursor);
    }
    if (server.tracker.clientTurn !== "waits") this.input.release();
    this.owner.need?.onSent(server);
    server.statements++;
    this.pump.begin(server);
    this.mode = "replying";
    if (server.tracker.clientTurn === "talks" && this.input.available > 0) this.#takeTurn();
    else this.input.readAhead();
    if (server.end > server.walked) this.pump.move();
  }

  #takeTurn(): void {
    this.#sender.takeTurn(this.server!, this.pump.isWriting);
  }

  #turnTaken(): void {
    const server = this.server!;
    const { tracker } = server;
    if (tracker.clientTurn === "sends_file" && this.command.isWhole) {
      tracker.resume(this.command.sequence);
      this.input.readAhead();
      if (server.end > server.walked) this.pump.move();
      return;
    }
    if (this.input.available > 0) this.#takeTurn();
    else this.input.readMore(BIG);
  }

  // ---- server to client ----

  onServerBytes(): void {
    const server = this.server!;
    switch (this.mode) {
      case "replying":
        // A reply to a file comes behind the file.
        if (server.tracker.clientTurn === "sends_file") return server.read();
        this.pump.move();
        if (this.mode === "replying" && this.pump.hasBegun) this.input.releaseBorrowed();
        return;
      case "idle":
        this.#losses.outlivesUnasked(server);
        return;
      default:
        return server.read();
    }
  }

  onFileRequested(): void {
    const server = this.server!;
    this.command.openFile(server.tracker.nextSequence, server.tracker.clientShift);
    server.read();
    if (this.input.available > 0) this.#step(this.#takeTurn);
  }

  onReplyMoved(): void {
    const plan = this.plan;
    const { tracker } = this.server!;
    if (plan !== undefined) plan.sequence = tracker.nextSequence;
    const told = this.#losses.takeCut();
    if (told !== undefined && plan?.hasMore) return this.answerError(told.error, told.ends);
    if (plan === undefined || tracker.errorCode !== 0) return this.becomeIdle();
    if (this.#losses.outlivesServer()) this.#step(this.#nextPart);
  }

  onClientUnwritable(error: unknown): void {
    this.onClientEnd(messageOf(error));
  }

  onMoveFailed(error: unknown): void {
    if (!(error instanceof ProtocolError)) return this.onFailure(error);
    this.#losses.onMalformed(error.message);
  }

  becomeIdle(): void {
    this.mode = "idle";
    this.plan?.end();
    this.plan = undefined;
    this.input.release();
    if (!this.owner.onIdle(this.hasRun) || !this.#losses.outlivesServer()) return;
    const server = this.server;
    const isUnasked = server !== undefined && server.end > server.walked;
    if (isUnasked && !this.#losses.outlivesUnasked(server)) return;
    if (this.input.available > 0) this.#step(this.#beginCommand);
    else this.input.readAhead();
  }

  // ---- server sessions that are lost ----

  onServerLost(error: SluiceError): void {
    this.#losses.onServerLost(error);
  }

  onReplyCut(): void {
    this.#losses.onReplyCut();
  }

  passesError(code: number): boolean {
    return this.#losses.passesError(code);
  }

  // ---- commands that are not sent on as they are ----

  /** Reads the command to its end, then answers it with the error. */
  answerError(error: SluiceError, ends: Ends): void {
    this.drain(() => {
      const isSilent = this.plan === undefined && this.command.row?.shape === "none";
      if (isSilent && ends === undefined) return this.becomeIdle();
      const sequence = this.plan?.sequence ?? this.command.nextSequence;
      this.say(frame(encodeErr(error), sequence), () => {
        if (ends !== undefined) this.owner.end(ends, error);
        else this.becomeIdle();
      });
    });
  }

  drain(then: () => void): void {
    this.#afterDrain = then;
    this.mode = "draining";
    if (!this.#sender.stop()) this.#step(this.#drainOn);
  }

  #drainOn(): void {
    if (this.#sender.skip()) this.#afterDrain!();
  }

  #beginPlan(plan: Plan): void {
    const options = { output: this.#output, user: this };
    this.plan = new PlanRun(plan, this.command.nextSequence, options);
    this.#nextPart();
  }

  #nextPart(): void {
    const part = this.plan!.take();
    if (part === undefined) return this.becomeIdle();
    if (part.kind === "send") {
      this.#losses.beginCommand();
      if (!this.#hasServer()) return this.acquire();
      this.mode = "sending";
      return this.#sendPart();
    }
    this.mode = "answering";
    this.input.readAhead();
    this.plan!.answer(part, this.owner.status);
  }

  onAnswered({ isError, ends }: OwnAnswer): void {
    if (ends !== undefined) return this.owner.end(ends);
    if (isError) return this.becomeIdle();
    this.#step(this.#nextPart);
  }

  #sendPart(): void {
    const part = this.plan!.current;
    if (part?.kind === "send") this.#sender.sendOwn(this.server!, part.payload);
  }
}
