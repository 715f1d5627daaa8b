/**
 * Messages of the connection phase, as plain values.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets.html
 * MariaDB's extended capabilities: https://mariadb.com/kb/en/connection/
 */
import { ProtocolError } from "../errors.ts";
import { decodeText, PacketReader, PacketWriter } from "./bytes.ts";
import { Capability, Command, Head } from "./constants.ts";

/** The first packet of a server, protocol version 10. */
export interface Greeting {
  readonly serverVersion: string;
  readonly threadId: number;
  readonly capabilities: number;
  /** MariaDB's upper 32 bits; 0 where the server is no MariaDB. */
  readonly extendedCapabilities: number;
  readonly charset: number;
  readonly status: number;
  /** The nonce, 20 bytes, without the NUL that ends it on the wire. */
  readonly authData: Uint8Array;
  readonly authPlugin: string;
}

/** @throws {ProtocolError} also where the server sent ERR instead: check the first byte before. */
export function decodeGreeting(payload: Uint8Array): Greeting {
  const reader = new PacketReader(payload, "greeting");
  const version = reader.u8();
  if (version !== 10) {
    throw new ProtocolError(`Cannot parse greeting: expected protocol version 10, got ${version}`);
  }
  const serverVersion = reader.nulText();
  const threadId = reader.u32();
  const firstPart = reader.bytes(8);
  reader.skip(1);
  let capabilities = reader.u16();
  const charset = reader.u8();
  const status = reader.u16();
  capabilities = (capabilities | (reader.u16() << 16)) >>> 0;
  const authDataLength = reader.u8();
  reader.skip(6);
  const lastFiller = reader.u32();
  const isMariaDb = (capabilities & Capability.LONG_PASSWORD) === 0;
  // The second part is at least 13 bytes on the wire, of which the last is a NUL.
  const wanted = Math.max(13, authDataLength - 8);
  const secondPart = reader.bytes(Math.min(wanted, reader.remaining));
  const nonce = new Uint8Array(8 + Math.max(0, Math.min(12, secondPart.length)));
  nonce.set(firstPart);
  nonce.set(secondPart.subarray(0, 12), 8);
  let authPlugin = "";
  if ((capabilities & Capability.PLUGIN_AUTH) !== 0 && reader.remaining > 0) {
    const name = reader.rest();
    const end = name.indexOf(0); // some old servers leave the NUL out
    authPlugin = decodeText(end < 0 ? name : name.subarray(0, end));
  }
  return {
    serverVersion,
    threadId,
    capabilities,
    extendedCapabilities: isMariaDb ? lastFiller : 0,
    charset,
    status,
    authData: nonce,
    authPlugin,
  };
}

export function encodeGreeting(greeting: Greeting): Uint8Array {
  return new PacketWriter(128)
    .u8(10)
    .nulText(greeting.serverVersion)
    .u32(greeting.threadId)
    .bytes(greeting.authData.subarray(0, 8))
    .u8(0)
    .u16(greeting.capabilities & 0xffff)
    .u8(greeting.charset)
    .u16(greeting.status)
    .u16(greeting.capabilities >>> 16)
    .u8(greeting.authData.length + 1)
    .zeros(6)
    .u32(greeting.extendedCapabilities)
    .bytes(greeting.authData.subarray(8))
    .u8(0)
    .nulText(greeting.authPlugin)
    .view();
}

/** A client's login request (HandshakeResponse41). */
export interface Login {
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  readonly maxPacketSize: number;
  readonly charset: number;
  readonly user: string;
  readonly authResponse: Uint8Array;
  readonly database: string;
  readonly authPlugin: string;
  /** Connection attributes as they stand on the wire, without their total length. */
  readonly attributes: Uint8Array;
}

/** Whether the packet after the greeting asks for TLS instead of logging in. */
export function isTlsRequest(payload: Uint8Array): boolean {
  return payload.length === 32 && (payload[1]! & (Capability.SSL >>> 8)) !== 0;
}

/** Capability flags of a login or TLS request, or undefined where it is of the 3.20 protocol. */
export function loginCapabilities(payload: Uint8Array): number | undefined {
  if (payload.length < 4) return undefined;
  const flags = new PacketReader(payload, "login request").u32();
  return (flags & Capability.PROTOCOL_41) === 0 ? undefined : flags;
}

/** @throws {ProtocolError} */
export function decodeLogin(payload: Uint8Array): Login {
  const reader = new PacketReader(payload, "login request");
  const capabilities = reader.u32();
  if ((capabilities & Capability.PROTOCOL_41) === 0) {
    throw new ProtocolError(
      "Cannot parse login request: expected the protocol of MySQL 4.1 or later",
    );
  }
  const maxPacketSize = reader.u32();
  const charset = reader.u8();
  reader.skip(19);
  const lastFiller = reader.u32();
  const isMariaDb = (capabilities & Capability.LONG_PASSWORD) === 0;
  const user = reader.nulText();
  const authResponse = readAuthResponse(reader, capabilities);
  const database = (capabilities & Capability.CONNECT_WITH_DB) !== 0 && reader.remaining > 0
    ? reader.nulText()
    : "";
  const authPlugin = (capabilities & Capability.PLUGIN_AUTH) !== 0 && reader.remaining > 0
    ? reader.nulText()
    : "";
  const attributes = (capabilities & Capability.CONNECT_ATTRS) !== 0 && reader.remaining > 0
    ? reader.lenencBytes()
    : new Uint8Array(0);
  return {
    capabilities,
    extendedCapabilities: isMariaDb ? lastFiller : 0,
    maxPacketSize,
    charset,
    user,
    authResponse,
    database,
    authPlugin,
    attributes,
  };
}

function readAuthResponse(reader: PacketReader, capabilities: number): Uint8Array {
  if ((capabilities & Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA) !== 0) return reader.lenencBytes();
  if ((capabilities & Capability.SECURE_CONNECTION) !== 0) return reader.bytes(reader.u8());
  return reader.nulBytes();
}

export function encodeLogin(login: Login): Uint8Array {
  const writer = new PacketWriter(256)
    .u32(login.capabilities)
    .u32(login.maxPacketSize)
    .u8(login.charset)
    .zeros(19)
    .u32(login.extendedCapabilities)
    .nulText(login.user);
  if ((login.capabilities & Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA) !== 0) {
    writer.lenencBytes(login.authResponse);
  } else if ((login.capabilities & Capability.SECURE_CONNECTION) !== 0) {
    writer.u8(login.authResponse.length).bytes(login.authResponse);
  } else {
    writer.bytes(login.authResponse).u8(0);
  }
  if ((login.capabilities & Capability.CONNECT_WITH_DB) !== 0) writer.nulText(login.database);
  if ((login.capabilities & Capability.PLUGIN_AUTH) !== 0) writer.nulText(login.authPlugin);
  if ((login.capabilities & Capability.CONNECT_ATTRS) !== 0) writer.lenencBytes(login.attributes);
  return writer.view();
}

/** A server's wish that the client answers with another plugin. */
export interface AuthSwitch {
  readonly plugin: string;
  readonly authData: Uint8Array;
}

/** @throws {ProtocolError} */
export function decodeAuthSwitch(payload: Uint8Array): AuthSwitch {
  const reader = new PacketReader(payload, "authentication switch request");
  reader.skip(1);
  // A bare 0xfe asks for the password hash of MySQL 3.23, which nobody should send any more.
  if (reader.remaining === 0) return { plugin: "mysql_old_password", authData: new Uint8Array(0) };
  const plugin = reader.nulText();
  const data = reader.rest();
  const trimmed = data.length > 0 && data[data.length - 1] === 0 ? data.subarray(0, -1) : data;
  return { plugin, authData: trimmed.slice() };
}

export function encodeAuthSwitch(request: AuthSwitch): Uint8Array {
  return new PacketWriter(64)
    .u8(Head.EOF)
    .nulText(request.plugin)
    .bytes(request.authData)
    .u8(0)
    .view();
}

/** Data of a plugin after the first exchange; the client sends its part without the head byte. */
export function decodeAuthMoreData(payload: Uint8Array): Uint8Array {
  const reader = new PacketReader(payload, "authentication data");
  const head = reader.u8();
  if (head !== Head.MORE_DATA) reader.fail(`expected head 0x01, got 0x${head.toString(16)}`);
  return reader.rest().slice();
}

export function encodeAuthMoreData(data: Uint8Array): Uint8Array {
  return new PacketWriter(data.length + 1).u8(Head.MORE_DATA).bytes(data).view();
}

/** COM_CHANGE_USER, without its command byte in the value. */
export interface ChangeUser {
  readonly user: string;
  readonly authResponse: Uint8Array;
  readonly database: string;
  /** 0 where the client left it out. */
  readonly charset: number;
  readonly authPlugin: string;
  readonly attributes: Uint8Array;
}

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html
 * @param capabilities what the connection agreed on: it decides which fields there are
 * @throws {ProtocolError}
 */
export function decodeChangeUser(payload: Uint8Array, capabilities: number): ChangeUser {
  const reader = new PacketReader(payload, "change user request");
  reader.skip(1);
  const user = reader.nulText();
  const authResponse = (capabilities & Capability.SECURE_CONNECTION) !== 0
    ? reader.bytes(reader.u8())
    : reader.nulBytes();
  const database = reader.nulText();
  // Bare clients end here; two bytes of character set come before anything further.
  const charset = reader.remaining >= 2 ? reader.u16() : 0;
  const authPlugin = (capabilities & Capability.PLUGIN_AUTH) !== 0 && reader.remaining > 0
    ? reader.nulText()
    : "";
  const attributes = (capabilities & Capability.CONNECT_ATTRS) !== 0 && reader.remaining > 0
    ? reader.lenencBytes()
    : new Uint8Array(0);
  return { user, authResponse, database, charset, authPlugin, attributes };
}

/** The whole payload, from the command byte on. @param capabilities as {@link decodeChangeUser} */
export function encodeChangeUser(request: ChangeUser, capabilities: number): Uint8Array {
  const writer = new PacketWriter(128).u8(Command.CHANGE_USER).nulText(request.user);
  if ((capabilities & Capability.SECURE_CONNECTION) !== 0) {
    writer.u8(request.authResponse.length).bytes(request.authResponse);
  } else {
    writer.bytes(request.authResponse).u8(0);
  }
  writer.nulText(request.database).u16(request.charset);
  if ((capabilities & Capability.PLUGIN_AUTH) !== 0) writer.nulText(request.authPlugin);
  if ((capabilities & Capability.CONNECT_ATTRS) !== 0) writer.lenencBytes(request.attributes);
  return writer.view();
}
