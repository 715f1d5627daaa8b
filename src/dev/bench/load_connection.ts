import type { Address } from "../../config/types.ts";
import { ClientAuth, LoginKey } from "../../protocol/auth.ts";
import { encodeText, frame, payloadLength } from "../../protocol/bytes.ts";
import {
  Capability,
  ColumnType,
  Command,
  Head,
  UTF8MB4_GENERAL_CI,
} from "../../protocol/constants.ts";
import { decodeGreeting, encodeLogin } from "../../protocol/handshake.ts";
import { decodeErr } from "../../protocol/response.ts";

export interface LoadAccount {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Without DEPRECATE_EOF, so that a result ends with its second EOF packet. */
const CAPABILITIES = Capability.LONG_PASSWORD | Capability.PROTOCOL_41 | Capability.TRANSACTIONS |
  Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH | Capability.CONNECT_WITH_DB;

/** Of COM_STMT_EXECUTE with one 64-bit parameter. */
const EXECUTE_SIZE = 22;

const EMPTY = new Uint8Array(0);

/** What a statement came to. */
export interface LoadResult {
  /** Received. */
  readonly bytes: number;
  readonly rows: number;
}

/** A MySQL client that does as little as it can, so that its own cost stays out of the way. */
export class LoadConnection {
  #connection: Deno.Conn;
  #buffer: Uint8Array;
  /** Bytes of the buffer that are filled. */
  #end = 0;

  private constructor(connection: Deno.Conn, bufferSize: number) {
    this.#connection = connection;
    this.#buffer = new Uint8Array(bufferSize);
  }

  /** Connects and logs in. */
  static async open(
    address: Address,
    account: LoadAccount,
    bufferSize = 4096,
  ): Promise<LoadConnection> {
    const self = new LoadConnection(await Deno.connect(address), bufferSize);
    try {
      await self.#logIn(account);
    } catch (error) {
      self.close();
      throw error;
    }
    return self;
  }

  /** Runs a statement and throws its result away. */
  run(statement: string): Promise<LoadResult> {
    return this.#ask(textCommand(Command.QUERY, statement));
  }

  /** @returns id of the statement, which must have columns and one parameter, a number */
  async prepare(statement: string): Promise<number> {
    await this.#send(textCommand(Command.STMT_PREPARE, statement), 0);
    const reply = await this.#packet();
    const view = new DataView(reply.buffer);
    const [columns, parameters] = [view.getUint16(5, true), view.getUint16(7, true)];
    if (columns === 0 || parameters !== 1) {
      throw new Error(`Cannot use ${statement}: it must have columns and one parameter`);
    }
    for (let packets = parameters + 1 + columns + 1; packets > 0; packets--) await this.#packet();
    return view.getUint32(1, true);
  }

  /** Executes a prepared statement and throws its result away. */
  execute(id: number, value: number): Promise<LoadResult> {
    const payload = new Uint8Array(EXECUTE_SIZE);
    const view = new DataView(payload.buffer);
    payload[0] = Command.STMT_EXECUTE;
    view.setUint32(1, id, true);
    view.setUint32(6, 1, true); // iterations; no cursor before it, no NULL behind it
    payload[11] = 1; // types follow
    payload[12] = ColumnType.LONGLONG;
    view.setBigInt64(14, BigInt(value), true);
    return this.#ask(payload);
  }

  /** Sends a command whose reply is an OK, an ERR or one result. */
  async #ask(payload: Uint8Array): Promise<LoadResult> {
    await this.#send(payload, 0);
    const buffer = this.#buffer;
    let bytes = 0;
    let at = 0; // of the next packet head; beyond #end while a payload is still arriving
    let ends = 0;
    let rows = -1; // the packet that ends the rows counts too
    for (let packets = 0;; bytes += await this.#read()) {
      // Every packet of a result has a first byte, so head and first byte are awaited together.
      while (this.#end - at >= 5) {
        const length = payloadLength(buffer, at);
        const first = buffer[at + 4]!;
        if (first === Head.ERR) {
          const text = errorText(buffer.subarray(at + 4, this.#end));
          this.#end = 0;
          throw new Error(text);
        }
        const isEnd = first === Head.EOF && length < 9;
        if (ends === 1) rows++;
        if (isEnd) ends++;
        at += 4 + length;
        if (packets++ === 0 && first === Head.OK || ends === 2) {
          this.#end = 0;
          return { bytes, rows: Math.max(rows, 0) };
        }
      }
      if (at >= this.#end) {
        at -= this.#end;
        this.#end = 0;
      } else {
        buffer.copyWithin(0, at, this.#end);
        this.#end -= at;
        at = 0;
      }
    }
  }

  /** Resolves when the peer closes the connection or sends what nobody asked for. */
  async disturbed(): Promise<void> {
    await this.#connection.read(this.#buffer).catch(() => null);
  }

  close(): void {
    this.#connection.close();
  }

  async #logIn(account: LoadAccount): Promise<void> {
    const greeting = decodeGreeting(await this.#packet());
    const auth = new ClientAuth(LoginKey.fromPassword(account.password));
    const { plugin, response } = auth.start(greeting.authPlugin, greeting.authData);
    let answer: Uint8Array | undefined = encodeLogin({
      capabilities: account.database === ""
        ? CAPABILITIES & ~Capability.CONNECT_WITH_DB
        : CAPABILITIES,
      extendedCapabilities: 0,
      maxPacketSize: 1 << 24,
      charset: UTF8MB4_GENERAL_CI,
      user: account.user,
      authResponse: response,
      database: account.database,
      authPlugin: plugin,
      attributes: EMPTY,
    });
    for (let sequence = 1;; sequence += 2) {
      if (answer !== undefined) await this.#send(answer, sequence);
      const payload = await this.#packet();
      if (payload[0] === Head.OK) return;
      answer = auth.next(payload);
      if (answer === undefined) sequence--;
    }
  }

  /** The next whole packet's payload; where packets are small. */
  async #packet(): Promise<Uint8Array> {
    while (this.#end < 4 || this.#end < 4 + payloadLength(this.#buffer, 0)) await this.#read();
    const next = 4 + payloadLength(this.#buffer, 0);
    const payload = this.#buffer.slice(4, next);
    this.#buffer.copyWithin(0, next, this.#end);
    this.#end -= next;
    if (payload[0] === Head.ERR) throw new Error(errorText(payload));
    return payload;
  }

  async #read(): Promise<number> {
    const count = await this.#connection.read(this.#buffer.subarray(this.#end));
    if (count === null) throw new Error("Cannot read: the connection was closed");
    this.#end += count;
    return count;
  }

  async #send(payload: Uint8Array, sequence: number): Promise<void> {
    const bytes = frame(payload, sequence);
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }
}

function textCommand(code: number, statement: string): Uint8Array {
  const text = encodeText(statement);
  const payload = new Uint8Array(text.length + 1);
  payload[0] = code;
  payload.set(text, 1);
  return payload;
}

function errorText(payload: Uint8Array): string {
  const { code, message } = decodeErr(payload);
  return `Cannot run the load: error ${code}, ${message}`;
}
