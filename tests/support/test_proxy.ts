/** The proxy inside the test's own process, configured as by a file. */
import { assertEquals } from "@std/assert";
import { stringify } from "@std/toml";
import { parseConfig } from "../../src/config/load.ts";
import type { Config, SharingMode } from "../../src/config/types.ts";
import { Proxy, type ProxyOptions } from "../../src/proxy.ts";
import { eventually } from "./eventually.ts";
import { LogRecords } from "./log_records.ts";

/** Sections of the configuration file, with its own names of keys. */
export interface TestConfig {
  /** Ports of servers on 127.0.0.1: short for one cluster of them. */
  readonly servers?: readonly number[];
  /** Of that cluster; those of `clusters` have their own. */
  readonly sharing?: SharingMode;
  readonly clusters?: readonly Record<string, unknown>[];
  readonly proxy?: Record<string, unknown>;
  readonly log?: Record<string, unknown>;
  /** Account `app` with password `secret` unless given. */
  readonly users?: readonly Record<string, unknown>[];
}

export const APP = { user: "app", password: "secret" } as const;

/** The same as text of a configuration file. */
export function configText(config: TestConfig): string {
  const { sharing } = config;
  const servers = config.servers?.map((port) => `127.0.0.1:${port}`);
  const cluster = { name: "main", servers, ...(sharing === undefined ? {} : { sharing }) };
  return stringify({
    proxy: { listen: ["127.0.0.1:0"], ...config.proxy },
    ...(config.log === undefined ? {} : { log: config.log }),
    clusters: config.clusters ?? [cluster],
    users: config.users ?? [{ name: APP.user, password: APP.password }],
  });
}

/** @throws with all problems where the configuration is wrong */
export function testConfig(config: TestConfig): Config {
  const result = parseConfig(configText(config), { file: "test.toml" });
  if ("config" in result) return result.config;
  throw new Error(result.problems.map(({ key, problem }) => `${key}: ${problem}`).join("\n"));
}

export class TestProxy implements AsyncDisposable {
  readonly proxy: Proxy;
  readonly log: LogRecords;
  readonly port: number;

  readonly #hasPools: boolean;

  private constructor(proxy: Proxy, log: LogRecords, hasPools: boolean) {
    this.#hasPools = hasPools;
    this.proxy = proxy;
    this.log = log;
    this.port = proxy.addresses[0]!.port;
  }

  static async start(config: TestConfig, options: ProxyOptions = {}): Promise<TestProxy> {
    const log = await LogRecords.take();
    const hasPools = JSON.stringify(config).includes('"transaction"');
    return new TestProxy(await Proxy.start(testConfig(config), options), log, hasPools);
  }

  /** How to connect as the account `app`. */
  get app(): { port: number; user: string; password: string } {
    return { port: this.port, ...APP };
  }

  get clients(): number {
    return this.proxy.manager.clients.size;
  }

  get servers(): number {
    return this.proxy.manager.servers.size;
  }

  /** Waits until every session has ended by itself. */
  async empty(): Promise<void> {
    await eventually("all sessions have ended", () => this.clients + this.servers === 0);
  }

  /** Sessions must be gone with their clients: stopping ends none but those of pools. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#hasPools) await eventually("the clients have gone", () => this.clients === 0);
      else await this.empty();
    } finally {
      await this.proxy.stop();
    }
    assertEquals(this.servers, 0);
    const bad = this.log.lines.filter((line) => line.message === "internal error");
    assertEquals(bad, []);
  }
}
