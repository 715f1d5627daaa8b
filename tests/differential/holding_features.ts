/** Scenarios that keep their server session until they are over. */
import { lockOf } from "./data.ts";
import { type Feature, ownTable, query, type Subject } from "./scenario.ts";
import { change, read } from "./statement_features.ts";
import type { Op } from "./steps.ts";

function work(subject: Subject, most = 3): Op[] {
  return subject.random.some([0], most).flatMap(() => {
    const { random } = subject;
    return random.chance(0.4)
      ? [change(subject)]
      : random.chance(0.5)
      ? [read(subject)]
      : subject.inner();
  });
}

/** What begins something, now and then in a text that fails behind it. */
function begins({ random }: Subject, sql: string): Op {
  return query(random.chance(0.12) ? `${sql}; SELECT * FROM one.missing` : sql);
}

const transactions: Feature = {
  name: "transactions",
  holds: true,
  make(subject) {
    const { random } = subject;
    const begin = random.pick([
      ..."BEGIN|START TRANSACTION|START TRANSACTION READ ONLY|BEGIN WORK".split("|"),
      ..."START TRANSACTION WITH CONSISTENT SNAPSHOT|START TRANSACTION READ WRITE".split("|"),
    ]);
    const end = random.pick([
      "COMMIT",
      "ROLLBACK",
      "COMMIT",
      "BEGIN; COMMIT",
      "CREATE OR REPLACE VIEW two.v AS SELECT 1",
    ]);
    return [
      begins(subject, begin),
      ...work(subject),
      ...(random.chance(0.4)
        ? [
          query("SAVEPOINT s1"),
          ...work(subject, 2),
          query(
            random.pick([
              "ROLLBACK TO s1",
              "RELEASE SAVEPOINT s1",
              "ROLLBACK TO s9",
              "SAVEPOINT s1",
            ]),
          ),
        ]
        : []),
      ...(random.chance(0.15) ? [query("COMMIT AND CHAIN"), change(subject)] : []),
      query(end),
      query("ROLLBACK"),
      read(subject),
    ];
  },
};

/** Temporary tables that no text tells of. */
const hiddenTables: Feature = {
  name: "hiddenTables",
  engines: ["mariadb", "mysql"],
  holds: true,
  make(subject) {
    const { random, slots, typed } = subject;
    slots.clear();
    typed.clear();
    const schema = random.pick(["one", "two"]);
    return [
      query(random.pick([
        `CALL ${schema}.make()`,
        `CALL ${schema}.copy()`,
        `SELECT ${schema}.making()`,
      ])),
      random.chance(0.5) ? change(subject) : read(subject),
      query(`SELECT * FROM ${schema}.made`),
      { kind: "reset" },
    ];
  },
};

/** Nobody can tell whether the role was set. */
const unknownRoles: Feature = {
  name: "unknownRoles",
  engines: ["mariadb", "mysql"],
  holds: true,
  make({ random, slots, typed }) {
    slots.clear();
    typed.clear();
    return [
      query(`SET ROLE ${random.pick(["reader", "missing"])}; SELECT * FROM one.missing`),
      query("SELECT CURRENT_ROLE()"),
      // MariaDB describes it otherwise once COM_CHANGE_USER has taken a role away.
      query("SET ROLE NONE"),
      { kind: "changeUser" },
    ];
  },
};

const autocommit: Feature = {
  name: "autocommit",
  holds: true,
  make(subject) {
    const { random } = subject;
    return [
      query("SET autocommit = 0"),
      ...(random.chance(0.3)
        ? [begins(subject, "SAVEPOINT s1"), ...work(subject), query("ROLLBACK TO s1")]
        : []),
      ...work(subject),
      query(random.pick(["COMMIT", "ROLLBACK"])),
      query("SELECT @@autocommit"),
      ...(random.chance(0.5) ? work(subject, 1) : []),
      query(
        random.pick(["SET autocommit = 1", "SET SESSION autocommit = ON", "SET @@autocommit = 1"]),
      ),
      query("SELECT @@autocommit"),
    ];
  },
};

const nextTransaction: Feature = {
  name: "nextTransaction",
  holds: true,
  make(subject) {
    const { random, engine } = subject;
    // What commits, and leaves it.
    const leaves = engine !== "seekdb" && random.chance(0.3);
    const set = random.pick([
      "SET TRANSACTION READ ONLY",
      "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
      "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
    ]);
    return [
      begins(subject, set),
      ...(leaves ? [query(random.pick(["SET autocommit = 1", "UNLOCK TABLES"]))] : []),
      ...(random.chance(0.3) ? [query("SELECT @@transaction_isolation")] : []),
      query("START TRANSACTION"),
      change(subject),
      query("SET TRANSACTION READ ONLY"),
      query("COMMIT"),
      change(subject),
    ];
  },
};

const temporaryTables: Feature = {
  name: "temporaryTables",
  holds: true,
  make(subject) {
    const { random } = subject;
    const name = random.pick(["one.temp", "two.temp", "one.fixed"]);
    return [
      begins(
        subject,
        random.pick([
          `CREATE TEMPORARY TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, v INT)`,
          `CREATE TEMPORARY TABLE IF NOT EXISTS ${name} AS SELECT 1 AS id, 2 AS v`,
        ]),
      ),
      query(`INSERT INTO ${name} (id, v) VALUES (9, 7)`),
      query(`SELECT * FROM ${name}`),
      ...work(subject, 2),
      query(
        random.pick([`DROP TABLE ${name}`, `DROP TEMPORARY TABLE ${name}`]).replace(
          "DROP TABLE one.fixed",
          "DROP TEMPORARY TABLE one.fixed",
        ),
      ),
      query("SELECT * FROM one.fixed ORDER BY id"),
      query("SELECT * FROM one.temp"),
    ];
  },
};

const lockTables: Feature = {
  name: "lockTables",
  holds: true,
  make(subject) {
    const { random } = subject;
    const table = `one.${ownTable(subject)}`;
    return [
      begins(subject, `LOCK TABLES ${table} ${random.pick(["WRITE", "READ", "READ LOCAL"])}`),
      query(`SELECT COUNT(*) FROM ${table}`),
      query("SELECT * FROM one.fixed"),
      query(`INSERT INTO ${table} (v) VALUES (5)`),
      query(random.pick(["UNLOCK TABLES", "UNLOCK TABLES", "BEGIN"])),
      query("COMMIT"),
      query("SELECT * FROM one.fixed ORDER BY id"),
    ];
  },
};

const userLocks: Feature = {
  name: "userLocks",
  holds: true,
  make(subject) {
    const { random, server, locks } = subject;
    const name = lockOf(random.pick(locks), server);
    return [
      begins(subject, `SELECT GET_LOCK('${name}', 0)`),
      query(`SELECT IS_FREE_LOCK('${name}'), IS_USED_LOCK('${name}') = CONNECTION_ID()`),
      ...(random.chance(0.3) ? [query(`DO GET_LOCK('${name.toUpperCase()}', 0)`)] : []),
      ...(random.chance(0.3) ? [query("COMMIT")] : []),
      query(`SELECT RELEASE_LOCK('${name}')`),
      query(`SELECT RELEASE_LOCK('${name}')`),
      query("SELECT RELEASE_ALL_LOCKS()"),
    ];
  },
};

const handlers: Feature = {
  name: "handlers",
  holds: true,
  make: (subject) => [
    begins(subject, "HANDLER one.fixed OPEN AS h"),
    query("HANDLER h READ FIRST"),
    ...(subject.random.chance(0.5) ? [query("HANDLER h READ NEXT LIMIT 2")] : []),
    query("HANDLER h CLOSE"),
    query("HANDLER h READ FIRST"),
  ],
};

const xa: Feature = {
  name: "xa",
  holds: true,
  make(subject) {
    const name = `'x${subject.client}'`;
    return [
      query(`XA START ${name}`),
      change(subject),
      query(`XA END ${name}`),
      ...(subject.random.chance(0.5)
        ? [
          query(`XA PREPARE ${name}`),
          query(`XA ${subject.random.pick(["COMMIT", "ROLLBACK"])} ${name}`),
        ]
        : [
          query(subject.random.chance(0.5) ? `XA COMMIT ${name} ONE PHASE` : `XA ROLLBACK ${name}`),
        ]),
      read(subject),
    ];
  },
};

export const HOLDING_FEATURES: readonly Feature[] = [
  ...[transactions, autocommit, nextTransaction, temporaryTables, lockTables, userLocks, handlers],
  ...[xa, hiddenTables, unknownRoles],
];
