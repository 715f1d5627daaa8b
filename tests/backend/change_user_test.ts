import { assertEquals, assertRejects } from "@std/assert";
import { changeUser } from "../../src/backend/change_user.ts";
import { exchange, failureOf, plainCommand } from "../../src/backend/server_exchange.ts";
import { SluiceError } from "../../src/errors.ts";
import { NATIVE, nativeProof, SHA2, sha2Proof } from "../../src/protocol/auth.ts";
import { decodeText } from "../../src/protocol/bytes.ts";
import { Command } from "../../src/protocol/constants.ts";
import {
  decodeChangeUser,
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "../../src/protocol/handshake.ts";
import { makeRsaKey } from "../../src/session/rsa_key.ts";
import type { FakePeer } from "../fake/server.ts";
import { BackendBench } from "../support/backend_bench.ts";
import { loginOf } from "../support/login_of.ts";

const LOGIN = loginOf();
const NONCE = Uint8Array.from({ length: 20 }, (_, at) => 0x61 + at);
const REQUEST_PUBLIC_KEY = 2;
const FAST_OK = 3;
const FULL_AUTHENTICATION = 4;

async function switchTo(peer: FakePeer, plugin: string): Promise<Uint8Array> {
  await peer.trickle(peer.framed(encodeAuthSwitch({ plugin, authData: NONCE })));
  return await peer.read();
}

/** A server that takes one COM_CHANGE_USER in this way, and then what comes. */
function script(take: (peer: FakePeer) => Promise<void>) {
  return {
    onSession: async (peer: FakePeer) => {
      const { authPlugin, ...asked } = decodeChangeUser(await peer.request(), peer.capabilities);
      assertEquals([asked.user, asked.database, asked.charset], [LOGIN.user, "", LOGIN.charset]);
      assertEquals([authPlugin, asked.authResponse.length], ["", 0]);
      await take(peer);
      await peer.serve((_, session) => session.ok());
    },
  };
}

const ACCEPTED: Readonly<Record<string, (peer: FakePeer) => Promise<void>>> = {
  "at once": (peer) => peer.ok(),
  "by mysql_native_password": async (peer) => {
    assertEquals(await switchTo(peer, NATIVE), nativeProof(LOGIN.key, NONCE));
    await peer.ok();
  },
  "by caching_sha2_password": async (peer) => {
    assertEquals(await switchTo(peer, SHA2), sha2Proof(LOGIN.key, NONCE));
    await peer.send(encodeAuthMoreData(Uint8Array.of(FAST_OK)));
    await peer.ok();
  },
  "by caching_sha2_password in full": async (peer) => {
    await switchTo(peer, SHA2);
    await peer.send(encodeAuthMoreData(Uint8Array.of(FULL_AUTHENTICATION)));
    assertEquals(await peer.read(), Uint8Array.of(REQUEST_PUBLIC_KEY));
    const { publicKey, decrypt } = await makeRsaKey();
    await peer.send(encodeAuthMoreData(publicKey));
    const hidden = decrypt(await peer.read());
    assertEquals(decodeText(hidden.map((byte, at) => byte ^ NONCE[at]!)), "secret\0");
    await peer.ok();
  },
};

for (const [way, take] of Object.entries(ACCEPTED)) {
  Deno.test(`COM_CHANGE_USER is accepted ${way}`, async () => {
    await using bench = new BackendBench(script(take));
    const session = await bench.open();
    const [reply] = await exchange(session, [changeUser(session)]);
    assertEquals(failureOf(reply!, session), undefined);
    const [next] = await exchange(session, [plainCommand(Command.PING)]);
    assertEquals(failureOf(next!, session), undefined);
  });
}

Deno.test("COM_CHANGE_USER is refused", async () => {
  const refuse = async (peer: FakePeer) => {
    await switchTo(peer, NATIVE);
    await peer.err(1045, "28000", "Access denied for user 'app'@'127.0.0.1'");
  };
  await using bench = new BackendBench(script(refuse));
  const session = await bench.open();
  const [reply] = await exchange(session, [changeUser(session)]);
  assertEquals(failureOf(reply!, session)?.code, 1045);
});

const WRONG: Readonly<Record<string, [kind: string, take: (peer: FakePeer) => Promise<void>]>> = {
  "a plugin that is not spoken": ["server_auth_plugin", async (peer) => {
    await switchTo(peer, "dialog");
  }],
  "data of no plugin": ["server_malformed", (peer) => peer.send(encodeAuthMoreData(NONCE))],
  "a result set": ["server_malformed", (peer) => peer.rows(["1"])],
  "a cut-off switch": ["server_malformed", (peer) => peer.send(Uint8Array.of(0xfe, 0x61))],
  "nothing": ["server_lost", (peer) => Promise.resolve(peer.close())],
};

for (const [what, [kind, take]] of Object.entries(WRONG)) {
  Deno.test(`COM_CHANGE_USER is answered with ${what}`, async () => {
    await using bench = new BackendBench(script(take));
    const session = await bench.open();
    const running = () => exchange(session, [changeUser(session)]);
    const error = await assertRejects(running, SluiceError);
    assertEquals([error.kind, session.isOpen], [kind, false]);
  });
}
