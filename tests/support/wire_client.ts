/**
 * A raw client of the protocol for tests: it sends what it is told and gives back the packets of
 * the reply as they came. It reads replies by its own plain code, not by the proxy's tracker, so
 * that each can be held against the other.
 */
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { ClientAuth, LoginKey } from "../../src/protocol/auth.ts";
import { Capability, Command } from "../../src/protocol/constants.ts";
import { decodeGreeting, encodeLogin, type Greeting } from "../../src/protocol/handshake.ts";
import { type FileSource, ReplyReader } from "./reply_reader.ts";
import { type PacketObserver, Wire, type WirePacket } from "./wire.ts";

export { WireClosed, type WirePacket } from "./wire.ts";

export interface WireOptions {
  readonly hostname?: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  /** What to ask for; only what the server offers too is sent. {@link CLASSIC} unless given. */
  readonly capabilities?: number;
  /** MariaDB's. Anything but 0 clears LONG_PASSWORD, which tells the server to read them. */
  readonly extendedCapabilities?: number;
  /** Plugin to begin with; the greeting's unless given. */
  readonly plugin?: string;
  readonly charset?: number;
  readonly maxPacketSize?: number;
  /** Connection attributes; sent where `capabilities` has CONNECT_ATTRS. */
  readonly attributes?: Uint8Array;
  /** Sees every packet of both directions, with its header. */
  readonly onPacket?: PacketObserver;
  readonly onInfile?: FileSource;
}

/** The dialect that ends definitions and rows with EOF packets. */
export const CLASSIC: number = Capability.LONG_PASSWORD | Capability.LONG_FLAG |
  Capability.LOCAL_FILES | Capability.PROTOCOL_41 | Capability.TRANSACTIONS |
  Capability.SECURE_CONNECTION | Capability.MULTI_STATEMENTS | Capability.MULTI_RESULTS |
  Capability.PS_MULTI_RESULTS | Capability.PLUGIN_AUTH;

/** The dialect of current drivers. */
export const MODERN: number = CLASSIC | Capability.DEPRECATE_EOF | Capability.SESSION_TRACK |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA;

/** An ERR packet of the server, where a test did not expect one. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: number;

  constructor(payload: Uint8Array) {
    const code = payload[1]! | (payload[2]! << 8);
    super(`Server error ${code}: ${new TextDecoder().decode(payload.subarray(3))}`);
    this.code = code;
  }
}

export class WireClient implements Disposable {
  readonly greeting: Greeting;
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  /** Packets of the login: greeting first, the server's last OK last. */
  readonly login: readonly WirePacket[];

  readonly #wire: Wire;
  readonly #options: WireOptions;

  private constructor(wire: Wire, options: WireOptions, agreed: Agreement) {
    this.#wire = wire;
    this.#options = options;
    this.greeting = agreed.greeting;
    this.capabilities = agreed.capabilities;
    this.extendedCapabilities = agreed.extendedCapabilities;
    this.login = agreed.login;
  }

  /** Connects and logs in. @throws {WireError} where the server refuses */
  static async connect(options: WireOptions): Promise<WireClient> {
    const { hostname = "127.0.0.1", port } = options;
    const connection = await Deno.connect({ hostname, port });
    // A command without a reply would hold the next one back.
    connection.setNoDelay();
    const wire = new Wire(connection, options.onPacket);
    try {
      return new WireClient(wire, options, await logIn(wire, options));
    } catch (error) {
      wire.close();
      throw error;
    }
  }

  get address(): Deno.NetAddr {
    return this.#wire.connection.localAddr as Deno.NetAddr;
  }

  /** Sends one request and gives the packets of its whole reply. */
  async command(payload: Uint8Array): Promise<WirePacket[]> {
    const packets: WirePacket[] = [];
    await this.stream(payload, (packet) => packets.push(packet));
    return packets;
  }

  /** The same for replies that are too large to keep. A packet's bytes are its owner's own. */
  async stream(payload: Uint8Array, onPacket: (packet: WirePacket) => void): Promise<void> {
    await this.send(payload);
    const reply = new ReplyReader(this.#wire, this, (packet) => onPacket(packet));
    const opensCursor = payload[0] === Command.STMT_EXECUTE && (payload[5]! & 7) !== 0;
    await reply.read(payload[0] ?? -1, this.#options.onInfile, opensCursor);
  }

  query(sql: string): Promise<WirePacket[]> {
    const hasAttributes = (this.capabilities & Capability.QUERY_ATTRIBUTES) !== 0;
    const head = hasAttributes ? [Command.QUERY, 0, 1] : [Command.QUERY];
    return this.command(concat([Uint8Array.from(head), encodeText(sql)]));
  }

  /** Runs a statement that must not fail. @throws {WireError} */
  async run(sql: string): Promise<WirePacket[]> {
    const packets = await this.query(sql);
    const error = packets.find(({ payload }) => payload[0] === 0xff);
    if (error) throw new WireError(error.payload);
    return packets;
  }

  /** A request with the command byte alone, or with bytes behind it. */
  simple(command: number, ...rest: Uint8Array[]): Promise<WirePacket[]> {
    return this.command(concat([Uint8Array.of(command), ...rest]));
  }

  /** Prepares a statement. @throws {WireError} */
  async prepare(sql: string): Promise<PreparedStatement> {
    const packets = await this.simple(Command.STMT_PREPARE, encodeText(sql));
    const head = packets[0]!.payload;
    if (head[0] === 0xff) throw new WireError(head);
    const view = new DataView(head.buffer, head.byteOffset);
    return {
      statementId: view.getUint32(1, true),
      columns: view.getUint16(5, true),
      parameters: view.getUint16(7, true),
      packets,
    };
  }

  /** Sends a request without waiting for its reply. */
  async send(payload: Uint8Array): Promise<void> {
    this.#wire.sequence = 0;
    await this.#wire.write(payload);
  }

  /** Sends bytes as they are: no header is added. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    await this.#wire.writeRaw(bytes);
  }

  /** Sends a further packet of the current exchange. */
  async sendMore(payload: Uint8Array): Promise<void> {
    await this.#wire.write(payload);
  }

  /** The server's next packet, or null where it has closed. */
  async packet(): Promise<WirePacket | null> {
    return await this.#wire.read();
  }

  /** Reads the reply to a request that was sent before. */
  async reply(command: number): Promise<WirePacket[]> {
    const packets: WirePacket[] = [];
    await new ReplyReader(this.#wire, this, (packet) => packets.push(packet)).read(
      command,
      this.#options.onInfile,
    );
    return packets;
  }

  /** Answers a server's authentication requests until its OK or ERR. */
  async authenticate(auth: ClientAuth): Promise<WirePacket[]> {
    const packets: WirePacket[] = [];
    for (;;) {
      const packet = await this.#wire.expect();
      packets.push(packet);
      if (packet.payload[0] === 0x00 || packet.payload[0] === 0xff) return packets;
      const answer = auth.next(packet.payload);
      if (answer !== undefined) await this.#wire.write(answer);
    }
  }

  /** Says goodbye and waits until the server has closed. */
  async quit(): Promise<void> {
    await this.send(Uint8Array.of(Command.QUIT));
    while (await this.#wire.read() !== null);
    this.#wire.close();
  }

  /** Leaves without a word. */
  close(): void {
    this.#wire.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface PreparedStatement {
  readonly statementId: number;
  readonly columns: number;
  readonly parameters: number;
  readonly packets: readonly WirePacket[];
}

interface Agreement {
  readonly greeting: Greeting;
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  readonly login: readonly WirePacket[];
}

async function logIn(wire: Wire, options: WireOptions): Promise<Agreement> {
  const first = await wire.expect();
  if (first.payload[0] === 0xff) throw new WireError(first.payload);
  const greeting = decodeGreeting(first.payload);
  const login: WirePacket[] = [first];
  const extendedCapabilities = (options.extendedCapabilities ?? 0) &
    greeting.extendedCapabilities;
  let wanted = options.capabilities ?? CLASSIC;
  if (options.database !== undefined) wanted |= Capability.CONNECT_WITH_DB;
  // MariaDB's greeting leaves out LONG_PASSWORD, which is how a client sees that it is MariaDB.
  let capabilities = (wanted & (greeting.capabilities | Capability.LONG_PASSWORD)) >>> 0;
  if (extendedCapabilities !== 0) capabilities &= ~Capability.LONG_PASSWORD;
  const auth = new ClientAuth(LoginKey.fromPassword(options.password));
  const { plugin, response } = auth.start(options.plugin ?? greeting.authPlugin, greeting.authData);
  await wire.write(encodeLogin({
    capabilities,
    extendedCapabilities,
    maxPacketSize: options.maxPacketSize ?? 1 << 30,
    charset: options.charset ?? 45,
    user: options.user,
    authResponse: response,
    database: options.database ?? "",
    authPlugin: plugin,
    attributes: options.attributes ?? new Uint8Array(0),
  }));
  for (;;) {
    const packet = await wire.expect();
    login.push(packet);
    if (packet.payload[0] === 0xff) throw new WireError(packet.payload);
    if (packet.payload[0] === 0x00) {
      return { greeting, capabilities, extendedCapabilities, login };
    }
    const answer = auth.next(packet.payload);
    if (answer !== undefined) await wire.write(answer);
  }
}
