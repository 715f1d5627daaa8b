/**
 * A raw client of the protocol for tests: it sends what it is told and gives back the packets of
 * the reply as they came. It reads replies by its own plain code, not by the proxy's tracker, so
 * that each can be held against the other.
 */
import { concat, encodeText, frame } from "../../src/protocol/bytes.ts";
import { ClientAuth, LoginKey } from "../../src/protocol/auth.ts";
import { Capability, Command, Status } from "../../src/protocol/constants.ts";
import { decodeGreeting, encodeLogin, type Greeting } from "../../src/protocol/handshake.ts";

/** One packet as it stands on the wire. */
export interface WirePacket {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

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
  readonly onPacket?: (direction: "<" | ">", packet: Uint8Array) => void;
  /** Content of the file that LOCAL INFILE asks for; an empty one unless given. */
  readonly onInfile?: (name: string) => Iterable<Uint8Array>;
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

/** The server closed the connection where a packet was due. */
export class WireClosed extends Error {
  override readonly name = "WireClosed";
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

/** Packets over a socket. */
class Wire {
  readonly connection: Deno.TcpConn;
  /** Number of the next packet to send. */
  sequence = 0;
  readonly #onPacket: WireOptions["onPacket"];
  readonly #chunk = new Uint8Array(65536);
  #buffered: Uint8Array = new Uint8Array(0);

  constructor(connection: Deno.TcpConn, onPacket: WireOptions["onPacket"]) {
    this.connection = connection;
    this.#onPacket = onPacket;
  }

  async write(payload: Uint8Array): Promise<void> {
    const bytes = frame(payload, this.sequence);
    this.sequence += Math.floor(payload.length / 0xffffff) + 1;
    this.#onPacket?.(">", bytes);
    await this.writeRaw(bytes);
  }

  async writeRaw(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** The next packet, null at the end of the stream. */
  async read(): Promise<WirePacket | null> {
    const header = await this.#take(4);
    if (header === null) return null;
    const payload = await this.#take(header[0]! | (header[1]! << 8) | (header[2]! << 16));
    if (payload === null) throw new WireClosed("Server closed in the middle of a packet");
    this.#onPacket?.("<", concat([header, payload]));
    this.sequence = header[3]! + 1;
    return { sequence: header[3]!, payload };
  }

  async expect(): Promise<WirePacket> {
    const packet = await this.read();
    if (packet === null) throw new WireClosed("Server closed where a packet was due");
    return packet;
  }

  /** Exactly `count` bytes of their own, or null where the stream ended before the first. */
  async #take(count: number): Promise<Uint8Array | null> {
    const taken = new Uint8Array(count);
    let have = 0;
    for (;;) {
      const part = this.#buffered.subarray(0, count - have);
      taken.set(part, have);
      have += part.length;
      this.#buffered = this.#buffered.subarray(part.length);
      if (have === count) return taken;
      const read = await this.connection.read(this.#chunk);
      if (read === null) {
        if (have > 0) throw new WireClosed("Server closed in the middle of a packet");
        return null;
      }
      this.#buffered = this.#chunk.subarray(0, read);
    }
  }

  close(): void {
    try {
      this.connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** What a message was: its first packet's payload, and how long all its packets are together. */
interface Message {
  readonly head: number;
  readonly length: number;
  readonly payload: Uint8Array;
}

/** One reply, read by the shape that the command's documentation gives it. */
class ReplyReader {
  readonly #wire: Wire;
  readonly #deprecatesEof: boolean;
  readonly #hasMetadataFlag: boolean;
  readonly #hasPrepareFlag: boolean;
  readonly #onPacket: (packet: WirePacket) => void;
  #opensCursor = false;

  constructor(
    wire: Wire,
    { capabilities, extendedCapabilities }: Pick<
      WireClient,
      "capabilities" | "extendedCapabilities"
    >,
    onPacket: (packet: WirePacket) => void,
  ) {
    this.#wire = wire;
    this.#onPacket = onPacket;
    this.#deprecatesEof = (capabilities & (1 << 24)) !== 0;
    this.#hasPrepareFlag = (capabilities & (1 << 25)) !== 0;
    this.#hasMetadataFlag = this.#hasPrepareFlag || (extendedCapabilities & (1 << 4)) !== 0;
  }

  /** @param opensCursor whether the command asked for a cursor */
  async read(
    command: number,
    onInfile: WireOptions["onInfile"],
    opensCursor = true,
  ): Promise<void> {
    this.#opensCursor = opensCursor;
    switch (command) {
      case Command.QUIT:
      case Command.STMT_CLOSE:
      case Command.STMT_SEND_LONG_DATA:
        return;
      case Command.QUERY:
      case Command.STMT_EXECUTE:
      case Command.MARIADB_STMT_BULK_EXECUTE:
      case Command.PROCESS_INFO:
        return await this.#results(onInfile);
      case Command.STMT_PREPARE:
        return await this.#prepared();
      case Command.FIELD_LIST:
      case Command.STMT_FETCH:
        await this.#untilEnd();
        return;
      default:
        await this.#message();
    }
  }

  /** Reads all packets of the next message; progress reports before it are passed on. */
  async #message(): Promise<Message> {
    for (;;) {
      const first = await this.#wire.expect();
      this.#onPacket(first);
      const { payload } = first;
      if (payload[0] === 0xff && payload[1] === 0xff && payload[2] === 0xff) continue;
      let length = payload.length;
      for (let last = length; last === 0xffffff;) {
        const more = await this.#wire.expect();
        this.#onPacket(more);
        last = more.payload.length;
        length += last;
      }
      return { head: payload[0] ?? -1, length, payload };
    }
  }

  async #results(onInfile: WireOptions["onInfile"]): Promise<void> {
    for (let status: number = Status.MORE_RESULTS_EXISTS; status & Status.MORE_RESULTS_EXISTS;) {
      let first = await this.#message();
      if (first.head === 0xfb) {
        const name = new TextDecoder().decode(first.payload.subarray(1));
        for (const part of onInfile?.(name) ?? []) await this.#wire.write(part);
        await this.#wire.write(new Uint8Array(0));
        first = await this.#message();
      }
      if (first.head === 0xff) return;
      if (first.head === 0x00) status = okStatus(first.payload);
      else if (first.head === 0xfe && first.length < 9) status = eofStatus(first.payload);
      else status = await this.#resultSet(first.payload);
    }
  }

  /** @returns the status after the last row */
  async #resultSet(head: Uint8Array): Promise<number> {
    const [count, next] = lenenc(head, 0);
    const hasDefinitions = !this.#hasMetadataFlag || head[next] === 1;
    for (let index = 0; hasDefinitions && index < count; index++) await this.#message();
    if (!this.#deprecatesEof) {
      const eof = await this.#message();
      if (eof.head === 0xff) return 0;
      const status = eofStatus(eof.payload);
      // MariaDB says so too while a procedure has a cursor open, and then rows and more follow.
      const hasMore = (status & Status.MORE_RESULTS_EXISTS) !== 0;
      if (this.#opensCursor && !hasMore && status & Status.CURSOR_EXISTS) return status;
      // Only the first EOF of OUT parameters says that more follows, and yet an OK follows.
      if (status & Status.PS_OUT_PARAMS) {
        return await this.#untilEnd() | (status & Status.MORE_RESULTS_EXISTS);
      }
    }
    return await this.#untilEnd();
  }

  /** Definitions or rows up to EOF, OK or ERR. @returns its status, 0 for an ERR */
  async #untilEnd(): Promise<number> {
    for (;;) {
      const message = await this.#message();
      if (message.head === 0xff) return 0;
      if (message.head !== 0xfe) continue;
      if (this.#deprecatesEof && message.length < 0xffffff) return okStatus(message.payload);
      if (message.length < 9) return eofStatus(message.payload);
    }
  }

  async #prepared(): Promise<void> {
    const { head, payload } = await this.#message();
    if (head === 0xff) return;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const hasDefinitions = !this.#hasPrepareFlag || payload[12] === 1;
    for (const count of [view.getUint16(7, true), view.getUint16(5, true)]) {
      for (let index = 0; hasDefinitions && index < count; index++) await this.#message();
      // The EOF comes even where the definitions before it do not.
      if (count > 0 && !this.#deprecatesEof) await this.#message();
    }
  }
}

/** A length-encoded integer up to 2^24 and where it ends. */
function lenenc(bytes: Uint8Array, at: number): [value: number, end: number] {
  const first = bytes[at]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (first < 0xfb) return [first, at + 1];
  if (first === 0xfc) return [view.getUint16(at + 1, true), at + 3];
  if (first === 0xfd) return [view.getUint16(at + 1, true) | (bytes[at + 3]! << 16), at + 4];
  return [Number(view.getBigUint64(at + 1, true)), at + 9];
}

function okStatus(payload: Uint8Array): number {
  const [, afterRows] = lenenc(payload, 1);
  const [, at] = lenenc(payload, afterRows);
  return payload[at]! | (payload[at + 1]! << 8);
}

function eofStatus(payload: Uint8Array): number {
  return payload[3]! | (payload[4]! << 8);
}
