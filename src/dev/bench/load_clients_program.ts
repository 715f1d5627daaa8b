/**
 * The clients of the loads that are not sysbench's, as a process of their own. Reads one command a line
 * (JSON) from standard input, answers each with one line, and ends with its input.
 */
import type { Address } from "../../config/types.ts";
import { LoadConnection } from "./load_connection.ts";
import type { LoadAccount } from "./load_connection.ts";

export type LoadCommand =
  /** Opens `count` more clients that then idle. */
  | { readonly do: "open"; readonly count: number; readonly setup: ClientSetup }
  /** Runs the statement `times` times in one further client. */
  | { readonly do: "stream"; readonly statement: string; readonly times: number }
  /**
   * Runs the statements in turn for `ms` milliseconds, each at least once, in one further client
   * and without a pause. Every result must have at least `rows` rows.
   */
  | {
    readonly do: "time";
    readonly statements: readonly string[];
    readonly ms: number;
    readonly rows: number;
  }
  /** Opens two clients to take turns, in place of those before. */
  | { readonly do: "pair"; readonly setups: readonly [ClientSetup, ClientSetup] }
  /**
   * The two run the statement in turn for `ms` milliseconds without a pause, or where they have
   * prepared statements, each the next one of its own.
   */
  | { readonly do: "turns"; readonly statement: string; readonly ms: number }
  | { readonly do: "report" };

/** What a client does once, before what is measured. `{client}` stands for its number. */
export interface ClientSetup {
  readonly statements?: readonly string[];
  /** Each has one parameter, a number, and is executed once. */
  readonly prepared?: readonly string[];
}

export interface LoadReply {
  readonly error?: string;
  /** Idle clients opened so far, and those that were disturbed since. */
  readonly open: number;
  readonly lost: number;
  /** Received by the streaming client. */
  readonly bytes: number;
  /** Statements of the clients that take turns. */
  readonly count: number;
  /** How long the bytes or the turns took. */
  readonly ms: number;
  /** By statement: milliseconds from sending it to the last byte of its result. */
  readonly times: readonly (readonly number[])[];
}

/** Logins under way at a time. */
const OPENING = 16;
/** Large enough to take what the socket holds in one call. */
const STREAM_BUFFER = 1 << 20;

const idle: LoadConnection[] = [];
let lost = 0;
let busy: LoadConnection | undefined;
let pair: Client[] = [];
let nextNumber = 1;

/** A client with what it has prepared. */
interface Client {
  readonly connection: LoadConnection;
  readonly prepared: readonly number[];
}

async function openOne(target: Target, setup: ClientSetup): Promise<Client> {
  const own = (text: string) => text.replaceAll("{client}", String(number));
  const number = nextNumber++;
  const connection = await LoadConnection.open(target.address, target.account);
  const prepared: number[] = [];
  try {
    for (const text of setup.statements ?? []) await connection.run(own(text));
    for (const text of setup.prepared ?? []) {
      const id = await connection.prepare(own(text));
      await connection.execute(id, number);
      prepared.push(id);
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  return { connection, prepared };
}

async function open(target: Target, count: number, setup: ClientSetup): Promise<void> {
  let left = count;
  async function openSome(): Promise<void> {
    while (left-- > 0) {
      const { connection } = await openOne(target, setup);
      idle.push(connection);
      connection.disturbed().then(() => lost++);
    }
  }
  await Promise.all(Array.from({ length: OPENING }, openSome));
}

async function openPair(target: Target, setups: readonly ClientSetup[]): Promise<void> {
  for (const { connection } of pair) connection.close();
  pair = [];
  // The second may have to wait for what the first needs while it sets itself up.
  for (const setup of setups) pair.push(await openOne(target, setup));
}

async function takeTurns(statement: string, ms: number): Promise<{ count: number; ms: number }> {
  const start = performance.now();
  for (let count = 0;; count++) {
    const passed = performance.now() - start;
    if (passed >= ms) return { count, ms: passed };
    const { connection, prepared } = pair[count % pair.length]!;
    const turn = Math.floor(count / pair.length);
    if (prepared.length === 0) await connection.run(statement);
    else await connection.execute(prepared[turn % prepared.length]!, turn);
  }
}

async function stream(target: Target, statement: string, times: number) {
  busy ??= await LoadConnection.open(target.address, target.account, STREAM_BUFFER);
  const start = performance.now();
  let bytes = 0;
  for (let i = 0; i < times; i++) bytes += (await busy.run(statement)).bytes;
  return { bytes, ms: performance.now() - start };
}

async function time(target: Target, { statements, ms, rows }: LoadCommand & { do: "time" }) {
  busy ??= await LoadConnection.open(target.address, target.account, STREAM_BUFFER);
  const times = statements.map((): number[] => []);
  const deadline = performance.now() + ms;
  for (let turn = 0;; turn++) {
    const start = performance.now();
    if (start >= deadline && turn >= statements.length) return { times };
    const which = turn % statements.length;
    const result = await busy.run(statements[which]!);
    times[which]!.push(performance.now() - start);
    if (result.rows >= rows) continue;
    throw new Error(`Only ${result.rows} rows came for ${statements[which]}: ${rows} are needed`);
  }
}

interface Target {
  readonly address: Address;
  readonly account: LoadAccount;
}

async function perform(target: Target, command: LoadCommand): Promise<Partial<LoadReply>> {
  switch (command.do) {
    case "open":
      await open(target, command.count, command.setup);
      return {};
    case "pair":
      await openPair(target, command.setups);
      return {};
    case "turns":
      return await takeTurns(command.statement, command.ms);
    case "stream":
      return await stream(target, command.statement, command.times);
    case "time":
      return await time(target, command);
    case "report":
      return {};
  }
}

async function main(): Promise<void> {
  const target = JSON.parse(Deno.args[0]!) as Target;
  const encoder = new TextEncoder();
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      let result: Partial<LoadReply>;
      try {
        result = await perform(target, JSON.parse(line) as LoadCommand);
      } catch (error) {
        result = { error: error instanceof Error ? error.message : String(error) };
      }
      const none = { bytes: 0, count: 0, ms: 0, times: [] };
      const reply: LoadReply = { ...none, ...result, open: idle.length, lost };
      await Deno.stdout.write(encoder.encode(`${JSON.stringify(reply)}\n`));
    }
  }
  Deno.exit(0); // closes the idle clients' sockets with the process, which is the fast way
}

if (import.meta.main) await main();
