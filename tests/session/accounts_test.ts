import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import type { UserConfig } from "../../src/config/types.ts";
import { LoginKey, verifierOf } from "../../src/protocol/auth.ts";
import { ConfiguredAccounts, NOBODY } from "../../src/session/accounts.ts";

function user(name: string, rest: Partial<UserConfig> = {}): UserConfig {
  const secret = { kind: "clear", password: `${name}'s password` } as const;
  return { name, cluster: "", tenant: "", secret, ...rest };
}

/** An account whose server user tells which entry it is. */
function scoped(label: string, cluster: string, tenant: string): UserConfig {
  return user("app", { cluster, tenant, server: { user: label, password: "" } });
}

const SECRET = verifierOf(LoginKey.fromPassword("secret"));

const SCOPES = [
  scoped("any", "", ""),
  scoped("tenant", "", "reports"),
  scoped("cluster", "main", ""),
  scoped("both", "main", "reports"),
];

const FOUND: readonly (readonly [cluster: string, tenant: string, label: string])[] = [
  ["", "", "any"],
  ["other", "", "any"],
  ["other", "reports", "tenant"],
  ["", "reports", "tenant"],
  ["main", "", "cluster"],
  ["main", "sales", "cluster"],
  ["main", "reports", "both"],
];

for (const [cluster, tenant, label] of FOUND) {
  Deno.test(`The entry for app@${tenant}#${cluster} is that for ${label}`, () => {
    for (const users of [SCOPES, SCOPES.toReversed()]) {
      const account = new ConfiguredAccounts(users).find({ user: "app", tenant, cluster });
      assertEquals(account?.serverUser, label);
    }
  });
}

Deno.test("Accounts of other names, tenants and clusters are not found", () => {
  const accounts = new ConfiguredAccounts([scoped("both", "main", "reports")]);
  const wrong = [
    ["APP", "reports", "main"],
    ["ap", "reports", "main"],
    ["", "reports", "main"],
    ["app", "", "main"],
    ["app", "reports", ""],
    ["app", "reports", "Main"],
  ] as const;
  for (const [name, tenant, cluster] of wrong) {
    assertEquals(accounts.find({ user: name, tenant, cluster }), undefined);
  }
});

Deno.test("Names that objects have anyway are no accounts", () => {
  const accounts = new ConfiguredAccounts([user("app")]);
  for (const name of ["__proto__", "constructor", "toString"]) {
    assertEquals(accounts.find({ user: name, tenant: "", cluster: "" }), undefined);
  }
});

Deno.test("A password serves clients and servers alike", () => {
  const account = new ConfiguredAccounts([user("app")]).find(plain("app"))!;
  assertEquals(account.serverUser, undefined);
  assertEquals(account.serverKey?.password, "app's password");
  assertEquals(account.verifier, verifierOf(LoginKey.fromPassword("app's password")));
});

Deno.test("An account towards the servers has its own password", () => {
  const server = { user: "real", password: "other" };
  const account = new ConfiguredAccounts([user("app", { server })]).find(plain("app"))!;
  assertEquals(account.serverUser, "real");
  assertEquals(account.serverKey?.password, "other");
  assertEquals(account.verifier, verifierOf(LoginKey.fromPassword("app's password")));
});

Deno.test("A hash lets clients in by either plugin once the password was seen", () => {
  const secret = { kind: "sha1_hash", stage2: SECRET.sha1Twice } as const;
  const account = new ConfiguredAccounts([user("app", { secret })]).find(plain("app"))!;
  assertEquals(account.serverKey, undefined);
  assertEquals(account.verifier, { isEmpty: false, sha1Twice: SECRET.sha1Twice });
  account.learn(LoginKey.fromSha1(LoginKey.fromPassword("secret").sha1));
  assertEquals([account.verifier.sha256Twice, account.serverKey], [undefined, undefined]);
  account.learn(LoginKey.fromPassword("secret"));
  assertEquals(account.verifier.sha256Twice?.toHex(), SECRET.sha256Twice!.toHex());
  // The next login may be a short one, and servers want more than that shows.
  assertEquals(account.serverKey?.password, "secret");
});

Deno.test("Only hashes may need the RSA key", () => {
  const secret = { kind: "sha1_hash", stage2: SECRET.sha1Twice } as const;
  assertEquals(new ConfiguredAccounts([user("a")]).needsRsaKey, false);
  assertEquals(new ConfiguredAccounts([user("a"), user("b", { secret })]).needsRsaKey, true);
  assertEquals(new ConfiguredAccounts([]).needsRsaKey, false);
});

Deno.test("Nobody has a password that could be guessed, and learns none", () => {
  const before = NOBODY.verifier;
  NOBODY.learn(LoginKey.fromPassword("secret"));
  assertStrictEquals(NOBODY.verifier, before);
  assertEquals([before.isEmpty, NOBODY.serverUser], [false, undefined]);
  // Not undefined as with an account of which only the hash is known, which would be asked for more.
  assertNotEquals(NOBODY.serverKey, undefined);
});

function plain(name: string) {
  return { user: name, tenant: "", cluster: "" };
}
