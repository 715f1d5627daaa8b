/**
 * Moves replies from a server session to the client, slice by slice.
 *
 * A reply that fits the server session's idle buffer leaves in one write. A longer one is read on
 * behind its begin in a borrowed buffer, so that it costs one write too. At most one write is
 * outstanding, and the server is read again when it is done: a slow client slows only its own
 * server session, and memory stays flat.
 */
import type { ServerSession } from "../backend/server_session.ts";
import type { Settled, Transport } from "../net/transport.ts";

export interface ReplyPumpUser {
  /** The reply has reached the client whole. */
  onReplyMoved(): void;
  /** The request for the client's file has reached it. */
  onFileRequested(): void;
  /** The server session has ended, and all that it sent before has reached the client. */
  onReplyCut(): void;
  onClientUnwritable(error: unknown): void;
  /** The server has sent what cannot be a reply. */
  onMoveFailed(error: unknown): void;
  /** The reply ends with an ERR of this code, and none of it is sent. @returns whether it shall be */
  passesError(code: number): boolean;
}

export class ReplyPump {
  bytesOut = 0;
  readonly #client: Transport;
  readonly #user: ReplyPumpUser;
  #server: ServerSession | undefined;
  #isWriting = false;
  #isClosed = false;
  /** Bytes came in while a write was going on. */
  #hasMore = false;
  #replyBytes = 0;
  #onSettled: Settled | undefined;

  constructor(client: Transport, user: ReplyPumpUser) {
    this.#client = client;
    this.#user = user;
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether some of the reply is on its way to the client. */
  get hasBegun(): boolean {
    return this.#isWriting || this.#replyBytes > 0;
  }

  /** A command has gone to this server session; its reply comes. */
  begin(server: ServerSession): void {
    this.#server = server;
    this.#replyBytes = 0;
    this.#hasMore = false;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Moves what the server session has read. */
  move(): void {
    if (this.#isWriting) {
      this.#hasMore = true;
      return;
    }
    try {
      this.#move(this.#server!);
    } catch (error) {
      this.#user.onMoveFailed(error);
    }
  }

  /** Sends what waits in a borrowed buffer for more to come. */
  flush(): void {
    const server = this.#server;
    if (server !== undefined && !this.#isWriting && server.walked > server.moved) {
      this.#write(server);
    }
  }

  /** The server session has ended: what it sent before goes out first. */
  cut(): void {
    if (this.#isWriting) return; // what follows the write comes to the same
    this.flush();
    if (!this.#isWriting) this.#user.onReplyCut();
  }

  #move(server: ServerSession): void {
    const { tracker } = server;
    server.walked = tracker.feed(server.buffer, server.walked, server.end);
    server.end = tracker.end;
    const { errorCode } = tracker;
    if (errorCode !== 0 && this.#replyBytes === 0 && !this.#user.passesError(errorCode)) return;
    const isOver = tracker.done || tracker.clientTurn === "sends_file";
    if (!isOver && !server.isReading) {
      if (server.isSmallFull) {
        server.enlarge();
        return server.read();
      }
      if (tracker.needed > server.buffer.length) server.enlarge(tracker.needed);
    }
    if (server.walked > server.moved) return this.#write(server);
    if (isOver) return this.#moved(server);
    // What was flushed under an outstanding read still takes room, which a packet may need.
    server.compact();
    server.read();
  }

  #write(server: ServerSession): void {
    this.#isWriting = true;
    const part = server.buffer.subarray(server.moved, server.walked);
    const onSettled = this.#onSettled ??= this.#makeCallback();
    this.#client.write(part).then(onSettled, onSettled);
  }

  #makeCallback(): Settled {
    return (outcome) => {
      this.#isWriting = false;
      if (this.#isClosed) return;
      if (typeof outcome !== "number") return this.#user.onClientUnwritable(outcome);
      try {
        this.#written(this.#server!, outcome);
      } catch (error) {
        this.#user.onMoveFailed(error);
      }
    };
  }

  #written(server: ServerSession, count: number): void {
    this.bytesOut += count;
    this.#replyBytes += count;
    server.moved += count;
    if (server.moved < server.walked) return this.#write(server);
    this.#moved(server);
  }

  #moved(server: ServerSession): void {
    if (server.tracker.done) {
      this.#hasMore = false;
      server.finishReply(this.#replyBytes);
      return this.#user.onReplyMoved();
    }
    if (!server.isOpen) return this.#user.onReplyCut();
    server.compact();
    if (server.tracker.clientTurn === "sends_file") return this.#user.onFileRequested();
    if (!this.#hasMore) return server.read();
    this.#hasMore = false;
    this.move();
  }
}
