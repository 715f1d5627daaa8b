/** What the cells of the matrix run on: a server, and the proxy or nothing in front of it. */
import { decodeErr } from "../../../src/protocol/response.ts";
import { FakeClient } from "../../fake/client.ts";
import { Gate } from "../../support/gate.ts";
import type { SharedEngine } from "../../support/shared_engine.ts";
import { TestProxy } from "../../support/test_proxy.ts";
import { Watcher } from "./watcher.ts";

/** Statements for the administrator, before the first cell. */
export const PREPARE: readonly string[] = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE TABLE test.held (id INT PRIMARY KEY, n INT NOT NULL)",
  "INSERT INTO test.held VALUES (1, 0), (2, 0)",
  "CREATE TABLE test.loaded (id INT NOT NULL)",
];

/** `plain` leads to the server itself, `gated` through a gate that can be shut. */
export type Tenant = "plain" | "gated" | "sys";

export class Stage implements AsyncDisposable {
  readonly watcher: Watcher;
  /** Undefined where clients connect to the server itself. */
  readonly proxy: TestProxy | undefined;
  readonly gate: Gate;
  readonly serverPort: number;
  readonly #clients: FakeClient[] = [];

  private constructor(
    parts: { watcher: Watcher; gate: Gate; proxy: TestProxy | undefined; serverPort: number },
  ) {
    this.watcher = parts.watcher;
    this.gate = parts.gate;
    this.proxy = parts.proxy;
    this.serverPort = parts.serverPort;
  }

  static async open({ engine }: SharedEngine, way: Way): Promise<Stage> {
    const gate = new Gate(engine.port);
    const proxy = way === "direct" ? undefined : await startProxy(engine.port, gate.port);
    const watcher = await Watcher.start(engine);
    return new Stage({ watcher, gate, proxy, serverPort: engine.port });
  }

  /** A client that the server or the proxy has greeted. */
  async arrive(): Promise<FakeClient> {
    const client = await FakeClient.connect(this.proxy?.port ?? this.serverPort);
    this.#clients.push(client);
    await client.greet();
    return client;
  }

  /** Logs it in, with the schema `test`. @throws where it is refused */
  async logIn(client: FakeClient, tenant: Tenant): Promise<void> {
    const last = await client.logIn(this.account(tenant));
    if (last[0] !== 0x00) throw new Error(`Login was refused: ${decodeErr(last).message}`);
  }

  account(tenant: Tenant) {
    const login = { database: "test" };
    if (this.proxy === undefined) return { user: "app", password: "secret", login };
    const user = tenant === "sys" ? "root" : "app";
    return { user: `${user}@${tenant}`, password: "secret", login };
  }

  /** Whether there is a client session of this number. */
  has(id: number): boolean {
    return this.proxy?.proxy.manager.clients.has(id) ?? true;
  }

  /** Lets go what keeps victims in their phases. */
  async relieve(): Promise<void> {
    this.gate.open();
    await this.watcher.release();
  }

  async connect(tenant: Tenant): Promise<FakeClient> {
    const client = await this.arrive();
    await this.logIn(client, tenant);
    return client;
  }

  /** Closes all clients. */
  clear(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.clear();
    try {
      await this.relieve();
      await this.proxy?.[Symbol.asyncDispose]();
    } finally {
      await this.gate[Symbol.asyncDispose]();
      await this.watcher[Symbol.asyncDispose]();
    }
  }
}

export type Way = "direct" | "proxied";

function startProxy(port: number, gatePort: number): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [{
      name: "main",
      servers: [
        { name: "server", address: `127.0.0.1:${port}` },
        { name: "gate", address: `127.0.0.1:${gatePort}` },
      ],
      tenants: [
        { name: "sys", servers: ["server"] },
        { name: "plain", servers: ["server"] },
        { name: "gated", servers: ["gate"] },
      ],
    }],
    users: [
      { name: "app", password: "secret" },
      { name: "root", password: "secret", server_user: "app", server_password: "secret" },
    ],
  });
}
