/** States as values: copies, changes, versions, what is unread. */
import { assert, assertEquals } from "@std/assert";
import { difference } from "../../src/state/difference.ts";
import { adopt, caughtUp, SessionState, textOf, Unread } from "../../src/state/session_state.ts";
import { chooseSeed, seededRandom } from "../support/random.ts";

Deno.test("A copy is the same until one of the two changes", () => {
  const wanted = SessionState.afterLogin("one", new Map([["sql_mode", "ANSI"]]));
  const known = new SessionState();
  assert(!wanted.isSameAs(known));
  known.copyFrom(wanted);
  assert(wanted.isSameAs(known));
  known.setVariable("time_zone", "+01:00");
  assert(!wanted.isSameAs(known));
  assertEquals(wanted.variable("time_zone"), undefined);
  wanted.copyFrom(known);
  assert(wanted.isSameAs(known));
  assertEquals(wanted.version, known.version);
  wanted.setUserVariable("a", "1");
  assertEquals(known.userVariables.size, 0);
});

Deno.test("Sessions that change nothing share the empty maps", () => {
  const [one, other] = [new SessionState(), new SessionState()];
  assert(one.variables === other.variables && one.userVariables === other.userVariables);
  one.setVariable("sql_mode", "");
  one.dropVariable("sql_mode");
  assertEquals(other.variables.size, 0);
});

Deno.test("The login's values count where nothing was set, and are not kept again", () => {
  const state = SessionState.afterLogin("", new Map([["autocommit", "ON"]]));
  assertEquals(state.variable("autocommit"), "ON");
  state.setVariable("autocommit", "ON");
  assertEquals([state.variables.size, state.version], [0, 0]);
  state.setVariable("autocommit", "OFF");
  assertEquals([state.variables.size, state.version], [1, 1]);
  state.setVariable("autocommit", "ON");
  assertEquals([state.variables.size, state.version], [0, 2]);
  state.setVariable("autocommit", "OFF");
  state.dropVariable("autocommit");
  assertEquals(state.variable("autocommit"), "ON");
});

Deno.test("A value that is read once is known to all states that have it", () => {
  const known = new SessionState();
  const cell = new Unread();
  known.setUserVariable("a", cell);
  known.setVariable("collation_connection", new Unread());
  const wanted = new SessionState();
  wanted.copyFrom(known);
  assertEquals(wanted.unread()?.userVariables.map(([name]) => name), ["a"]);
  assertEquals(wanted.unread()?.variables.map(([name]) => name), ["collation_connection"]);
  cell.text = "5";
  assertEquals(textOf(wanted.userVariables.get("a")), "5");
  assertEquals(wanted.unread()?.userVariables, []);
});

Deno.test("An insert id is its client's own, whoever has the server session", () => {
  const [known, mine, theirs] = [new SessionState(), new SessionState(), new SessionState()];
  let before = known.insertId;
  known.insertId = "7";
  adopt(mine, known, before);
  assertEquals(mine.insertId, "7");
  caughtUp(known, theirs, false);
  assert(known.isSameAs(theirs));
  before = known.insertId;
  known.setVariable("time_zone", "+01:00");
  adopt(theirs, known, before);
  assertEquals([theirs.insertId, theirs.variable("time_zone")], ["0", "+01:00"]);
  const asks = { dialect: "mysql" } as const;
  assertEquals(difference(theirs, known, { ...asks, asksInsertId: false }), undefined);
  assertEquals(difference(theirs, known, asks)?.set, "SET SESSION last_insert_id=0");
  caughtUp(known, theirs, true);
  assertEquals(difference(theirs, known, asks), undefined);
});

Deno.test("Uncertain and pending states are never the same", () => {
  const [one, other] = [new SessionState(), new SessionState()];
  assert(one.isSameAs(other));
  one.isPending = true;
  assert(!one.isSameAs(other));
  one.isPending = false;
  other.setUncertain();
  assert(!one.isSameAs(other));
});

Deno.test("Random changes and copies do what plain maps do", () => {
  const seed = chooseSeed();
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const states = Array.from({ length: 4 }, () => new SessionState());
  const models = states.map(() => ({ variables: new Map(), users: new Map() }));
  for (let step = 0; step < 20_000; step++) {
    const index = pick(4);
    const name = `n${pick(5)}`;
    const value = String(pick(3));
    switch (pick(4)) {
      case 0:
        states[index]!.setVariable(name, value);
        models[index]!.variables.set(name, value);
        break;
      case 1:
        states[index]!.setUserVariable(name, value);
        models[index]!.users.set(name, value);
        break;
      case 2:
        states[index]!.dropVariable(name);
        models[index]!.variables.delete(name);
        break;
      default: {
        const from = pick(4);
        states[index]!.copyFrom(states[from]!);
        const { variables, users } = models[from]!;
        models[index] = { variables: new Map(variables), users: new Map(users) };
        assert(states[index]!.isSameAs(states[from]!));
      }
    }
    for (const [at, state] of states.entries()) {
      assertEquals([...state.variables].sort(), [...models[at]!.variables].sort(), `seed ${seed}`);
      assertEquals([...state.userVariables].sort(), [...models[at]!.users].sort(), `seed ${seed}`);
    }
  }
});
