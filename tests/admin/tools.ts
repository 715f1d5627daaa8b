/** Sessions, callers and statements without sockets. */
import { findStatement } from "../../src/admin/commands.ts";
import type { AdminAnswer, Row, RowsAnswer } from "../../src/admin/answer.ts";
import type { AdminScope, Caller, ProxyView } from "../../src/admin/scope.ts";
import { SluiceError } from "../../src/errors.ts";
import type { Value } from "../../src/protocol/binary_value.ts";
import {
  type ClientEntry,
  type ClientSessionInfo,
  type ServerSessionInfo,
  SessionManager,
} from "../../src/session_manager.ts";
import { tokensOf } from "./tokens.ts";

const NOW = Date.now();

export class FakeClient implements ClientEntry {
  readonly id: number;
  readonly done: string[] = [];
  statement: string | undefined;
  #info: ClientSessionInfo;
  readonly #manager: SessionManager;

  constructor(manager: SessionManager, info: Partial<ClientSessionInfo> & { readonly id: number }) {
    this.id = info.id;
    this.#manager = manager;
    this.#info = {
      proxySessionId: 0x7f000001_0b43_0000n + BigInt(info.id),
      phase: "idle",
      phaseSince: NOW - 3_500,
      connectedSince: NOW - 60_000,
      peer: `127.0.0.1:${40_000 + info.id}`,
      localAddress: { hostname: "127.0.0.1", port: 2883 },
      isLoggedIn: true,
      isEncrypted: false,
      user: "app",
      tenant: "",
      cluster: "main",
      schema: "shop",
      command: "COM_QUERY",
      statements: 5,
      transactions: 2,
      isInTransaction: false,
      isBlockedByClient: false,
      bytesIn: 100,
      bytesOut: 2_000,
      serverSessionIds: [],
      route: "",
      pins: [],
      ...info,
    };
    manager.clients.add(this);
  }

  info(): ClientSessionInfo {
    return this.#info;
  }

  owner(): ClientSessionInfo {
    return this.#info;
  }

  change(info: Partial<ClientSessionInfo>): void {
    this.#info = { ...this.#info, ...info };
  }

  kill(reason: string): void {
    this.done.push(`kill: ${reason}`);
    this.#manager.clients.remove(this.id);
  }

  killQuery(): Promise<void> {
    this.done.push("killQuery");
    return Promise.resolve();
  }

  killServer(id: number): boolean {
    this.done.push(`killServer ${id}`);
    return this.#info.serverSessionIds.includes(id);
  }

  statementText(limit: number): string | undefined {
    return this.statement === undefined ? undefined : [...this.statement].slice(0, limit).join("");
  }

  sweep(): void {}
}

export function addServer(
  manager: SessionManager,
  given: Partial<ServerSessionInfo> & { readonly id: number },
): ServerSessionInfo {
  const info: ServerSessionInfo = {
    threadId: 1_000 + given.id,
    phase: "in_use",
    server: "db1",
    address: "127.0.0.1:3306",
    user: "app",
    schema: "shop",
    openedSince: NOW - 30_000,
    statements: 4,
    bytesIn: 90,
    bytesOut: 1_900,
    isInTransaction: false,
    localAddress: "127.0.0.1:50001",
    stateVersion: undefined,
    variables: new Map(),
    ...given,
  };
  manager.servers.add({ id: info.id, info: () => info, kill() {}, sweep() {} });
  return info;
}

export function newManager(): SessionManager {
  return new SessionManager({ proxyId: 0, isolate: 0 });
}

export interface FakeCaller extends Caller {
  /** How often a server was asked. */
  asked: number;
}

export function caller(
  given: Partial<Caller> & { readonly sees?: boolean; readonly ends?: boolean } = {},
): FakeCaller {
  const { sees = false, ends = false, ...rest } = given;
  return {
    id: 1,
    user: "app",
    tenant: "",
    cluster: "main",
    identity: "ordinary",
    asked: 0,
    privileges() {
      this.asked++;
      return Promise.resolve({ seesOthers: sees, endsOthers: ends });
    },
    ...rest,
  };
}

export function scopeOf(
  manager: SessionManager,
  who: Caller = caller(),
  proxy: Partial<ProxyView> = {},
): AdminScope {
  return {
    caller: who,
    proxy: {
      manager,
      clusters: [],
      pid: 4711,
      startedAt: NOW - 3_600_000,
      isAccepting: true,
      config: { current: { proxy: { internalCmdMemLimited: 0 } } } as ProxyView["config"],
      ...proxy,
    },
  };
}

/** An answer whose rows have been read. */
export type ReadAnswer =
  | Exclude<AdminAnswer, RowsAnswer>
  | (RowsAnswer & { readonly rows: readonly Row[] });

export function readAnswer(answer: AdminAnswer): ReadAnswer {
  return answer.kind === "rows" ? { ...answer, rows: [...answer.rows] } : answer;
}

/** Runs a statement that must be one of the proxy's. */
export async function run(
  sql: string,
  scope: AdminScope,
  parameters: readonly Value[] = [],
): Promise<ReadAnswer> {
  const statement = findStatement(tokensOf(sql), scope.caller.identity);
  if (statement === undefined) throw new Error(`Not a statement of the proxy: ${sql}`);
  return readAnswer(await statement.run(scope, parameters));
}

/** Rows as lists by column. */
export async function rowsOf(
  sql: string,
  scope: AdminScope,
  parameters: readonly Value[] = [],
): Promise<Record<string, Value>[]> {
  const answer = await run(sql, scope, parameters);
  if (answer.kind !== "rows") throw new Error(`No rows: ${answer.kind}`);
  return answer.rows.map((row) =>
    Object.fromEntries(answer.columns.map(({ name }, index) => [name, row[index]!]))
  );
}

/** `1094 Unknown thread id: 5` of what a statement fails with; `ok` and the like where it does not. */
export async function outcome(
  sql: string,
  scope: AdminScope,
  parameters: readonly Value[] = [],
): Promise<string> {
  try {
    return (await run(sql, scope, parameters)).kind;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return `${error.code} ${error.message}`;
  }
}
