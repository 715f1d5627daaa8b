/** A scripted server that reports its sessions as MySQL does, so that clients can share them. */
import { encodeText, PacketWriter } from "../../src/protocol/bytes.ts";
import { SessionTrack, Status } from "../../src/protocol/constants.ts";
import { encodeOk, plainOk } from "../../src/protocol/response.ts";
import { type FakePeer, FakeServer } from "../fake/server.ts";

/** What a session of it is like behind its login. */
const VARIABLES: readonly (readonly [name: string, value: string])[] = [
  ["autocommit", "ON"],
  ["time_zone", "SYSTEM"],
  ["sql_mode", ""],
  ["collation_connection", "utf8mb4_general_ci"],
];

/** Answers what the proxy itself says to it; everything else is the script's. */
export function trackingServer(
  script: (sql: string, peer: FakePeer) => Promise<void>,
): FakeServer {
  return new FakeServer({
    onSession: (peer) =>
      peer.serve((sql, peer) => isOwn(sql) ? reportLogin(peer) : script(sql, peer)),
  });
}

function isOwn(sql: string): boolean {
  return sql.startsWith("SET SESSION ");
}

async function reportLogin(peer: FakePeer): Promise<void> {
  const track = VARIABLES.map(([name, value]) => {
    const data = new PacketWriter(32).lenencBytes(encodeText(name)).lenencBytes(encodeText(value));
    return { type: SessionTrack.SYSTEM_VARIABLES, data: data.view() };
  });
  const status = Status.AUTOCOMMIT | Status.SESSION_STATE_CHANGED;
  await peer.send(encodeOk({ ...plainOk(status), track }, peer.capabilities));
}
