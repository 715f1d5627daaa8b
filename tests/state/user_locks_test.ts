/** Locks by GET_LOCK: which of them are known, and what real servers tell of them. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/protocol/bytes.ts";
import type { Dialect } from "../../src/state/dialect.ts";
import { Pins } from "../../src/state/pins.ts";
import {
  addLock,
  applyLock,
  hasManyLocks,
  lockQuestions,
  MOST_NAMES,
  removeLock,
} from "../../src/state/user_locks.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { answersOf, StateSession } from "./state_session.ts";

const DIALECTS: readonly Dialect[] = ["mysql", "mariadb", "oceanbase"];
const RUN = { isUtf8: true, begin: { since: 0, cause: "SELECT" } };

function pinsOf(dialect: Dialect, ...names: readonly (string | undefined)[]): Pins {
  const pins = new Pins();
  for (const name of names) addLock(pins, { name, dialect, ...RUN });
  return pins;
}

function locks(pins: Pins): readonly string[] {
  return pins.list().find(({ reason }) => reason === "user_lock")?.things ?? [];
}

function many(count: number, prefix = "lock"): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`);
}

Deno.test("A lock is taken as often as it must be released", () => {
  const pins = pinsOf("mysql", "a", "A", "b");
  assertEquals(locks(pins), ["a", "b"]);
  removeLock(pins, "a", "mysql");
  assertEquals(locks(pins), ["a", "b"]);
  removeLock(pins, "A", "mysql");
  removeLock(pins, "b", "mysql");
  assert(!pins.isPinned);
});

Deno.test("MariaDB tells names in upper case from those in lower case", () => {
  const pins = pinsOf("mariadb", "a", "A");
  assertEquals(locks(pins), ["a", "A"]);
  removeLock(pins, "A", "mariadb");
  assertEquals(locks(pins), ["a"]);
});

Deno.test("Whoever asks for one lock again and again has one", () => {
  const pins = new Pins();
  for (let at = 0; at < 1_000_000; at++) {
    addLock(pins, { name: "leader", dialect: "mysql", ...RUN });
  }
  assertEquals(locks(pins), ["leader"]);
  applyLock(pins, lockQuestions(pins, "mysql")[0]!, { value: encodeText("0") });
  assert(!pins.isPinned);
});

Deno.test("What no server takes for a name is no lock", () => {
  for (const dialect of DIALECTS) {
    assert(!pinsOf(dialect, "", "x".repeat(193)).isPinned);
    assertEquals(locks(pinsOf(dialect, "x".repeat(192))).length, 1);
  }
});

Deno.test("What others read in another character set has no name", () => {
  for (const dialect of DIALECTS) {
    const pins = new Pins();
    for (const name of ["é", "e"]) addLock(pins, { name, dialect, ...RUN, isUtf8: false });
    assertEquals(locks(pins), ["", "e"]);
    assertEquals(locks(pinsOf(dialect, "é")), ["é"]);
  }
});

Deno.test("Only so many locks have names at a time", () => {
  for (const dialect of DIALECTS) {
    const pins = pinsOf(dialect, ...many(MOST_NAMES - 1));
    assert(!hasManyLocks(pins));
    addLock(pins, { name: "last", dialect, ...RUN });
    assert(hasManyLocks(pins));
    for (const name of many(MOST_NAMES, "more")) addLock(pins, { name, dialect, ...RUN });
    assertEquals(locks(pins), [...many(MOST_NAMES - 1), "last", ""]);
    // Whether that is one of the nameless ones cannot be told.
    removeLock(pins, "more0", dialect);
    assertEquals(locks(pins).at(-1), "");
    // Asking has helped as far as it can.
    assert(!hasManyLocks(pins));
    for (const name of [...many(MOST_NAMES - 1), "last"]) removeLock(pins, name, dialect);
    assertEquals(locks(pins), [""]);
  }
});

Deno.test("Each lock is asked for, the nameless ones of MySQL together", () => {
  const texts = (dialect: Dialect, ...names: readonly (string | undefined)[]) =>
    lockQuestions(pinsOf(dialect, ...names), dialect).map(({ sql }) => sql);
  assertEquals(texts("mysql"), []);
  assertEquals(texts("mariadb", "a", undefined, "it's"), [
    "SELECT IS_USED_LOCK(_utf8mb4'a')<=>CONNECTION_ID() LIMIT 1",
    "SELECT IS_USED_LOCK(_utf8mb4 x'69742773')<=>CONNECTION_ID() LIMIT 1",
  ]);
  assertEquals(texts("oceanbase", undefined), []);
  const [named, nameless] = texts("mysql", "a", undefined, undefined);
  assertEquals(named, "SELECT IS_USED_LOCK(_utf8mb4'a')<=>CONNECTION_ID() LIMIT 1");
  assert(nameless!.includes("performance_schema.metadata_locks"));
});

Deno.test("Answers end the locks that are not there", () => {
  const pins = pinsOf("mysql", "a", "a", "b", "c", undefined);
  const [a, b, c, nameless] = lockQuestions(pins, "mysql");
  applyLock(pins, a!, { value: encodeText("0") });
  applyLock(pins, b!, { value: encodeText("1") });
  applyLock(pins, c!, { error: 4163 });
  assertEquals(locks(pins), ["b", ""]);
  applyLock(pins, nameless!, { error: 1142 });
  applyLock(pins, nameless!, { value: encodeText("2") });
  applyLock(pins, b!, { error: 1317 });
  assertEquals(locks(pins), ["b", ""]);
  applyLock(pins, nameless!, { value: encodeText("0") });
  assertEquals(locks(pins), ["b"]);
});

/** Has the server asked, as it is done for whoever wants the session. */
async function ask(session: StateSession, pins: Pins): Promise<void> {
  const { client, dialect } = session;
  for (const question of lockQuestions(pins, dialect)) {
    const [answer] = answersOf(await client.query(question.sql), client.capabilities);
    const { error, rows } = answer!;
    applyLock(
      pins,
      question,
      error === undefined ? { value: rows[0]?.[0] } : { error: error.code },
    );
  }
}

for (const name of ["mariadb", "mysql"] as const) {
  const shared = await sharedEngine(name, []);
  const { ignore } = shared;

  Deno.test(`${name} tells which locks a session has`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine);
    using other = await StateSession.open(shared.engine);
    const { dialect } = session;
    await other.must("SELECT GET_LOCK('taken',0)");
    await session.must("SELECT GET_LOCK('taken',0), GET_LOCK('Free',0), GET_LOCK('É',0)");
    const pins = pinsOf(dialect, "taken", "Free", "É");
    await ask(session, pins);
    assertEquals(locks(pins), [dialect === "mariadb" ? "Free" : "free", "É"]);
    await session.must("DO RELEASE_ALL_LOCKS()");
    await ask(session, pins);
    assert(!pins.isPinned);
  });

  Deno.test(`${name} refuses names that it has refused before`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine);
    const { dialect } = session;
    for (const refused of ["x".repeat(192), "x".repeat(191) + "é", "🔒".repeat(49)]) {
      const sql = `SELECT GET_LOCK('${refused}',0)`;
      const [answer] = answersOf(await session.client.query(sql), session.client.capabilities);
      const isTaken = answer!.error === undefined;
      const pins = pinsOf(dialect, refused);
      await ask(session, pins);
      assertEquals(pins.isPinned, isTaken, `${dialect}: ${refused}`);
    }
  });

  Deno.test(`${name} tells of locks without names, or they stay`, { ignore }, async () => {
    using session = await StateSession.open(shared.engine);
    const { dialect } = session;
    await session.must("SELECT GET_LOCK(CONCAT('one'),0), GET_LOCK('two',0)");
    const pins = pinsOf(dialect, undefined, "two");
    await ask(session, pins);
    assertEquals(locks(pins), ["", "two"]);
    await session.must("SELECT RELEASE_LOCK(CONCAT('one')), RELEASE_LOCK(CONCAT('two'))");
    await ask(session, pins);
    assertEquals(locks(pins), dialect === "mysql" ? [] : [""]);
  });
}

const mysql = await sharedEngine("mysql", []);

Deno.test(
  "MySQL that keeps no account of locks tells of none",
  { ignore: mysql.ignore },
  async () => {
    using session = await StateSession.open(mysql.engine);
    const instrument = (isOn: boolean) =>
      session.must(
        `UPDATE performance_schema.setup_instruments SET ENABLED='${isOn ? "YES" : "NO"}' ` +
          "WHERE NAME='wait/lock/metadata/sql/mdl'",
      );
    await instrument(false);
    try {
      await session.must("DO GET_LOCK(CONCAT('one'),0)");
      const pins = pinsOf("mysql", undefined);
      await ask(session, pins);
      assertEquals(locks(pins), [""]);
    } finally {
      await instrument(true);
    }
  },
);
