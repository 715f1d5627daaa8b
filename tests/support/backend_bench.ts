/** Server sessions without clients: a scripted server, and a user that writes down what it is told. */
import { Backend } from "../../src/backend/backend.ts";
import { type OpenOptions, ServerSession } from "../../src/backend/server_session.ts";
import { SessionManager } from "../../src/session_manager.ts";
import { FakeServer, type FakeServerOptions } from "../fake/server.ts";
import { loginOf } from "./login_of.ts";

export class BackendBench implements AsyncDisposable {
  readonly server: FakeServer;
  readonly backend: Backend;
  readonly manager = new SessionManager({ proxyId: 0, isolate: 0 });
  /** What the user of the session was told. */
  readonly told: string[] = [];

  constructor(options: FakeServerOptions = {}) {
    this.server = new FakeServer(options);
    this.backend = new Backend({
      name: "one",
      address: { hostname: "127.0.0.1", port: this.server.port },
      role: "primary",
      zone: "",
      weight: 1,
    });
  }

  async open(options: Partial<OpenOptions> = {}): Promise<ServerSession> {
    return await ServerSession.open(this.backend, {
      manager: this.manager,
      timeout: 10_000,
      login: loginOf(),
      ...options,
    });
  }

  /** Opens a session whose user writes down what it is told. */
  async acquire(): Promise<ServerSession> {
    const session = await this.open();
    session.acquire({
      onServerBytes: () => this.told.push("bytes"),
      onServerLost: (error) => this.told.push(error.message),
    });
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const entry of [...this.manager.servers.values()]) entry.kill("the test is over");
    await this.server[Symbol.asyncDispose]();
  }
}
