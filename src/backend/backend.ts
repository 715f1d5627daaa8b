/** One server address of a cluster and how it has been doing. */
import { formatAddress } from "../config/address.ts";
import type { ServerConfig } from "../config/types.ts";
import { messageOf, SluiceError } from "../errors.ts";
import { logInfo, logWarning } from "../log.ts";
import { PacketChannel } from "../net/packet_channel.ts";
import { closeQuietly, dial, type Transport } from "../net/transport.ts";
import { Repeats } from "./repeats.ts";
import { LOGIN_PACKET_LIMIT } from "./server_login.ts";

/** After a failure a server is tried last for this long, so that not everybody waits for it. */
const SUSPECT_FOR = 5_000;

/** Limits that every way to a server keeps. */
export interface DialLimits {
  /** From dialing to the end of the login. Milliseconds. */
  readonly timeout: number;
  /** Ends the attempt when whoever wanted it is gone. */
  readonly signal?: AbortSignal;
}

export class Backend {
  readonly address: string;
  #config: ServerConfig;
  #suspectUntil = 0;
  readonly #failures = new Repeats();
  #lastFailure = "";
  /** Since the log has told of a failure. Milliseconds since the epoch. */
  #missedSince: number | undefined;

  constructor(config: ServerConfig) {
    this.#config = config;
    this.address = formatAddress(config.address);
  }

  get config(): ServerConfig {
    return this.#config;
  }

  /** Takes other values of live keys; name and address are the same. */
  use(config: ServerConfig): void {
    this.#config = config;
  }

  /** As errors and logs name it. */
  get label(): string {
    return this.config.name === this.address
      ? this.address
      : `${this.config.name} (${this.address})`;
  }

  isSuspect(now: number): boolean {
    return now < this.#suspectUntil;
  }

  /** A connect or login failed for the server's sake, or succeeded. */
  report(isWell: boolean, now: number): void {
    this.#suspectUntil = isWell ? 0 : now + SUSPECT_FOR;
    if (isWell) this.#tellBack(now);
  }

  /** Has the log tell why it could not be used, or that it goes on so. */
  tellFailure(cause: string, now: number): void {
    this.#lastFailure = cause;
    this.#failures.add();
    this.sweep(now);
  }

  /** About once a second. */
  sweep(now: number): void {
    const failures = this.#failures.due(now);
    if (failures === 0) return;
    this.#missedSince ??= now;
    logWarning("server failed", { server: this.label, cause: this.#lastFailure, failures });
  }

  #tellBack(now: number): void {
    this.#failures.forget();
    if (this.#missedSince === undefined) return;
    logInfo("server is back", { server: this.label, away_ms: now - this.#missedSince });
    this.#missedSince = undefined;
  }

  /**
   * Connects and runs `use`, both within the time limit. On any failure the connection is closed;
   * afterwards it is the caller's.
   * @throws {SluiceError} that names this server
   */
  async connect<Result>(
    limits: DialLimits,
    use: (channel: PacketChannel) => Promise<Result>,
  ): Promise<Result> {
    const abort = new AbortController();
    let transport: Transport | undefined;
    let isTimedOut = false;
    const giveUp = () => {
      abort.abort();
      if (transport !== undefined) closeQuietly(transport);
    };
    const timer = setTimeout(() => {
      isTimedOut = true;
      giveUp();
    }, limits.timeout);
    limits.signal?.addEventListener("abort", giveUp);
    try {
      limits.signal?.throwIfAborted();
      transport = await dial(this.config.address, abort.signal);
      return await use(new PacketChannel(transport, LOGIN_PACKET_LIMIT));
    } catch (error) {
      if (transport !== undefined) closeQuietly(transport);
      throw this.#named(error, isTimedOut ? limits.timeout : undefined);
    } finally {
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", giveUp);
    }
  }

  #named(error: unknown, timeout: number | undefined): SluiceError {
    if (timeout !== undefined) {
      return new SluiceError(
        "server_unreachable",
        `Can't connect to server ${this.label}: no login within ${timeout} ms`,
        { cause: error },
      );
    }
    if (!(error instanceof SluiceError)) {
      return new SluiceError(
        "server_unreachable",
        `Can't connect to server ${this.label}: ${messageOf(error)}`,
        { cause: error },
      );
    }
    // What concerns the client's own schema reads as it would on a direct connection.
    if (error.code === 1049 || error.code === 1044) return error;
    return new SluiceError(error.kind, `Server ${this.label}: ${error.message}`, {
      code: error.code,
      sqlState: error.sqlState,
      cause: error,
    });
  }
}
