/**
 * The client's role of a login on a server.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
import { ProtocolError, SluiceError } from "../errors.ts";
import type { PacketChannel } from "../net/packet_channel.ts";
import { ClientAuth, type LoginKey } from "../protocol/auth.ts";
import { askedOfServer, type Capabilities } from "../protocol/capabilities.ts";
import { Capability, Head } from "../protocol/constants.ts";
import { decodeGreeting, encodeLogin, type Greeting } from "../protocol/handshake.ts";
import { decodeErr, decodeOk, trackedSchema } from "../protocol/response.ts";

/** Largest packet that a login takes part in; login replies of OceanBase hold 25 KB. */
export const LOGIN_PACKET_LIMIT = 1 << 20;

/** Who logs in and how the session shall speak. */
export interface ServerLogin {
  readonly user: string;
  readonly key: LoginKey;
  /** Empty for none. */
  readonly schema: string;
  readonly charset: number;
  readonly maxPacketSize: number;
  /** What the client and the proxy agreed on. */
  readonly capabilities: Capabilities;
  /** Connection attributes in wire form. */
  readonly attributes: Uint8Array;
}

/** The same object where it can be: server sessions keep what they were opened with. */
export function withSchema(login: ServerLogin, schema: string): ServerLogin {
  return login.schema === schema ? login : { ...login, schema };
}

export interface LoggedIn {
  readonly greeting: Greeting;
  /** What the proxy and the server agreed on. */
  readonly capabilities: Capabilities;
  readonly status: number;
  readonly schema: string;
}

/** A server's ERR in place of what the login expected. */
export function refusal(payload: Uint8Array): SluiceError {
  const { code, sqlState, message } = decodeErr(payload);
  return new SluiceError("server_refused", message, { code, sqlState });
}

/** @throws {SluiceError} with the server's own code where it answers ERR, {@link ProtocolError} */
export async function readGreeting(channel: PacketChannel): Promise<Greeting> {
  const payload = await channel.read();
  if (payload[0] === Head.ERR) throw refusal(payload);
  return decodeGreeting(payload);
}

/** @throws as {@link readGreeting} */
export async function logIn(channel: PacketChannel, login: ServerLogin): Promise<LoggedIn> {
  const greeting = await readGreeting(channel);
  const offered = { base: greeting.capabilities, extended: greeting.extendedCapabilities };
  const asked = askedOfServer(login.capabilities, offered);
  if (asked === undefined) {
    throw new SluiceError(
      "server_malformed",
      `Server of version ${greeting.serverVersion} lacks protocol capabilities that the client ` +
        "was offered: servers of one cluster must speak alike",
    );
  }
  const auth = new ClientAuth(login.key);
  const { plugin, response } = auth.start(greeting.authPlugin, greeting.authData);
  const optional = (login.schema === "" ? 0 : Capability.CONNECT_WITH_DB) |
    (login.attributes.length === 0 ? 0 : greeting.capabilities & Capability.CONNECT_ATTRS);
  const capabilities = { base: (asked.base | optional) >>> 0, extended: asked.extended };
  await channel.write(encodeLogin({
    capabilities: capabilities.base,
    extendedCapabilities: capabilities.extended,
    maxPacketSize: login.maxPacketSize,
    charset: login.charset,
    user: login.user,
    authResponse: response,
    database: login.schema,
    authPlugin: plugin,
    attributes: login.attributes,
  }));
  while (true) {
    const payload = await channel.read();
    switch (payload[0]) {
      case Head.OK: {
        const ok = decodeOk(payload, capabilities.base);
        const schema = trackedSchema(ok) ?? login.schema;
        return { greeting, capabilities, status: ok.status, schema };
      }
      case Head.ERR:
        throw refusal(payload);
      case Head.EOF:
      case Head.MORE_DATA: {
        const answer = auth.next(payload);
        if (answer !== undefined) await channel.write(answer);
        break;
      }
      default:
        throw new ProtocolError(
          `Cannot log in: expected OK, ERR or authentication data, got a packet that begins with ` +
            `0x${(payload[0] ?? 0).toString(16)}`,
        );
    }
  }
}
