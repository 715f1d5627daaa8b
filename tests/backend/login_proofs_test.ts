import { assertEquals } from "@std/assert";
import { LoginProofs, type ProvenLogin } from "../../src/backend/login_proofs.ts";
import { type ErrorName, SluiceError } from "../../src/errors.ts";
import { LoginKey } from "../../src/protocol/auth.ts";
import { loginOf } from "../support/login_of.ts";

function proven(change: Partial<ProvenLogin["login"]> = {}): ProvenLogin {
  return { login: loginOf(change), tenant: undefined };
}

Deno.test("A login is proven by user, password, schema and tenant", () => {
  const proofs = new LoginProofs();
  assertEquals(proofs.has(proven()), false);
  proofs.remember(proven());
  const tenant = { name: "reports", servers: [], schema: "" };
  const cases: readonly (readonly [boolean, ProvenLogin])[] = [
    [true, proven()],
    [true, proven({ key: LoginKey.fromPassword("secret") })],
    [false, proven({ key: LoginKey.fromPassword("another") })],
    [false, proven({ user: "ap" })],
    [false, proven({ schema: "shop" })],
    [false, { ...proven(), tenant }],
  ];
  for (const [isProven, login] of cases) {
    assertEquals([proofs.has(login), proofs.isFresh(login)], [isProven, isProven]);
  }
});

Deno.test("A proof is fresh for a moment, and stays", () => {
  let now = 5_000;
  const proofs = new LoginProofs(() => now);
  const told = () => [proofs.has(proven()), proofs.isFresh(proven())];
  proofs.remember(proven());
  now += 999;
  assertEquals(told(), [true, true]);
  now += 1;
  assertEquals(told(), [true, false]);
  proofs.remember(proven());
  assertEquals(told(), [true, true]);
});

Deno.test("What refuses the account or its schema ends a proof, and nothing else", () => {
  const proofs = new LoginProofs();
  const stands = (error: unknown) => {
    proofs.remember(proven());
    proofs.judge(proven(), error);
    return proofs.has(proven());
  };
  const server = (kind: ErrorName, code: number) =>
    new SluiceError(kind, "no", { code, sqlState: "HY000" });
  for (const code of [1044, 1045, 1049, 3118]) {
    assertEquals(stands(server("server_refused", code)), false, String(code));
  }
  for (const kind of ["unknown_database", "server_auth_plugin"] as const) {
    assertEquals(stands(new SluiceError(kind, "no")), false, kind);
  }
  assertEquals(stands(server("server_refused", 1040)), true);
  for (const kind of ["state_lost", "server_lost", "pool_exhausted", "killed"] as const) {
    assertEquals(stands(server(kind, 1049)), true, kind);
  }
  assertEquals(stands(new Error("no")), true);
});

Deno.test("The oldest proof gives way to a new one", () => {
  const proofs = new LoginProofs();
  const login = (number: number) => proven({ user: `user${number}` });
  for (let number = 0; number < 10_000; number++) proofs.remember(login(number));
  proofs.remember(login(0));
  proofs.remember(login(10_000));
  assertEquals([0, 1, 2, 10_000].map((number) => proofs.has(login(number))), [
    true,
    false,
    true,
    true,
  ]);
});
