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

export interface RunOptions extends AsideOptions {
  /**
   * Asked when the server is ready to hear of it; false leaves without a word. After a long login
   * a `KILL QUERY` would hit a later statement.
   */
  isWanted?(): boolean;
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
  { sql, isWanted, ...limits }: RunOptions,
): Promise<void> {
  return aside(backend, { login, limits }, async (channel) => {
    if (isWanted?.() === false) return;
    const reply = await ask(channel, sql);
    if (reply[0] !== Head.OK) throw new ProtocolError(`Cannot run ${sql}: expected OK`);
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
  { sql, ...limits }: AsideOptions,
): Promise<(string | null)[][]> {
  return aside(backend, { login, limits }, async (channel) => {
    const head = await ask(channel, sql);
    if (head[0] === Head.OK || head[0] === Head.LOCAL_INFILE) {
      throw new ProtocolError(`Cannot run ${sql}: expected a result set`);
    }
    return await readRows(head, channel);
  });
}

function aside<Result>(
  backend: Backend,
  { login, limits }: { readonly login: ServerLogin; readonly limits: DialLimits },
  use: (channel: PacketChannel) => Promise<Result>,
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
    const result = await use(channel);
    channel.sequence = 0;
    await channel.write(Uint8Array.of(Command.QUIT));
    channel.finish();
    closeQuietly(channel.transport);
    return result;
  });
}

/** The first packet of the reply, which is no ERR. */
async function ask(channel: PacketChannel, sql: string): Promise<Uint8Array> {
  channel.sequence = 0;
  await channel.write(new PacketWriter().u8(Command.QUERY).bytes(encodeText(sql)).view());
  return await readReply(channel);
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
