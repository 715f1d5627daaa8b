/**
 * Moves commands from one client to a server session, and has their replies moved back.
 *
 * The hot loops are promise callbacks made once per session; nothing is allocated, copied or
 * awaited per packet, and there are no timers. At most one write is outstanding in each direction,
 * and the next read of that direction follows it: that is the whole backpressure.
 */
import type { ServerSession, ServerSessionUser } from "../backend/server_session.ts";
import { messageOf, ProtocolError, SluiceError } from "../errors.ts";
import { BIG } from "../net/buffers.ts";
import { type Transport, writeAll } from "../net/transport.ts";
import { frame, payloadLength } from "../protocol/bytes.ts";
import { Command, ExecuteFlag } from "../protocol/constants.ts";
import { type CommandRow, commandRow } from "../protocol/replies.ts";
import { encodeErr } from "../protocol/response.ts";
import { ClientInput, type ClientInputUser } from "./client_input.ts";
import { ClientTalk } from "./client_talk.ts";
import type { EndReason } from "./end_reason.ts";
import { PacketWalk } from "./packet_walk.ts";
import { ReplyPump, type ReplyPumpUser } from "./reply_pump.ts";
import { farewellOf, lost, malformed } from "./server_errors.ts";

/** What the relay leaves to the client session. */
export interface RelayOwner {
  /** A command begins that needs a server; the answer comes by `use` or `refuse`. */
  needServer(): void;
  /** A command begins. */
  onCommand(row: CommandRow): void;
  /** A command has been answered, or needed no answer. False: the session has ended meanwhile. */
  onIdle(): boolean;
  /** COM_CHANGE_USER, whole; the client is the owner's to talk to until `resume`. */
  changeUser(payload: Uint8Array, talk: ClientTalk): void;
  /** Nothing more can be done for this client. `error` has been sent if it could be. */
  end(reason: EndReason, error?: SluiceError): void;
}

/**
 * - `talking`: the owner talks to the client itself
 * - `idle`: waits for a command
 * - `acquiring`: a command waits for a server session
 * - `sending`: a command goes to the server
 * - `replying`: its reply goes to the client
 * - `draining`: a command that cannot be done is read to its end, to be answered with ERR
 * - `ending`: the last packet is on its way
 */
type Mode =
  | "talking"
  | "idle"
  | "acquiring"
  | "sending"
  | "replying"
  | "draining"
  | "ending"
  | "closed";

/** Largest payload of COM_CHANGE_USER and of the packets of a login: attributes are up to 64 KiB. */
const TALK_LIMIT = 80 * 1024;

/** Where COM_STMT_EXECUTE has its flags: behind the command byte and the statement's id. */
const EXECUTE_FLAGS = 5;
const ANY_CURSOR = ExecuteFlag.READ_ONLY | ExecuteFlag.FOR_UPDATE | ExecuteFlag.SCROLLABLE;

export class Relay implements ServerSessionUser, ClientInputUser, ReplyPumpUser {
  readonly #client: Transport;
  readonly #owner: RelayOwner;
  readonly #input: ClientInput;
  readonly #pump: ReplyPump;
  readonly #walk = new PacketWalk();
  #mode: Mode = "talking";
  #talk: ClientTalk | undefined;
  #server: ServerSession | undefined;
  #row: CommandRow | undefined;
  #mayOpenCursor = false;
  /** Bytes of the input that the write to the server in progress takes, and has taken. */
  #taking = 0;
  #taken = 0;
  #commandBytes = 0;
  #ownBytesOut = 0;
  /** What a drained command is answered with, and whether the session ends on it. */
  #failure: { readonly error: SluiceError; readonly ends: EndReason | undefined } | undefined;
  /** The session ends with an error while the server session is still at work. */
  #isCutShort = false;

  constructor(client: Transport, owner: RelayOwner) {
    this.#client = client;
    this.#owner = owner;
    this.#input = new ClientInput(client, this);
    this.#pump = new ReplyPump(client, this);
  }

  get bytesIn(): number {
    return this.#input.total;
  }

  get bytesOut(): number {
    return this.#pump.bytesOut + this.#ownBytesOut + (this.#talk?.bytesWritten ?? 0);
  }

  /** Whether nothing is asked of a server or said by the client. */
  get isIdle(): boolean {
    return this.#mode === "idle" && this.#input.available === 0;
  }

  /** Whether the server session is at work, so that leaving means cancelling. */
  get isExecuting(): boolean {
    return this.#mode === "sending" || this.#mode === "replying" || this.#isCutShort;
  }

  /** The client's side, for the login; ends with `resume`. */
  talk(sequence: number): ClientTalk {
    this.#mode = "talking";
    this.#talk = new ClientTalk(this.#client, this.#input, { limit: TALK_LIMIT, sequence });
    return this.#talk;
  }

  /** The talk is over: commands are taken from now on. */
  resume(): void {
    if (this.#mode !== "talking") return;
    this.#ownBytesOut += this.#talk?.bytesWritten ?? 0;
    this.#talk = undefined;
    this.#becomeIdle();
  }

  /** The server session of the commands from now on, and of the one that waits for it. */
  use(server: ServerSession): void {
    this.#server = server;
    server.acquire(this);
    if (this.#mode !== "acquiring") return;
    this.#mode = "sending";
    this.#step(this.#sendCommand);
  }

  /** No server session can be had for the waiting command. */
  refuse(error: SluiceError): void {
    if (this.#mode === "acquiring") this.#drain(error, undefined);
  }

  /** The owner has given the server session away. */
  forgetServer(): void {
    this.#server = undefined;
  }

  /** No more calls of the owner; both connections are its to close. */
  close(): void {
    this.#mode = "closed";
    this.#input.close();
    this.#pump.close();
  }

  /**
   * Ends the session with an error, which the client gets if it is at a packet boundary and not
   * busy taking something else.
   */
  fail(reason: EndReason, error: SluiceError): void {
    const sequence = this.#errorSequence();
    if (this.#mode === "closed" || this.#mode === "ending") return;
    if (sequence === undefined) return this.#owner.end(reason, error);
    this.#isCutShort = this.isExecuting;
    this.#finally(frame(encodeErr(error), sequence), () => this.#owner.end(reason, error));
  }

  /** Once a second. */
  sweep(): void {
    if (this.#mode === "replying") this.#pump.flush();
  }

  /** Number of an ERR that can be sent right now; undefined where the client could not read one. */
  #errorSequence(): number | undefined {
    if (this.#pump.isWriting) return undefined;
    switch (this.#mode) {
      case "idle":
        return (this.#walk.sequence + 1) & 0xff;
      case "acquiring":
        return this.#waitingSequence();
      case "replying": {
        const { tracker } = this.#server!;
        return tracker.atBoundary ? tracker.nextSequence : undefined;
      }
      default:
        return undefined;
    }
  }

  /** The same behind the command that waits for a server session, if it is whole and in order. */
  #waitingSequence(): number | undefined {
    const { bytes, start, end } = this.#input;
    try {
      this.#walk.take(bytes, start, end);
    } catch {
      return undefined;
    }
    return this.#walk.isComplete ? (this.#walk.sequence + 1) & 0xff : undefined;
  }

  /** Sends last bytes, whole or not, and then does what remains. */
  #finally(bytes: Uint8Array, then: () => void): void {
    this.#mode = "ending";
    this.#ownBytesOut += bytes.length;
    writeAll(this.#client, bytes).then(then, then);
  }

  /** Runs a step; what fails in it costs this session, and no other. */
  #step(step: () => void): void {
    try {
      step.call(this);
    } catch (error) {
      this.#crash(error);
    }
  }

  #crash(error: unknown): void {
    if (error instanceof SluiceError) return this.fail("protocol_error", error);
    const told = new SluiceError("internal", `Internal error of the proxy: ${messageOf(error)}`, {
      cause: error,
    });
    this.fail("internal_error", told);
  }

  // ---- client to server ----

  onClientBytes(): void {
    switch (this.#mode) {
      case "idle":
        return this.#step(this.#beginCommand);
      case "sending":
        return this.#step(this.#sendCommand);
      case "replying":
        return this.#step(this.#takeTurn);
      case "draining":
        return this.#step(this.#drainOn);
      case "acquiring":
        return this.#input.readAhead();
      case "talking":
        return this.#talk?.onClientBytes();
    }
  }

  onClientEnd(reason: string): void {
    switch (this.#mode) {
      case "closed":
      case "ending":
        return;
      case "idle":
        return this.#owner.end("client_closed");
      case "talking":
        if (this.#talk?.onClientEnd(reason)) return;
    }
    this.#owner.end("client_lost", new SluiceError("client_lost", reason));
  }

  #beginCommand(): void {
    const input = this.#input;
    if (input.available < 4) return input.readMore(4);
    const { bytes, start } = input;
    const length = payloadLength(bytes, start);
    const sequence = bytes[start + 3]!;
    if (sequence !== 0) {
      this.#walk.sequence = sequence;
      throw new SluiceError("packets_out_of_order", "Got packets out of order");
    }
    // Whole before it is looked at, where it can be; larger ones pass while they come.
    const wanted = Math.min(length + 4, BIG);
    if (input.available < wanted) return input.readMore(wanted);
    const command = length === 0 ? Command.SLEEP : bytes[start + 4]!;
    this.#walk.begin("command", 0);
    this.#commandBytes = 0;
    if (command === Command.QUIT) return this.#owner.end("quit");
    const row = commandRow(command);
    if (row === undefined) {
      return this.#drain(new SluiceError("unknown_command", "Unknown command"), undefined);
    }
    this.#row = row;
    this.#mayOpenCursor = command === Command.STMT_EXECUTE && length > EXECUTE_FLAGS &&
      (bytes[start + 4 + EXECUTE_FLAGS]! & ANY_CURSOR) !== 0;
    this.#owner.onCommand(row);
    if (command === Command.CHANGE_USER) return this.#beginTalk(length);
    if (this.#server === undefined) {
      this.#mode = "acquiring";
      input.readAhead();
      return this.#owner.needServer();
    }
    this.#mode = "sending";
    this.#sendCommand();
  }

  #beginTalk(length: number): void {
    const input = this.#input;
    if (length > TALK_LIMIT) {
      const error = new SluiceError("malformed_packet", "Malformed communication packet");
      return this.#drain(error, "protocol_error");
    }
    const payload = input.bytes.slice(input.start + 4, input.start + 4 + length);
    input.consume(length + 4);
    this.#owner.changeUser(payload, this.talk(1));
  }

  /** Writes as much of the command as is here. */
  #sendCommand(): void {
    if (this.#taking > 0) return;
    const { bytes, start, end } = this.#input;
    this.#taking = this.#walk.take(bytes, start, end);
    if (this.#taking === 0) return this.#input.readMore(BIG);
    this.#taken = 0;
    this.#writeToServer();
  }

  #writeToServer(): void {
    const { bytes, start } = this.#input;
    const part = bytes.subarray(start + this.#taken, start + this.#taking);
    this.#server!.write(part).then(this.#onServerWritten, this.#onServerWriteFailed);
  }

  readonly #onServerWritten = (count: number): void => {
    if (this.#mode === "closed") return;
    this.#taken += count;
    if (this.#taken < this.#taking && this.#mode !== "draining") return this.#writeToServer();
    this.#input.consume(this.#taking);
    this.#commandBytes += this.#taking;
    this.#taking = 0;
    switch (this.#mode) {
      case "sending":
        return this.#step(this.#walk.isComplete ? this.#commandSent : this.#sendCommand);
      case "replying":
        return this.#step(this.#turnTaken);
      case "draining":
        return this.#step(this.#drainOn);
    }
  };

  /** The server side is broken; its read says how, if one is outstanding. */
  readonly #onServerWriteFailed = (error: unknown): void => {
    const server = this.#server;
    if (this.#mode === "closed" || server === undefined) return;
    this.#input.consume(this.#taking);
    this.#taking = 0;
    if (this.#mode === "draining") return this.#step(this.#drainOn);
    if (!server.isOpen || !server.isReading) this.onServerLost(lost(server, messageOf(error)));
  };

  #commandSent(): void {
    const server = this.#server!;
    this.#input.adapt(this.#commandBytes);
    if (this.#row!.shape === "none") return this.#becomeIdle();
    server.tracker.begin(this.#row!, this.#walk.sequence, this.#mayOpenCursor);
    this.#pump.begin(server);
    this.#mode = "replying";
    if (server.tracker.clientTurn === "talks" && this.#input.available > 0) this.#takeTurn();
    else this.#input.readAhead();
    if (server.end > server.walked) this.#pump.move();
  }

  /** What a client sends during a reply: a file, its part of a stream, or the next command. */
  #takeTurn(): void {
    const turn = this.#server!.tracker.clientTurn;
    const isTooEarly = turn === "waits" || (turn === "sends_file" && this.#pump.isWriting);
    if (isTooEarly) return this.#input.readAhead();
    if (this.#taking > 0) return;
    const { bytes, start, end } = this.#input;
    this.#taking = turn === "talks" ? end - start : this.#walk.take(bytes, start, end);
    if (this.#taking === 0) return this.#input.readMore(BIG);
    this.#taken = 0;
    this.#writeToServer();
  }

  #turnTaken(): void {
    const server = this.#server!;
    const { tracker } = server;
    if (tracker.clientTurn === "sends_file" && this.#walk.isComplete) {
      tracker.resume(this.#walk.sequence);
      this.#input.readAhead();
      if (server.end > server.walked) this.#pump.move();
      return;
    }
    if (this.#input.available > 0) this.#takeTurn();
    else this.#input.readMore(BIG);
  }

  // ---- server to client ----

  onServerBytes(): void {
    const server = this.#server!;
    switch (this.#mode) {
      case "replying":
        // A reply to a file comes behind the file.
        if (server.tracker.clientTurn !== "sends_file") return this.#pump.move();
        return server.read();
      case "idle":
        return this.#unasked(server);
      default:
        return server.read();
    }
  }

  onFileRequested(): void {
    const server = this.#server!;
    this.#walk.begin("file", server.tracker.nextSequence);
    server.read();
    if (this.#input.available > 0) this.#step(this.#takeTurn);
  }

  onReplyMoved(): void {
    this.#becomeIdle();
  }

  onClientUnwritable(error: unknown): void {
    this.onClientEnd(messageOf(error));
  }

  onMoveFailed(error: unknown): void {
    if (!(error instanceof ProtocolError)) return this.#crash(error);
    this.fail("server_lost", malformed(this.#server!, error.message));
  }

  #becomeIdle(): void {
    this.#mode = "idle";
    if (!this.#owner.onIdle()) return;
    const server = this.#server;
    if (server !== undefined && server.end > server.walked) return this.#unasked(server);
    if (this.#input.available > 0) this.#step(this.#beginCommand);
    else this.#input.readAhead();
  }

  /** Bytes that no command asked for: a farewell in form of an ERR, or nonsense. */
  #unasked(server: ServerSession): void {
    const farewell = farewellOf(server);
    if (farewell === undefined) {
      const count = server.end - server.walked;
      return this.#owner.end("server_lost", malformed(server, `it sent ${count} bytes unasked`));
    }
    const packet = server.buffer.slice(server.walked, server.end);
    this.#finally(packet, () => this.#owner.end("server_lost", farewell));
  }

  onServerLost(error: SluiceError): void {
    switch (this.#mode) {
      case "closed":
      case "ending":
      case "draining":
        return;
      case "sending":
        // The client is still talking: heard out, so that it reads the answer and not a reset.
        return this.#drain(farewellOf(this.#server!) ?? error, "server_lost");
      case "replying":
        // The same for a file that it sends.
        if (!this.#walk.isComplete) {
          return this.#drain(farewellOf(this.#server!) ?? error, "server_lost");
        }
        return this.#pump.cut();
      default:
        this.#owner.end("server_lost", error);
    }
  }

  onReplyCut(): void {
    this.fail("server_lost", lost(this.#server!, "the server closed the connection"));
  }

  // ---- commands that come to nothing ----

  /** Reads the command to its end, then answers it with the error. */
  #drain(error: SluiceError, ends: EndReason | undefined): void {
    this.#failure = { error, ends };
    this.#mode = "draining";
    if (this.#taking === 0) this.#step(this.#drainOn);
  }

  #drainOn(): void {
    const input = this.#input;
    if (!this.#walk.isComplete) {
      input.consume(this.#walk.take(input.bytes, input.start, input.end));
    }
    if (!this.#walk.isComplete) return input.readMore(BIG);
    const { error, ends } = this.#failure!;
    this.#finally(frame(encodeErr(error), (this.#walk.sequence + 1) & 0xff), () => {
      if (this.#mode === "closed") return;
      if (ends !== undefined) this.#owner.end(ends, error);
      else this.#becomeIdle();
    });
  }
}
