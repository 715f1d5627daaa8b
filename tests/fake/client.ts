/**
 * A client for tests that sends what it is told, valid or not, from the first byte on. For whole
 * conversations as drivers have them see `tests/support/wire_client.ts`.
 */
import { concat, encodeText, frame } from "../../src/protocol/bytes.ts";
import { ClientAuth, LoginKey, type PluginName } from "../../src/protocol/auth.ts";
import { Capability, Command } from "../../src/protocol/constants.ts";
import {
  decodeGreeting,
  encodeLogin,
  type Greeting,
  type Login,
} from "../../src/protocol/handshake.ts";
import { decodeErr, type ErrPacket } from "../../src/protocol/response.ts";

export interface FakeLogin {
  readonly user: string;
  readonly password: string;
  /** Plugin of the request; the greeting's unless given. */
  readonly plugin?: PluginName;
  /** Any part of the request in place of the usual one. */
  readonly login?: Partial<Login>;
}

const CAPABILITIES = Capability.LONG_PASSWORD | Capability.LONG_FLAG | Capability.LOCAL_FILES |
  Capability.PROTOCOL_41 | Capability.TRANSACTIONS | Capability.SECURE_CONNECTION |
  Capability.MULTI_STATEMENTS | Capability.MULTI_RESULTS | Capability.PS_MULTI_RESULTS |
  Capability.PLUGIN_AUTH | Capability.DEPRECATE_EOF | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA;

export class FakeClient implements Disposable {
  /** Number of the next packet to send. */
  sequence = 0;
  greeting: Greeting | undefined;
  readonly #connection: Deno.TcpConn;
  #buffered: Uint8Array = new Uint8Array(0);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(port: number): Promise<FakeClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new FakeClient(connection);
  }

  /** Connects and logs in. @throws where the login is refused */
  static async logIn(options: FakeLogin & { readonly port: number }): Promise<FakeClient> {
    const client = await FakeClient.connect(options.port);
    const last = await client.logIn(options);
    if (last[0] === 0x00) return client;
    client.close();
    throw new Error(`Login was refused: ${decodeErr(last).message}`);
  }

  /** @returns payload of the OK or ERR that ends the login */
  async logIn({ user, password, plugin, login }: FakeLogin): Promise<Uint8Array> {
    const greeting = await this.greet();
    const auth = new ClientAuth(LoginKey.fromPassword(password));
    const first = auth.start(plugin ?? greeting.authPlugin, greeting.authData);
    const database = login?.database ?? "";
    await this.send(encodeLogin({
      capabilities: CAPABILITIES | (database === "" ? 0 : Capability.CONNECT_WITH_DB),
      extendedCapabilities: 0,
      maxPacketSize: 1 << 30,
      charset: 45,
      user,
      authResponse: first.response,
      database,
      authPlugin: first.plugin,
      attributes: new Uint8Array(0),
      ...login,
    }));
    return await this.authenticate(auth);
  }

  /** Answers authentication requests. @returns payload of the OK or ERR that ends them */
  async authenticate(auth: ClientAuth): Promise<Uint8Array> {
    for (;;) {
      const payload = await this.expect();
      if (payload[0] === 0x00 || payload[0] === 0xff) return payload;
      const answer = auth.next(payload);
      if (answer !== undefined) await this.send(answer);
    }
  }

  /** Reads the greeting, once. */
  async greet(): Promise<Greeting> {
    return this.greeting ??= decodeGreeting(await this.expect());
  }

  /** The next packet's payload, or null at the end of the connection, by close or reset. */
  async read(): Promise<Uint8Array | null> {
    const header = await this.#take(4);
    if (header === null) return null;
    this.sequence = (header[3]! + 1) & 0xff;
    return await this.#take(header[0]! | (header[1]! << 8) | (header[2]! << 16));
  }

  /** The next packet's payload. @throws where there is none */
  async expect(): Promise<Uint8Array> {
    const payload = await this.read();
    if (payload === null) throw new Error("Expected a packet, got the end of the connection");
    return payload;
  }

  /** The next packet as ERR. @throws where it is none */
  async expectErr(): Promise<ErrPacket> {
    return decodeErr(await this.expect());
  }

  /** Reads what is still to come. @returns how many bytes that was */
  async ended(): Promise<number> {
    let count = this.#buffered.length;
    this.#buffered = new Uint8Array(0);
    for (;;) {
      const bytes = await this.#readSome();
      if (bytes === null) return count;
      count += bytes.length;
    }
  }

  /** Gives all that comes to `take` until that says it is enough. */
  async readAll(take: (chunk: Uint8Array) => boolean): Promise<void> {
    const chunk = new Uint8Array(1 << 18);
    let isEnough = this.#buffered.length > 0 && take(this.#buffered);
    this.#buffered = new Uint8Array(0);
    while (!isEnough) {
      const count = await this.#connection.read(chunk);
      if (count === null) throw new Error("Expected more, got the end of the connection");
      isEnough = take(chunk.subarray(0, count));
    }
  }

  /** Sends a message as the next packets. */
  async send(payload: Uint8Array): Promise<void> {
    const bytes = frame(payload, this.sequence);
    this.sequence = (this.sequence + 1 + Math.floor(payload.length / 0xffffff)) & 0xff;
    await this.sendRaw(bytes);
  }

  async sendRaw(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Sends each byte in a write of its own. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) await this.sendRaw(Uint8Array.of(byte));
  }

  /** Sends COM_QUERY. */
  async query(sql: string): Promise<void> {
    await this.sendRaw(queryBytes(sql));
  }

  /** Sends COM_PING and waits for its OK. */
  async ping(): Promise<void> {
    await this.sendRaw(frame(Uint8Array.of(Command.PING), 0));
    const head = (await this.expect())[0];
    if (head !== 0x00) throw new Error(`Expected OK, got 0x${head?.toString(16)}`);
  }

  /** Says that nothing more will be sent, and goes on reading. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  close(): void {
    try {
      this.#connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #take(count: number): Promise<Uint8Array | null> {
    const taken = new Uint8Array(count);
    for (let have = 0;;) {
      const part = this.#buffered.subarray(0, count - have);
      taken.set(part, have);
      have += part.length;
      this.#buffered = this.#buffered.subarray(part.length);
      if (have === count) return taken;
      const bytes = await this.#readSome();
      if (bytes === null) return null;
      this.#buffered = bytes;
    }
  }

  async #readSome(): Promise<Uint8Array | null> {
    const chunk = new Uint8Array(65536);
    try {
      const count = await this.#connection.read(chunk);
      return count === null ? null : chunk.subarray(0, count);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    }
  }
}

/** A framed COM_QUERY. */
export function queryBytes(sql: string): Uint8Array {
  return frame(concat([Uint8Array.of(Command.QUERY), encodeText(sql)]), 0);
}
