/**
 * One statement on a connection of its own, beside the server sessions of clients: how a running
 * statement is cancelled, and how a server is asked what an account may do.
 */
import { ProtocolError, SluiceError } from "../errors.ts";
import type { PacketChannel } from "../net/packet_channel.ts";
import { closeQuietly } from "../net/transport.ts";
import { decodeText, encodeText, PacketWriter } from "../protocol/bytes.ts";
import { Capability, Command, Head, UTF8MB4_GENERAL_CI } from "../protocol/constants.ts";
import { decodeColumnCount, decodeTextRow } from "../protocol/resultset.ts";
import type { Backend, DialLimits } from "./backend.ts";
import { logIn, refusal, type ServerLogin } from "./server_login.ts";

/** A statement and the time that everything around it may take. */
export interface AsideOptions extends DialLimits {
  readonly sql: string;
}

/** Without DEPRECATE_EOF, so that an EOF packet ends the columns and the rows. */
const CAPABILITIES = { base: Capability.LONG_PASSWORD, extended: 0 };

/**
 * Logs in, runs a statement that answers OK, and leaves.
 * @throws {SluiceError} where the server cannot be reached or answers ERR
 */
export function runAside(
  backend: Backend,
  login: ServerLogin,
  options: AsideOptions,
): Promise<void> {
  return aside(backend, login, {
    ...options,
    read: (reply) => {
      if (reply[0] !== Head.OK) throw new ProtocolError(`Cannot run ${options.sql}: expected OK`);
    },
  });
}

/**
 * Logs in, runs a statement that answers one result set, and leaves.
 * @returns its rows as text, NULL as null
 * @throws {SluiceError} where the server cannot be reached or answers ERR
 */
export function queryAside(
  backend: Backend,
  login: ServerLogin,
  options: AsideOptions,
): Promise<(string | null)[][]> {
  return aside(backend, login, {
    ...options,
    read: (reply, channel) => {
      if (reply[0] === Head.OK || reply[0] === Head.LOCAL_INFILE) {
        throw new ProtocolError(`Cannot run ${options.sql}: expected a result set`);
      }
      return readRows(reply, channel);
    },
  });
}

interface Asking<Result> extends AsideOptions {
  /** Takes the reply from its first packet on, which is no ERR. */
  read(reply: Uint8Array, channel: PacketChannel): Result | Promise<Result>;
}

function aside<Result>(
  backend: Backend,
  login: ServerLogin,
  { sql, read, ...limits }: Asking<Result>,
): Promise<Result> {
  return backend.connect(limits, async (channel) => {
    await logIn(channel, {
      ...login,
      schema: "",
      // Texts in both directions are UTF-8, whatever the client's own session speaks.
      charset: UTF8MB4_GENERAL_CI,
      attributes: new Uint8Array(0),
      capabilities: CAPABILITIES,
    });
    channel.sequence = 0;
    await channel.write(new PacketWriter().u8(Command.QUERY).bytes(encodeText(sql)).view());
    const result = await read(await readReply(channel), channel);
    channel.sequence = 0;
    await channel.write(Uint8Array.of(Command.QUIT));
    channel.finish();
    closeQuietly(channel.transport);
    return result;
  });
}

async function readReply(channel: PacketChannel): Promise<Uint8Array> {
  const reply = await channel.read();
  if (reply[0] === Head.ERR) throw refusal(reply);
  return reply;
}

async function readRows(
  head: Uint8Array,
  channel: PacketChannel,
): Promise<(string | null)[][]> {
  const agreed = { capabilities: CAPABILITIES.base, extendedCapabilities: CAPABILITIES.extended };
  const { count } = decodeColumnCount(head, agreed);
  while (!isEof(await readReply(channel)));
  const rows: (string | null)[][] = [];
  while (true) {
    const row = await readReply(channel);
    if (isEof(row)) return rows;
    rows.push(decodeTextRow(row, count).map((cell) => cell && decodeText(cell)));
  }
}

/** A row can begin with the same byte, but not with so few more. */
function isEof(payload: Uint8Array): boolean {
  return payload[0] === Head.EOF && payload.length < 9;
}

/** Whether an error says that the thread to kill is gone already, which is as good. */
export function isUnknownThread(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 1094;
}
