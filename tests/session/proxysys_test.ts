import { assert, assertEquals } from "@std/assert";
import type { Secret } from "../../src/config/types.ts";
import {
  LoginKey,
  NATIVE,
  nativeProof,
  ServerAuth,
  SHA2,
  sha2Proof,
} from "../../src/protocol/auth.ts";
import { type Account, NOBODY } from "../../src/session/accounts.ts";
import { parseLoginName } from "../../src/session/login_name.ts";
import {
  identityOf,
  isLoopback,
  isPrivate,
  isProxysys,
  ProxysysAccounts,
  type ProxysysConfig,
} from "../../src/session/proxysys.ts";

const LOOPBACK = [
  "127.0.0.1",
  "127.255.255.254",
  "::1",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
  "::FFFF:7f00:1",
];

const PRIVATE = [
  "10.0.0.1",
  "10.255.255.255",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "192.168.255.255",
  "fc00::1",
  "fd12:3456:789a:1::1",
  "FDFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
  "fd00::1%eth0",
  "::ffff:10.1.2.3",
  "::ffff:172.20.0.1",
  "::FFFF:192.168.1.1",
  "::ffff:a01:203",
  "0:0:0:0:0:ffff:10.1.2.3",
];

const PUBLIC = [
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "169.254.1.1",
  "100.64.0.1",
  "0.0.0.0",
  "110.0.0.1",
  "210.10.10.10",
  "::",
  "::2",
  "2001:db8::1",
  "fe80::1%eth0",
  "fbff::1",
  "fe00::1",
  "fc::1",
  "fd0::1",
  "::fc00",
  "::ffff:8.8.8.8",
  "::ffff:11.0.0.1",
  "::10.0.0.1",
  "64:ff9b::10.0.0.1",
  "1:ffff:0:0:0:ffff:a01:203",
  "",
  "localhost",
  "10.0.0.1.example.com",
  "10.0.0",
  "fd00::1::2",
  "fd00::1]@127.0.0.1",
  "::1 ",
  "10.0.0.1\n",
];

Deno.test("Loopback and private addresses are told from all others", () => {
  const all = [...LOOPBACK, ...PRIVATE, ...PUBLIC];
  assertEquals(all.filter(isLoopback), LOOPBACK);
  assertEquals(all.filter(isPrivate), PRIVATE);
});

Deno.test("Login names have an identity", () => {
  const found = (text: string) => identityOf(parseLoginName(text));
  assertEquals(found("root@proxysys"), "proxysys");
  assertEquals(found("root@proxysys#any"), "proxysys");
  assertEquals(found("any:proxysys:root"), "proxysys");
  assertEquals(found("inspector@proxysys"), "inspector");
  assertEquals(found("root@sys"), "root_sys");
  assertEquals(found("root@sys#any"), "root_sys");
  const ordinary = ["root", "inspector", "inspector@sys", "app@sys", "app@proxysys", "root@SYS"]
    .concat("ROOT@sys", "root@proxysys2", "root@Proxysys", "@sys", "@proxysys", "root@", "");
  assertEquals(ordinary.filter((text) => found(text) !== "ordinary"), []);
  assert(isProxysys(parseLoginName("app@proxysys")));
  assert(!isProxysys(parseLoginName("proxysys")));
});

function clear(password: string): Secret {
  return { kind: "clear", password };
}

const CONFIG: ProxysysConfig = {
  obproxySysSecret: clear("top"),
  inspectorSecret: clear("look"),
  skipProxySysPrivateCheck: false,
};
const OPEN: ProxysysConfig = {
  obproxySysSecret: undefined,
  inspectorSecret: undefined,
  skipProxySysPrivateCheck: false,
};
const HERE = "127.0.0.1";
const NEAR = "192.168.7.1";
const FAR = "203.0.113.9";
const NONCE = new Uint8Array(20).map((_, at) => at + 33);

/** Whether a password is right, by either plugin. */
function accepts(account: Account, password: string): boolean {
  const key = LoginKey.fromPassword(password);
  const verdicts = [[NATIVE, nativeProof(key, NONCE)], [SHA2, sha2Proof(key, NONCE)]] as const;
  const [first, second] = verdicts.map(([plugin, proof]) => {
    const auth = new ServerAuth({ nonce: NONCE, verifier: account.verifier, announced: plugin });
    return auth.start(plugin, proof).kind;
  });
  assertEquals(first, second);
  return first === "accepted";
}

interface Row {
  readonly user: string;
  readonly host?: string;
  readonly config?: Partial<ProxysysConfig>;
  readonly password: string;
  readonly may: boolean;
}

const LOGINS: readonly Row[] = [
  { user: "root@proxysys", password: "top", may: true },
  { user: "root@proxysys#some", password: "top", may: true },
  { user: "root@proxysys", password: "look", may: false },
  { user: "root@proxysys", password: "", may: false },
  { user: "inspector@proxysys", password: "look", may: true },
  { user: "inspector@proxysys", password: "top", may: false },
  { user: "app@proxysys", password: "top", may: false },
  { user: "@proxysys", password: "top", may: false },
  { user: "Root@proxysys", password: "top", may: false },
  { user: "root@proxysys", host: FAR, password: "top", may: false },
  { user: "inspector@proxysys", host: FAR, password: "look", may: false },
  { user: "root@proxysys", host: "::1", password: "top", may: true },
  { user: "root@proxysys", host: "not an address", password: "top", may: false },
  ...[{ user: "root@proxysys", password: "top" }, { user: "inspector@proxysys", password: "look" }]
    .map((row) => ({ ...row, host: FAR, config: { skipProxySysPrivateCheck: true }, may: true })),
  // Accounts without a password are open to this machine only.
  { user: "root@proxysys", host: HERE, config: OPEN, password: "", may: true },
  { user: "root@proxysys", host: HERE, config: OPEN, password: "any", may: false },
  { user: "inspector@proxysys", host: HERE, config: OPEN, password: "", may: true },
  { user: "app@proxysys", host: HERE, config: OPEN, password: "", may: false },
  ...[undefined, clear("")].flatMap((obproxySysSecret) =>
    [[HERE, true], [NEAR, false], [FAR, false]].map(([host, may]) => ({
      user: "root@proxysys",
      host: host as string,
      config: { obproxySysSecret, skipProxySysPrivateCheck: true },
      password: "",
      may: may as boolean,
    }))
  ),
];

Deno.test("The proxy's own accounts log in with their passwords from near addresses", () => {
  const accounts = new ProxysysAccounts();
  for (const { user, host = NEAR, config, password, may } of LOGINS) {
    const login = { name: parseLoginName(user), host, config: { ...CONFIG, ...config } };
    const account = accounts.find(login);
    const isIn = account !== NOBODY && accepts(account, password);
    assertEquals({ user, host, config, password, may: isIn }, {
      user,
      host,
      config,
      password,
      may,
    });
  }
});

Deno.test("A password that has been shown once is remembered until it changes", () => {
  const accounts = new ProxysysAccounts();
  const login = (secret: Secret) => ({
    name: parseLoginName("root@proxysys"),
    host: NEAR,
    config: { ...CONFIG, obproxySysSecret: secret },
  });
  const key = LoginKey.fromPassword("secret");
  const hashed: Secret = { kind: "sha1_hash", stage2: key.sha1Twice };
  assertEquals(accounts.find(login(hashed)).verifier.sha256Twice, undefined);
  // A native login reveals too little.
  accounts.find(login(hashed)).learn(LoginKey.fromSha1(key.sha1));
  assertEquals(accounts.find(login(hashed)).verifier.sha256Twice, undefined);
  accounts.find(login(hashed)).learn(key);
  assert(accepts(accounts.find(login(hashed)), "secret"));
  assert(!accepts(accounts.find(login(hashed)), ""));
  assert(accepts(accounts.find(login(clear("other"))), "other"));
  assertEquals(accounts.find(login({ ...hashed })).verifier.sha256Twice, undefined);
});

Deno.test("No login of the proxy's own accounts needs the password in clear", () => {
  // Otherwise the session would force clients to show it, for the sake of servers.
  const hashed: Secret = { kind: "sha1_hash", stage2: LoginKey.fromPassword("x").sha1Twice };
  for (const secret of [undefined, clear("top"), hashed]) {
    const account = new ProxysysAccounts().find({
      name: parseLoginName("root@proxysys"),
      host: NEAR,
      config: { ...CONFIG, obproxySysSecret: secret },
    });
    assert(account.serverKey !== undefined);
    assertEquals(account.serverUser, undefined);
  }
});
