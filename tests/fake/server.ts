/**
 * A MySQL server for tests that does what its script says, over loopback. It greets and checks
 * logins by either plugin, or leaves even that to the script; after that the script reads requests
 * and sends whatever it wants, valid or not.
 */
import { concat, decodeText, frame } from "../../src/protocol/bytes.ts";
import {
  LoginKey,
  type PluginName,
  type RsaKey,
  ServerAuth,
  SHA2,
  verifierOf,
} from "../../src/protocol/auth.ts";
import { Capability, Command, Status } from "../../src/protocol/constants.ts";
import { decodeLogin, encodeGreeting, type Login } from "../../src/protocol/handshake.ts";
import { encodeErr, encodeOk, plainOk } from "../../src/protocol/response.ts";
import { makeColumn } from "../../src/protocol/resultset.ts";
import { makeRsaKey } from "../../src/session/rsa_key.ts";
import { encodeResultSet } from "../support/codec/replies.ts";

/** The connection ended where the script wanted to go on: that is no failure of the script. */
class PeerLeft extends Error {
  override readonly name = "PeerLeft";
}

export interface FakeServerOptions {
  readonly serverVersion?: string;
  /** Of the greeting and of all accounts. */
  readonly plugin?: PluginName;
  /** Asks for the password itself even where the hash would do. */
  readonly asksFully?: boolean;
  /** Of all accounts; any user name will do. */
  readonly password?: string;
  readonly capabilities?: number;
  /** What a connection meets from its first byte on, in place of greeting and login. */
  readonly onConnection?: (peer: FakePeer) => Promise<void>;
  /** What comes after a login; the connection is closed behind it. Answers OK unless given. */
  readonly onSession?: (peer: FakePeer) => Promise<void>;
}

/** One for all fake servers: making it takes a while. */
let rsaKey: Promise<RsaKey> | undefined;

/** What MySQL 8 offers, as far as the proxy passes it on. */
const CAPABILITIES = Capability.LONG_PASSWORD | Capability.FOUND_ROWS | Capability.LONG_FLAG |
  Capability.CONNECT_WITH_DB | Capability.NO_SCHEMA | Capability.LOCAL_FILES |
  Capability.IGNORE_SPACE | Capability.PROTOCOL_41 | Capability.INTERACTIVE |
  Capability.TRANSACTIONS | Capability.SECURE_CONNECTION | Capability.MULTI_STATEMENTS |
  Capability.MULTI_RESULTS | Capability.PS_MULTI_RESULTS | Capability.PLUGIN_AUTH |
  Capability.CONNECT_ATTRS | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.SESSION_TRACK | Capability.DEPRECATE_EOF;

export class FakeServer implements AsyncDisposable {
  readonly port: number;
  /** Connections that were accepted so far. */
  connections = 0;
  /** Requests for logins, in order. */
  readonly logins: Login[] = [];
  /** Texts of the COM_QUERY requests that `serve` read, in order. */
  readonly queries: string[] = [];
  readonly #options: FakeServerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #peers = new Set<FakePeer>();
  readonly #failures: unknown[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(options: FakeServerOptions = {}) {
    this.#options = options;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#peers.size;
  }

  /** Closes all connections from here; new ones are still taken. */
  drop(): void {
    for (const peer of this.#peers) peer.close();
  }

  /** @throws what a script threw, other than that its client had left */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.drop();
    await Promise.all(this.#running);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      connection.setNoDelay(true);
      const peer = new FakePeer(connection, { id: ++this.connections, queries: this.queries });
      this.#peers.add(peer);
      const running = this.#serve(peer).catch((error) => {
        if (!(error instanceof PeerLeft)) this.#failures.push(error);
      }).finally(() => {
        peer.close();
        this.#peers.delete(peer);
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
  }

  async #serve(peer: FakePeer): Promise<void> {
    const { onConnection, onSession } = this.#options;
    if (onConnection !== undefined) return await onConnection(peer);
    await peer.greet(this.#options);
    this.logins.push(await peer.logIn(this.#options));
    if (onSession !== undefined) await onSession(peer);
    else await peer.serve((_, session) => session.ok());
  }
}

export class FakePeer {
  /** Counts the server's connections from 1; the thread id of the greeting. */
  readonly id: number;
  /** Number of the next packet in either direction. */
  sequence = 0;
  /** What the login agreed on. */
  capabilities = 0;
  /** Bytes that were handed to the system. */
  bytesSent = 0;
  readonly #connection: Deno.TcpConn;
  readonly #queries: string[];
  readonly #nonce = Uint8Array.from({ length: 20 }, (_, at) => 0x41 + at);
  #buffered: Uint8Array = new Uint8Array(0);
  #isClosed = false;

  constructor(
    connection: Deno.TcpConn,
    { id, queries }: { readonly id: number; readonly queries: string[] },
  ) {
    this.#connection = connection;
    this.id = id;
    this.#queries = queries;
  }

  async greet(options: FakeServerOptions = {}): Promise<void> {
    await this.send(encodeGreeting({
      serverVersion: options.serverVersion ?? "8.4.0-fake",
      threadId: this.id,
      capabilities: options.capabilities ?? CAPABILITIES,
      extendedCapabilities: 0,
      charset: 45,
      status: Status.AUTOCOMMIT,
      authData: this.#nonce,
      authPlugin: options.plugin ?? SHA2,
    }));
  }

  /** Takes a login request, checks its password and answers OK or ERR. */
  async logIn(options: FakeServerOptions = {}): Promise<Login> {
    const login = decodeLogin(await this.read());
    this.capabilities = login.capabilities;
    const verifier = verifierOf(LoginKey.fromPassword(options.password ?? "secret"));
    const auth = new ServerAuth({
      nonce: this.#nonce,
      verifier: options.asksFully ? { isEmpty: false, sha1Twice: verifier.sha1Twice } : verifier,
      announced: options.plugin ?? SHA2,
    });
    let step = login.authPlugin === (options.plugin ?? SHA2)
      ? auth.start(login.authPlugin, login.authResponse)
      : auth.switchTo(options.plugin ?? SHA2);
    for (;;) {
      switch (step.kind) {
        case "send":
          await this.send(step.payload);
          step = auth.next(await this.read());
          break;
        case "need_rsa_key":
          step = auth.useRsaKey(await (rsaKey ??= makeRsaKey()));
          break;
        case "accepted":
          if (step.payload) await this.send(step.payload);
          await this.ok();
          return login;
        case "refused":
          await this.err(1045, "28000", `Access denied for user '${login.user}'`);
          throw new PeerLeft("Login was refused");
      }
    }
  }

  /** Answers COM_QUERY by `answer`, COM_PING by OK and COM_QUIT by closing. */
  async serve(answer: (sql: string, peer: FakePeer) => Promise<void>): Promise<void> {
    for (;;) {
      const request = await this.request();
      switch (request[0]) {
        case Command.QUIT:
          return;
        case Command.QUERY: {
          const sql = decodeText(request.subarray(1));
          this.#queries.push(sql);
          await answer(sql, this);
          break;
        }
        default:
          await this.ok();
      }
    }
  }

  /** The next request's payload; its packets must begin at number 0. */
  async request(): Promise<Uint8Array> {
    this.sequence = 0;
    return await this.read();
  }

  /** Takes a request that must be this one. */
  async expect(command: number, text?: string): Promise<void> {
    const request = await this.request();
    const got = decodeText(request.subarray(1));
    if (request[0] !== command || (text !== undefined && text !== got)) {
      throw new Error(`Expected command ${command} ${text ?? ""}, got ${request[0]} ${got}`);
    }
  }

  /** The next message's payload, in as many packets as it takes. */
  async read(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const header = await this.take(4);
      const length = header[0]! | (header[1]! << 8) | (header[2]! << 16);
      if (header[3] !== this.sequence) {
        throw new Error(`Expected packet number ${this.sequence}, got ${header[3]}`);
      }
      this.sequence = (this.sequence + 1) & 0xff;
      parts.push(await this.take(length));
      if (length < 0xffffff) return parts.length === 1 ? parts[0]! : concat(parts);
    }
  }

  /** Exactly so many bytes, packets or not. */
  async take(count: number): Promise<Uint8Array> {
    const taken = new Uint8Array(count);
    const chunk = new Uint8Array(65536);
    for (let have = 0;;) {
      if (this.#isClosed) throw new PeerLeft("The connection was closed from here");
      const part = this.#buffered.subarray(0, count - have);
      taken.set(part, have);
      have += part.length;
      this.#buffered = this.#buffered.subarray(part.length);
      if (have === count) return taken;
      const read = await this.#or(this.#connection.read(chunk));
      if (read === null) throw new PeerLeft("The peer closed the connection");
      this.#buffered = chunk.slice(0, read);
    }
  }

  /** Sends messages as the next packets, in one write. */
  async send(...payloads: readonly Uint8Array[]): Promise<void> {
    await this.sendRaw(this.framed(...payloads));
  }

  /** The same packets as bytes, to be sent in whatever way. */
  framed(...payloads: readonly Uint8Array[]): Uint8Array {
    return concat(payloads.map((payload) => {
      const bytes = frame(payload, this.sequence);
      this.sequence = (this.sequence + 1 + Math.floor(payload.length / 0xffffff)) & 0xff;
      return bytes;
    }));
  }

  async sendRaw(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const written = await this.#or(this.#connection.write(bytes.subarray(at)));
      at += written;
      this.bytesSent += written;
    }
  }

  /** Sends each byte in a write of its own. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) await this.sendRaw(Uint8Array.of(byte));
  }

  async ok(status: number = Status.AUTOCOMMIT): Promise<void> {
    await this.send(encodeOk(plainOk(status), this.capabilities));
  }

  async err(code: number, sqlState: string, message: string): Promise<void> {
    await this.send(encodeErr({ code, sqlState, message }));
  }

  /** A result set of one column. */
  async rows(values: readonly string[]): Promise<void> {
    await this.send(...this.rowPackets(values));
  }

  /** Payloads of such a result set. */
  rowPackets(values: readonly string[]): Uint8Array[] {
    const result = {
      columns: [makeColumn("value")],
      rows: values.map((value) => [value]),
      status: Status.AUTOCOMMIT,
      warnings: 0,
    };
    const { capabilities } = this;
    return encodeResultSet(result, { capabilities, extendedCapabilities: 0, binary: false });
  }

  /** Says nothing until the peer leaves. */
  async stall(): Promise<void> {
    for (;;) await this.take(1);
  }

  close(): void {
    this.#isClosed = true;
    try {
      this.#connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #or<Result>(operation: Promise<Result>): Promise<Result> {
    try {
      return await operation;
    } catch (cause) {
      throw new PeerLeft("The connection ended", { cause });
    }
  }
}
