import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ProtocolError, SluiceError } from "../../src/errors.ts";
import {
  ClientAuth,
  LoginKey,
  NATIVE,
  nativeProof,
  type PluginName,
  type RsaKey,
  ServerAuth,
  type ServerStep,
  SHA2,
  sha2Proof,
  type Verifier,
  verifierOf,
} from "../../src/protocol/auth.ts";
import {
  decodeAuthSwitch,
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "../../src/protocol/handshake.ts";
import { makeRsaKey } from "../../src/session/rsa_key.ts";

const NONCE = Uint8Array.from({ length: 20 }, (_, at) => 0x41 + at);
const EMPTY = new Uint8Array(0);
const rsaKey: RsaKey = await makeRsaKey();

/** Made by another implementation from the published formulas. */
const VECTORS = [
  {
    password: "secret",
    sha1Twice: "14e65567abdb5135d0cfd9a70b3032c179a49ee7",
    native: "28441590674285e7d03cae7af237504797f70e91",
    sha2: "d721e183c1f036a196c1389201b8d53f38064a16f1d0923683ab886763152d75",
    sha256Twice: "3881219d087dd9c634373fd33dfa33a2cb6bfc6c520b64b8bb60ef2ceb534ae7",
  },
  {
    password: "pässwörd ☃",
    sha1Twice: "de1b481d13e7f87e65b74e6003e65552cd8fa5fc",
    native: "9983c94f484fd30e76ee884c228e22698f725b06",
    sha2: "38147a3341443872ea7e2706d797e2a1a294d7238111b188bfee09b011d076f5",
    sha256Twice: "1d912523393b55655bafef580d28b0a4d46eea6d3b52bc3a8b1e5c668f4717fa",
  },
];

for (const { password, native, sha2, sha1Twice, sha256Twice } of VECTORS) {
  Deno.test(`Proofs and verifiers of "${password}" are those of the formulas`, () => {
    const key = LoginKey.fromPassword(password);
    assertEquals(nativeProof(key, NONCE).toHex(), native);
    assertEquals(sha2Proof(key, NONCE).toHex(), sha2);
    const verifier = verifierOf(key);
    assertEquals(verifier.isEmpty, false);
    assertEquals(verifier.sha1Twice.toHex(), sha1Twice);
    assertEquals(verifier.sha256Twice!.toHex(), sha256Twice);
  });
}

Deno.test("Proofs of an empty password are empty", () => {
  const key = LoginKey.fromPassword("");
  assertEquals(nativeProof(key, NONCE), EMPTY);
  assertEquals(sha2Proof(key, NONCE), EMPTY);
  assertEquals(verifierOf(key).isEmpty, true);
});

Deno.test("A key from SHA1 of the password makes native proofs and no others", () => {
  const key = LoginKey.fromSha1(LoginKey.fromPassword("secret").sha1);
  assertEquals(nativeProof(key, NONCE).toHex(), VECTORS[0]!.native);
  assertEquals(key.sha256, undefined);
  assertEquals(verifierOf(key).sha256Twice, undefined);
});

/** One login with both roles at work. */
interface Login {
  readonly password: string;
  readonly verifier: Verifier;
  /** Plugin that the greeting names. */
  readonly greeted: PluginName;
  /** Plugin that the client names, in place of what the greeting made it choose. */
  readonly named?: string;
  /** In place of the answer by the plugin of the greeting. */
  readonly response?: Uint8Array;
}

function logIn(login: Login): { last: ServerStep; sent: Uint8Array[] } {
  const { password, verifier, greeted, named, response } = login;
  const client = new ClientAuth(LoginKey.fromPassword(password));
  const server = new ServerAuth({ nonce: NONCE, verifier, announced: greeted });
  const first = client.start(greeted, NONCE);
  const sent: Uint8Array[] = [];
  let step = server.start(named ?? first.plugin, response ?? first.response);
  for (;;) {
    switch (step.kind) {
      case "send": {
        sent.push(step.payload);
        const answer = client.next(step.payload);
        if (answer === undefined) throw new Error("The client has nothing to answer");
        step = server.next(answer);
        break;
      }
      case "need_rsa_key":
        step = server.useRsaKey(rsaKey);
        break;
      default:
        if (step.kind === "accepted" && step.payload !== undefined) {
          assertEquals(client.next(step.payload), undefined);
        }
        return { last: step, sent };
    }
  }
}

/** The step, which must be of this kind. */
function stepOf<Kind extends ServerStep["kind"]>(
  kind: Kind,
  step: ServerStep,
): Extract<ServerStep, { kind: Kind }> {
  assertEquals(step.kind, kind);
  return step as Extract<ServerStep, { kind: Kind }>;
}

const SECRET = verifierOf(LoginKey.fromPassword("secret"));
/** As `password_hash` has it. */
const HASH_ONLY: Verifier = { isEmpty: false, sha1Twice: SECRET.sha1Twice };
const NO_PASSWORD = verifierOf(LoginKey.fromPassword(""));

/** Sent packets: S auth switch, F request for full authentication, K the public key. */
const LOGINS: readonly (readonly [string, Login, "accepted" | "refused", string])[] = [
  ["native", { password: "secret", verifier: SECRET, greeted: NATIVE }, "accepted", ""],
  ["native, wrong", { password: "Secret", verifier: SECRET, greeted: NATIVE }, "refused", ""],
  ["native, by hash", { password: "secret", verifier: HASH_ONLY, greeted: NATIVE }, "accepted", ""],
  ["sha2, fast", { password: "secret", verifier: SECRET, greeted: SHA2 }, "accepted", ""],
  ["sha2, wrong", { password: "Secret", verifier: SECRET, greeted: SHA2 }, "refused", ""],
  ["sha2, by hash", { password: "secret", verifier: HASH_ONLY, greeted: SHA2 }, "accepted", "FK"],
  [
    "sha2, by hash, wrong",
    { password: "Secret", verifier: HASH_ONLY, greeted: SHA2 },
    "refused",
    "FK",
  ],
  ["empty, native", { password: "", verifier: NO_PASSWORD, greeted: NATIVE }, "accepted", ""],
  ["empty, sha2", { password: "", verifier: NO_PASSWORD, greeted: SHA2 }, "accepted", ""],
  ["empty for another", { password: "", verifier: SECRET, greeted: SHA2 }, "refused", ""],
  ["empty for a hash", { password: "", verifier: HASH_ONLY, greeted: NATIVE }, "refused", ""],
  ["some for empty", { password: "secret", verifier: NO_PASSWORD, greeted: NATIVE }, "refused", ""],
  ["some for empty", { password: "secret", verifier: NO_PASSWORD, greeted: SHA2 }, "refused", ""],
  [
    "another plugin, to sha2",
    { password: "secret", verifier: SECRET, greeted: SHA2, named: "client_ed25519" },
    "accepted",
    "S",
  ],
  [
    "another plugin, to native",
    { password: "secret", verifier: SECRET, greeted: NATIVE, named: "dialog" },
    "accepted",
    "S",
  ],
  [
    "another plugin, by hash, to sha2",
    { password: "secret", verifier: HASH_ONLY, greeted: SHA2, named: "sha256_password" },
    "accepted",
    "SFK",
  ],
  [
    "another plugin, wrong",
    { password: "x", verifier: SECRET, greeted: SHA2, named: "dialog" },
    "refused",
    "S",
  ],
  [
    "native in place of sha2, with nothing yet",
    { password: "secret", verifier: SECRET, greeted: SHA2, named: NATIVE, response: EMPTY },
    "accepted",
    "S",
  ],
  [
    "sha2 in place of native, with nothing yet",
    { password: "secret", verifier: SECRET, greeted: NATIVE, named: SHA2, response: EMPTY },
    "accepted",
    "S",
  ],
  [
    "sha2 in place of native, by hash",
    { password: "secret", verifier: HASH_ONLY, greeted: NATIVE, named: SHA2 },
    "accepted",
    "SFK",
  ],
  [
    "sha2 in place of native, empty",
    { password: "", verifier: NO_PASSWORD, greeted: NATIVE, named: SHA2 },
    "accepted",
    "S",
  ],
  [
    "sha2 in place of native, wrong",
    { password: "x", verifier: SECRET, greeted: NATIVE, named: SHA2, response: EMPTY },
    "refused",
    "S",
  ],
  [
    "no plugin named",
    { password: "secret", verifier: SECRET, greeted: NATIVE, named: "" },
    "accepted",
    "",
  ],
];

for (const [name, login, outcome, steps] of LOGINS) {
  Deno.test(`Login: ${name}`, () => {
    const { last, sent } = logIn(login);
    assertEquals(last.kind, outcome);
    const kinds = sent.map((payload) => {
      if (payload[0] === 0xfe) return "S";
      return payload.length === 2 && payload[1] === 4 ? "F" : "K";
    });
    assertEquals(kinds.join(""), steps);
    if (last.kind === "refused") assertEquals(last.usingPassword, login.password !== "");
  });
}

Deno.test("A login reveals what it can of the password", () => {
  const native = stepOf(
    "accepted",
    logIn({ password: "secret", verifier: HASH_ONLY, greeted: NATIVE }).last,
  );
  assertEquals(native.key?.password, undefined);
  assertEquals(native.key?.sha1.toHex(), "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4");
  const fully = stepOf(
    "accepted",
    logIn({ password: "secret", verifier: HASH_ONLY, greeted: SHA2 }).last,
  );
  assertEquals(fully.key?.password, "secret");
  const fast = stepOf(
    "accepted",
    logIn({ password: "secret", verifier: SECRET, greeted: SHA2 }).last,
  );
  assertEquals(fast.key, undefined);
  assertEquals(fast.payload, Uint8Array.of(1, 3));
});

Deno.test("A single NUL is the answer of an empty password", () => {
  for (const plugin of [NATIVE, SHA2] as const) {
    const auth = new ServerAuth({ nonce: NONCE, verifier: NO_PASSWORD, announced: plugin });
    assertEquals(auth.start(plugin, Uint8Array.of(0)).kind, "accepted");
  }
  const strict = new ServerAuth({ nonce: NONCE, verifier: SECRET, announced: NATIVE });
  assertEquals(strict.start(NATIVE, Uint8Array.of(0)), { kind: "refused", usingPassword: false });
});

Deno.test("Answers of a wrong size or in the clear are refused", () => {
  const auth = (announced: PluginName) =>
    new ServerAuth({ nonce: NONCE, verifier: SECRET, announced });
  for (const size of [1, 19, 21, 31, 33, 1000]) {
    const bytes = new Uint8Array(size).fill(7);
    assertEquals(auth(NATIVE).start(NATIVE, bytes).kind, "refused", `native, ${size} bytes`);
    assertEquals(auth(SHA2).start(SHA2, bytes).kind, "refused", `sha2, ${size} bytes`);
  }
  const fully = new ServerAuth({ nonce: NONCE, verifier: HASH_ONLY, announced: SHA2 });
  assertEquals(fully.start(SHA2, new Uint8Array(32)).kind, "send");
  assertEquals(fully.next(new TextEncoder().encode("secret\0")).kind, "refused");
});

Deno.test("Nonsense in place of the encrypted password is refused", () => {
  const xored = (text: string) =>
    new TextEncoder().encode(text).map((byte, at) => byte ^ NONCE[at % 20]!);
  // A key that encrypts nothing, to look at what comes out of the decryption.
  const plain: RsaKey = { publicKey: EMPTY, decrypt: (data) => data };
  const cases: [RsaKey, Uint8Array, string][] = [
    [rsaKey, EMPTY, "refused"],
    [rsaKey, new Uint8Array(10), "refused"],
    [rsaKey, new Uint8Array(256).fill(0xff), "refused"],
    [plain, xored("secret"), "refused"],
    [plain, xored("\0"), "refused"],
    [plain, xored("secret2\0"), "refused"],
    [plain, xored("secret\0"), "accepted"],
  ];
  for (const [key, answer, outcome] of cases) {
    const auth = new ServerAuth({ nonce: NONCE, verifier: HASH_ONLY, announced: SHA2 });
    auth.start(SHA2, new Uint8Array(32));
    assertEquals(auth.next(Uint8Array.of(2)).kind, "need_rsa_key");
    auth.useRsaKey(key);
    assertEquals(auth.next(answer).kind, outcome);
  }
});

Deno.test("A change of user begins with a switch that carries the nonce", () => {
  const auth = new ServerAuth({ nonce: NONCE, verifier: SECRET, announced: SHA2 });
  const step = stepOf("send", auth.switchTo(NATIVE));
  assertEquals(decodeAuthSwitch(step.payload), { plugin: NATIVE, authData: NONCE });
  const answer = nativeProof(LoginKey.fromPassword("secret"), NONCE);
  assertEquals(auth.next(answer).kind, "accepted");
});

Deno.test("Towards servers the proxy answers what they ask", () => {
  const secret = new ClientAuth(LoginKey.fromPassword("secret"));
  const first = secret.start(SHA2, NONCE);
  assertEquals([first.plugin, first.response.toHex()], [SHA2, VECTORS[0]!.sha2]);
  // Another plugin with another nonce, NUL at the end as servers have it.
  const other = NONCE.toReversed();
  const wish = new Uint8Array([0xfe, ...new TextEncoder().encode(`${NATIVE}\0`), ...other, 0]);
  assertEquals(secret.next(wish), nativeProof(LoginKey.fromPassword("secret"), other));
});

Deno.test("Towards servers an unknown plugin of the greeting means native first", () => {
  const auth = new ClientAuth(LoginKey.fromPassword("secret"));
  assertEquals(auth.start("auth_socket", NONCE).plugin, NATIVE);
});

Deno.test("Full authentication towards servers hides the password with their key", () => {
  const auth = new ClientAuth(LoginKey.fromPassword("secret"));
  auth.start(SHA2, NONCE);
  assertEquals(auth.next(Uint8Array.of(1, 4)), Uint8Array.of(2));
  const hidden = auth.next(encodeAuthMoreData(rsaKey.publicKey))!;
  assertEquals(hidden.length, 256);
  const text = rsaKey.decrypt(hidden).map((byte, at) => byte ^ NONCE[at % 20]!);
  assertEquals(new TextDecoder().decode(text), "secret\0");
  assertEquals(auth.next(Uint8Array.of(1, 3)), undefined);
});

Deno.test("What servers ask for and the proxy cannot do is told", () => {
  const ask = (key: LoginKey, payload: Uint8Array, greeted: PluginName = SHA2) => () => {
    const auth = new ClientAuth(key);
    auth.start(greeted, NONCE);
    return auth.next(payload);
  };
  const secret = LoginKey.fromPassword("secret");
  const hashed = LoginKey.fromSha1(secret.sha1);
  const switchTo = (plugin: string) => encodeAuthSwitch({ plugin, authData: NONCE });
  const unknown = assertThrows(ask(secret, switchTo("auth_gssapi_client")), SluiceError);
  assertEquals(unknown.code, 1251);
  assert(unknown.message.includes("'auth_gssapi_client'"), unknown.message);
  const needsClear = assertThrows(ask(hashed, switchTo(SHA2)), SluiceError);
  assertEquals(needsClear.code, 1251);
  assertEquals(assertThrows(ask(secret, Uint8Array.of(0xfe)), SluiceError).code, 1251);
  assertThrows(ask(secret, Uint8Array.of(1, 9, 9)), ProtocolError);
  assertThrows(ask(secret, encodeAuthMoreData(new Uint8Array(300))), ProtocolError);
  assertThrows(ask(secret, Uint8Array.of(1, 4), NATIVE), ProtocolError);
  assertThrows(ask(secret, Uint8Array.of(2)), ProtocolError);
});

Deno.test("A key from SHA1 begins with native even where the greeting names sha2", () => {
  const auth = new ClientAuth(LoginKey.fromSha1(LoginKey.fromPassword("secret").sha1));
  const { plugin, response } = auth.start(SHA2, NONCE);
  assertEquals(plugin, NATIVE);
  assertNotEquals(response.length, 0);
});
