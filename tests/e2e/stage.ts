/** One engine with a proxy in front of it, its accounts, and the jobs for both. */

import mysql from "mysql2";
import { type EngineName, type StartedEngine, startEngine } from "../../src/dev/engines/engine.ts";
import { RunningProxy } from "./proxy.ts";
import { type Account, commonJob, type Job, localRow, schemaStatements } from "./spec.ts";

const PASSWORDS = { app: "app-secret", other: "other-secret", bare: "", back: "back-secret" };
const HASHED = "hashed-secret";

/**
 * Accounts of which the proxy knows a hash only. Each job has one of its own, because the proxy learns
 * a password from the first client that sends it in full.
 */
const HASHED_USERS = Array.from({ length: 16 }, (_, index) => `hashed${index + 1}`);

/** What differs between the engines. */
const TRAITS: Record<EngineName, {
  readonly version: string;
  /** seekdb takes 16 MiB in one packet, and hex digits double a value. */
  readonly bigBytes: number;
  readonly bigTextBytes: number;
  readonly otherCharset: Job["otherCharset"];
  /** Whether it asks for passwords by mysql_native_password, and so does the proxy. */
  readonly isNative: boolean;
}> = {
  mariadb: {
    version: "MariaDB",
    bigBytes: 20 << 20,
    bigTextBytes: 20 << 20,
    otherCharset: { name: "latin1", text: "\u00e4", hex: "E4" },
    isNative: true,
  },
  mysql: {
    version: "9.",
    bigBytes: 20 << 20,
    bigTextBytes: 20 << 20,
    otherCharset: { name: "latin1", text: "\u00e4", hex: "E4" },
    isNative: false,
  },
  seekdb: {
    version: "OceanBase",
    bigBytes: 8 << 20,
    bigTextBytes: 7 << 20,
    otherCharset: { name: "utf8mb4", text: "\u00e4", hex: "C3A4" },
    isNative: true,
  },
};

/** A pair of jobs that must have the same outcome, each with a schema of its own. */
export interface JobPair {
  readonly direct: Job;
  readonly proxied: Job;
}

/** A server, and how the proxy in front of it has server sessions. */
export interface Place {
  readonly engine: EngineName;
  readonly sharing: "session" | "transaction";
}

export class Stage {
  readonly #engine: StartedEngine;
  readonly #admin: mysql.Connection;
  readonly #folder: string;
  readonly proxy: RunningProxy;
  #jobs = 0;

  private constructor(engine: StartedEngine, admin: mysql.Connection, rest: Rest) {
    this.#engine = engine;
    this.#admin = admin;
    this.#folder = rest.folder;
    this.proxy = rest.proxy;
  }

  static async open(
    { engine: name, sharing }: Place,
    onProgress: (text: string) => void,
  ): Promise<Stage> {
    const engine = await startEngine(name, { onProgress });
    try {
      const { user, password } = engine.admin;
      const { hostname: host, port } = engine;
      const admin = await mysql.createConnection({ host, port, user, password });
      const hashed = HASHED_USERS.map((account) => [account, HASHED] as const);
      for (const [account, secret] of [...Object.entries(PASSWORDS), ...hashed]) {
        await admin.query(`CREATE USER ${account}@'%' IDENTIFIED BY '${secret}'`);
        await admin.query(`GRANT ALL PRIVILEGES ON *.* TO ${account}@'%'`);
        // Fills the server's cache of caching_sha2_password, for drivers that need it without TLS.
        const warm = await mysql.createConnection({ host, port, user: account, password: secret });
        await warm.end();
      }
      await admin.query("CREATE DATABASE e2e_other");
      const folder = await Deno.makeTempDir({ prefix: "sluice-e2e-files-" });
      const rows = Array.from({ length: 5000 }, (_, id) => `${localRow(id)}\n`).join("");
      await Deno.writeTextFile(`${folder}/rows`, rows);
      await Deno.writeTextFile(`${folder}/empty`, "");
      const proxy = await RunningProxy.start(await proxyConfig(engine, sharing));
      return new Stage(engine, admin, { folder, proxy });
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  /** Makes two fresh schemas. */
  async jobs(hasFullLogin: boolean): Promise<JobPair> {
    const { isNative, ...traits } = TRAITS[this.#engine.name];
    const hasHashed = hasFullLogin || isNative;
    const number = ++this.#jobs;
    const user = HASHED_USERS[number - 1]!;
    const hashed = { user, password: HASHED, currentUser: `${user}@%` };
    const job = async (way: string, port: number, accounts: readonly Account[]): Promise<Job> => {
      const database = `e2e_${number}_${way}`;
      await this.#admin.query(`CREATE DATABASE ${database} DEFAULT CHARACTER SET utf8mb4`);
      await this.#admin.query(`USE ${database}`);
      for (const statement of schemaStatements()) await this.#admin.query(statement);
      return {
        host: "127.0.0.1",
        port,
        user: "app",
        password: PASSWORDS.app,
        database,
        otherDatabase: "e2e_other",
        engine: this.#engine.name,
        accounts: [...accounts, ...hasHashed ? [hashed] : []],
        localFile: `${this.#folder}/rows`,
        emptyFile: `${this.#folder}/empty`,
        ...traits,
        ...commonJob(),
      };
    };
    return {
      direct: await job("one", this.#engine.port, DIRECT_ACCOUNTS),
      proxied: await job("two", this.proxy.port, PROXIED_ACCOUNTS),
    };
  }

  async drop({ direct, proxied }: JobPair): Promise<void> {
    await this.#admin.query(`DROP DATABASE ${direct.database}`);
    await this.#admin.query(`DROP DATABASE ${proxied.database}`);
  }

  async close(): Promise<void> {
    try {
      await this.proxy.stop();
    } finally {
      this.#admin.destroy();
      await this.#engine.stop();
      await Deno.remove(this.#folder, { recursive: true });
    }
  }
}

interface Rest {
  readonly folder: string;
  readonly proxy: RunningProxy;
}

/** The forms of a login name, and an account that has another name on the server. */
const PROXIED_ACCOUNTS: readonly Account[] = [
  { user: "other", password: PASSWORDS.other, currentUser: "other@%" },
  { user: "bare", password: PASSWORDS.bare, currentUser: "bare@%" },
  { user: "front", password: "front-secret", currentUser: "back@%" },
  { user: "app@part", password: PASSWORDS.app, currentUser: "app@%" },
  { user: "app#main", password: PASSWORDS.app, currentUser: "app@%" },
  { user: "app@part#main", password: PASSWORDS.app, currentUser: "app@%" },
  { user: "main:part:app", password: PASSWORDS.app, currentUser: "app@%" },
];

/** The same accounts by the names that the server knows. */
const DIRECT_ACCOUNTS: readonly Account[] = PROXIED_ACCOUNTS.map((account) => {
  const user = account.currentUser.split("@")[0]!;
  return { ...account, user, password: PASSWORDS[user as keyof typeof PASSWORDS] };
});

async function proxyConfig(
  engine: StartedEngine,
  sharing: Place["sharing"],
): Promise<string> {
  const { app, other, bare, back } = PASSWORDS;
  const hash = await nativeHash(HASHED);
  const hashed = HASHED_USERS.map((name) =>
    `[[users]]\nname = "${name}"\npassword_hash = "${hash}"\n`
  );
  return `[proxy]
listen = ["127.0.0.1:0"]
[[clusters]]
name = "main"
kind = "mysql"
servers = ["127.0.0.1:${engine.port}"]
sharing = "${sharing}"
[[clusters.tenants]]
name = "part"
[[users]]
name = "app"
password = "${app}"
[[users]]
name = "other"
password = "${other}"
[[users]]
name = "bare"
password = "${bare}"
[[users]]
name = "front"
password = "front-secret"
server_user = "back"
server_password = "${back}"
${hashed.join("")}`;
}

/** `*` and the hex digits of SHA1(SHA1(password)). */
async function nativeHash(password: string): Promise<string> {
  const once = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(password));
  const twice = new Uint8Array(await crypto.subtle.digest("SHA-1", once));
  const digits = Array.from(twice, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `*${digits.toUpperCase()}`;
}
