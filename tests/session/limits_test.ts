import { assertEquals, assertThrows } from "@std/assert";
import { SluiceError } from "../../src/errors.ts";
import { type Place, SessionLimits } from "../../src/session/limits.ts";
import { configOf } from "../config/config_tools.ts";

interface Limits {
  readonly client?: number;
  readonly user?: number;
  readonly tenant?: number;
  /** Of tenant `own`. */
  readonly own?: number;
}

function configWith({ client = 0, user = 0, tenant = 0, own }: Limits) {
  return configOf(`[proxy]
client_max_connections = ${client}
user_max_connections = ${user}
tenant_max_connections = ${tenant}
[[clusters]]
name = "main"
servers = ["127.0.0.1:3306"]
[[clusters.tenants]]
name = "own"
${own === undefined ? "" : `max_connections = ${own}`}
[[users]]
name = "app"
password = ""
`);
}

function login(user: string, tenant = "", cluster = "main") {
  return { user, tenant, cluster };
}

function enterTimes(limits: SessionLimits, count: number, who = login("app")): Place[] {
  return Array.from({ length: count }, () => limits.enter(who));
}

function refusal(action: () => unknown): string {
  const error = assertThrows(action, SluiceError);
  assertEquals([error.kind, error.code, error.sqlState], ["too_many_sessions", 1203, "42000"]);
  return error.message;
}

Deno.test("All sessions together may be as many as client_max_connections", () => {
  const limits = new SessionLimits(configWith({ client: 2 }));
  limits.refuseWhenFull(2);
  const said = refusal(() => limits.refuseWhenFull(3));
  assertEquals(said, "Too many sessions, at most 2 (client_max_connections)");
  new SessionLimits(configWith({})).refuseWhenFull(1_000_000);
});

Deno.test("Sessions of the proxy's own accounts take nobody's place, and once", () => {
  const limits = new SessionLimits(configWith({ client: 2 }));
  const places = [limits.enterExempt(), limits.enterExempt()];
  limits.refuseWhenFull(4);
  refusal(() => limits.refuseWhenFull(5));
  places[0]!.leave();
  places[0]!.leave();
  limits.refuseWhenFull(3);
  refusal(() => limits.refuseWhenFull(4));
});

Deno.test("An account may have as many sessions as user_max_connections", () => {
  const limits = new SessionLimits(configWith({ user: 2 }));
  const [first] = enterTimes(limits, 2);
  assertEquals(
    refusal(() => limits.enter(login("app"))),
    "Too many sessions of user app#main, at most 2 (user_max_connections)",
  );
  // Others are others: another user, tenant or cluster.
  enterTimes(limits, 2, login("other"));
  enterTimes(limits, 2, login("app", "own"));
  enterTimes(limits, 2, login("app", "", "second"));
  assertEquals(
    refusal(() => limits.enter(login("app", "own"))),
    "Too many sessions of user app@own#main, at most 2 (user_max_connections)",
  );
  first!.leave();
  first!.leave();
  enterTimes(limits, 1);
  refusal(() => limits.enter(login("app")));
});

Deno.test("An account's own limit stands in place of user_max_connections", () => {
  const limits = new SessionLimits(configWith({ user: 1 }));
  for (let count = 0; count < 3; count++) limits.enter(login("app"), 3);
  assertEquals(
    refusal(() => limits.enter(login("app"), 3)),
    "Too many sessions of user app#main, at most 3 (its own max_connections)",
  );
  limits.enter(login("app"), 0);
});

Deno.test("A tenant may have as many sessions as tenant_max_connections or its own limit", () => {
  const limits = new SessionLimits(configWith({ tenant: 2, own: 3 }));
  const places = ["a", "b"].map((user) => limits.enter(login(user, "any")));
  assertEquals(
    refusal(() => limits.enter(login("c", "any"))),
    "Too many sessions of tenant any#main, at most 2 (tenant_max_connections)",
  );
  enterTimes(limits, 2, login("c", "any", "second"));
  enterTimes(limits, 3, login("c", "own"));
  assertEquals(
    refusal(() => limits.enter(login("d", "own"))),
    "Too many sessions of tenant own#main, at most 3 (its own max_connections)",
  );
  enterTimes(limits, 5);
  places[0]!.leave();
  limits.enter(login("c", "any"));
});

Deno.test("What a tenant refuses does not count for the account", () => {
  const limits = new SessionLimits(configWith({ user: 2, tenant: 1 }));
  const place = limits.enter(login("app", "t"));
  for (let tries = 0; tries < 5; tries++) refusal(() => limits.enter(login("app", "t")));
  place.leave();
  limits.enter(login("app", "t"));
});

Deno.test("Limits change while sessions are counted", () => {
  const limits = new SessionLimits(configWith({}));
  const places = enterTimes(limits, 3, login("app", "own"));
  limits.use(configWith({ client: 3, user: 2 }));
  refusal(() => limits.enter(login("app", "own")));
  refusal(() => limits.refuseWhenFull(4));
  places.slice(0, 2).forEach((place) => place.leave());
  enterTimes(limits, 1, login("app", "own"));
  limits.use(configWith({ own: 1 }));
  refusal(() => limits.enter(login("app", "own")));
  limits.use(configWith({ own: 0, tenant: 1 }));
  enterTimes(limits, 10, login("app", "own"));
});

Deno.test("What a session counts for cannot be mixed up by odd names", () => {
  const limits = new SessionLimits(configWith({ user: 1 }));
  for (const who of [login("a@b", "c"), login("a", "b@c"), login("a", "b", "c"), login("a", "c")]) {
    limits.enter(who);
  }
});
