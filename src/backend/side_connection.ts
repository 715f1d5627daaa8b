/**
 * One statement on a connection of its own, beside a server session that is busy: how a running
 * statement is cancelled.
 */
import { ProtocolError, SluiceError } from "../errors.ts";
import { closeQuietly } from "../net/transport.ts";
import { encodeText, PacketWriter } from "../protocol/bytes.ts";
import { Capability, Command, Head } from "../protocol/constants.ts";
import type { Backend, DialLimits } from "./backend.ts";
import { logIn, refusal, type ServerLogin } from "./server_login.ts";

/**
 * Logs in, runs a statement that answers OK, and leaves.
 * @throws {SluiceError} where the server cannot be reached or answers ERR
 */
export async function runAside(
  backend: Backend,
  login: ServerLogin,
  options: DialLimits & { readonly sql: string },
): Promise<void> {
  await backend.connect(options, async (channel) => {
    await logIn(channel, {
      ...login,
      schema: "",
      attributes: new Uint8Array(0),
      capabilities: { base: Capability.LONG_PASSWORD, extended: 0 },
    });
    channel.sequence = 0;
    await channel.write(
      new PacketWriter().u8(Command.QUERY).bytes(encodeText(options.sql)).view(),
    );
    const reply = await channel.read();
    if (reply[0] === Head.ERR) throw refusal(reply);
    if (reply[0] !== Head.OK) throw new ProtocolError(`Cannot run ${options.sql}: expected OK`);
    channel.sequence = 0;
    await channel.write(Uint8Array.of(Command.QUIT));
    channel.finish();
    closeQuietly(channel.transport);
  });
}

/** Whether an error says that the thread to kill is gone already, which is as good. */
export function isUnknownThread(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 1094;
}
