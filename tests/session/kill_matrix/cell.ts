/** One cell of the matrix: brings a victim into its phase, kills it, and says what came of it. */
import { assertEquals } from "@std/assert";
import type { FakeClient } from "../../fake/client.ts";
import { eventually } from "../../support/eventually.ts";
import { type FormName, FORMS } from "./forms.ts";
import { type Phase, type PhaseName, PHASES, type Victim } from "./phases.ts";
import { readReply } from "./reply.ts";
import type { Stage } from "./stage.ts";

/** What comes of a kill. Everything but `session` is looked at before the victim reads or asks. */
export interface Outcome {
  /** The killer's answer: `OK`, or the code of an error. */
  readonly killer: string;
  /** The victim's entry in the map: for a kill of the session when the killer has its answer. */
  readonly session: "gone" | "there";
  /** The statement in the server's own list. */
  readonly statement: "gone" | "runs" | "none";
  /** The server session, in the map and in the server's own list. */
  readonly server: "gone" | "there" | "none";
  /** The row that the victim had locked. */
  readonly lock: "free" | "held" | "none";
  /** What the victim gets of it; `nothing` where it waits for nothing. */
  readonly victim: string;
  /** Answers to what the victim asks then, up to the first that is well; empty where it is gone. */
  readonly next: string;
}

export interface Cell {
  readonly phase: PhaseName;
  readonly form: FormName;
}

/** What the server may take to be as expected. Milliseconds. */
const LIMIT = 1_000;

/** An `ss_id` that nobody has. */
const NO_SERVER_SESSION = 4_000_000_000;

/** The longest time from a killer's answer until the statement was gone. Milliseconds. */
export const slowest = { statement: 0 };

export async function playCell(stage: Stage, cell: Cell, expected: Outcome): Promise<void> {
  const { watcher } = stage;
  const phase: Phase = PHASES[cell.phase];
  const form = FORMS[cell.form];
  const before = (await watcher.processes()).length;
  const isAdmin = form.by === "root@sys" || phase.isNameless;
  const killer = await stage.connect(isAdmin ? "sys" : phase.tenant);
  const victim = await phase.bring(stage);
  const id = victim.client.greeting!.threadId;
  const server = new ServerSide(stage, victim.client);

  await form.send(killer, { id, serverId: server.id ?? NO_SERVER_SESSION });
  const killerGets = await readReply(killer);
  const session = () => stage.has(id) ? "there" : "gone";
  const atOnce = session();
  const outcome = {
    killer: killerGets,
    statement: await statementOf(victim, stage, expected),
    server: await settled(expected.server, () => server.state()),
    lock: victim.hasLock
      ? await settled(expected.lock, async () => await watcher.isFree(1) ? "free" : "held")
      : "none",
    victim: await answerOf(victim, stage, atOnce),
    next: session() === "there" ? await goOn(victim) : "",
    session: form.ends === "session" ? atOnce : session(),
  };
  assertEquals(outcome, expected);
  stage.clear();
  await eventually(
    "the server has no more connections than before",
    async () => (await watcher.processes()).length <= before,
  );
  assertEquals(stage.proxy?.log.of("cannot cancel statement") ?? [], []);
}

/** What a victim has on a server. */
class ServerSide {
  /** `ss_id` */
  readonly id: number | undefined;
  readonly #threadId: number;
  readonly #stage: Stage;

  constructor(stage: Stage, { greeting }: FakeClient) {
    const manager = stage.proxy?.proxy.manager;
    this.#stage = stage;
    this.id = manager?.clients.find(greeting!.threadId)?.info().serverSessionIds[0];
    this.#threadId = manager === undefined
      ? greeting!.threadId
      : this.id === undefined
      ? 0
      : manager.servers.find(this.id)!.info().threadId;
  }

  async state(): Promise<Outcome["server"]> {
    if (this.id === undefined && this.#threadId === 0) return "none";
    if (this.id !== undefined && this.#stage.proxy?.proxy.manager.servers.has(this.id)) {
      return "there";
    }
    if (this.#threadId === 0) return "gone";
    return await this.#stage.watcher.hasThread(this.#threadId) ? "there" : "gone";
  }
}

async function statementOf(
  { sql }: Victim,
  { watcher }: Stage,
  expected: Outcome,
): Promise<Outcome["statement"]> {
  if (sql === undefined) return "none";
  const since = performance.now();
  const found = await settled(
    expected.statement,
    async () => await watcher.runs(sql) ? "runs" : "gone",
  );
  if (found === "gone") slowest.statement = Math.max(slowest.statement, performance.now() - since);
  return found;
}

async function answerOf(
  { answer, client }: Victim,
  stage: Stage,
  session: Outcome["session"],
): Promise<string> {
  await stage.relieve();
  if (answer !== undefined) return await answer();
  return session === "there" ? "nothing" : await client.ended() === 0 ? "closed" : "something";
}

async function goOn({ client, prepare }: Victim): Promise<string> {
  await prepare?.();
  const answers: string[] = [];
  while (answers.length < 3 && answers.at(-1) !== "row 1") {
    await client.query("SELECT 1");
    answers.push(await readReply(client));
  }
  return answers.join(", ");
}

/** Polls until it is as expected, or the time is over. @returns what it was then */
async function settled<State>(expected: State, read: () => State | Promise<State>): Promise<State> {
  let found: State | undefined;
  await eventually("", async () => (found = await read()) === expected, { within: LIMIT })
    .catch(() => {});
  return found!;
}
