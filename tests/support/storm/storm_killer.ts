/** A session of a storm that kills others, and now and then itself. */
import { concat, encodeText } from "../../../src/protocol/bytes.ts";
import { Command } from "../../../src/protocol/constants.ts";
import type { Storm, StormActor } from "./storm.ts";
import { SessionEnded, StormSession } from "./storm_session.ts";

/** Statements that clients get answered for each kill, so that there is something to hit. */
const STATEMENTS_PER_KILL = 4;

/** Of a victim: its own id, an id of the server's, or one of each. */
type Ids = "id" | "thread" | "id ss_id";

interface Form {
  readonly text: string;
  readonly ids: Ids;
  readonly isAdmin?: boolean;
}

const FORMS: readonly Form[] = [
  { text: "KILL", ids: "id" },
  { text: "KILL CONNECTION", ids: "id" },
  { text: "/* by */ kill hard", ids: "id" },
  { text: "KILL", ids: "thread" },
  { text: "KILL QUERY", ids: "id" },
  { text: "KILL SOFT QUERY", ids: "id" },
  { text: "KILL QUERY", ids: "thread" },
  { text: "COM_PROCESS_KILL", ids: "id" },
  { text: "KILL PROXYSESSION", ids: "id", isAdmin: true },
  { text: "KILL PROXYSESSION", ids: "thread", isAdmin: true },
  { text: "KILL PROXYSESSION", ids: "id ss_id", isAdmin: true },
];

export class StormKiller implements StormActor {
  doing = "nothing yet";
  readonly #storm: Storm;
  readonly #isAdmin: boolean;
  readonly #forms: readonly Form[];

  constructor(storm: Storm, number: number) {
    this.#storm = storm;
    this.#isAdmin = number % 2 === 0;
    this.#forms = FORMS.filter(({ isAdmin }) => this.#isAdmin || !isAdmin);
  }

  async run(): Promise<void> {
    while (!this.#storm.isOver) {
      try {
        await this.#live();
      } catch (error) {
        if (!(error instanceof SessionEnded)) throw error;
        this.#storm.count("killer: session ended");
      }
    }
  }

  async #live(): Promise<void> {
    const storm = this.#storm;
    this.doing = "killer: log in";
    using session = await StormSession.open(storm, this.#isAdmin ? "root@sys" : "app@one");
    while (!storm.isOver) {
      this.doing = "killer: wait for statements";
      await storm.until(() => storm.statements >= STATEMENTS_PER_KILL * storm.kills);
      await this.#kill(session, this.#forms[storm.pick(this.#forms.length)]!);
    }
  }

  async #kill(session: StormSession, form: Form): Promise<void> {
    const storm = this.#storm;
    const victims = [...storm.ids];
    const victim = victims[storm.pick(victims.length)]!;
    const ids = await this.#idsOf(session, victim, form.ids);
    if (ids === undefined) return;
    const sql = `${form.text} ${ids}`;
    this.doing = `killer ${session.id}: ${sql}`;
    const answer = await session.send(
      form.text === "COM_PROCESS_KILL"
        ? concat([Uint8Array.of(Command.PROCESS_KILL), fourBytes(victim)])
        : concat([Uint8Array.of(Command.QUERY), encodeText(sql)]),
    );
    storm.count(`killer: ${form.text} ${form.ids}: ${answer}`);
    if (answer === "OK") {
      storm.kills++;
      return;
    }
    // The victim has gone, or is of another tenant, or is the killer.
    if (answer !== "1094" && !(answer === "1317" && victim === session.id)) {
      throw new Error(`Cannot ${sql} as session ${session.id}: ${answer}`);
    }
  }

  /** Undefined where the victim has none on a server, or none any more. */
  async #idsOf(session: StormSession, victim: number, ids: Ids): Promise<string | undefined> {
    if (ids === "id") return String(victim);
    const name = ids === "thread" ? "server_sessid" : "ss_id";
    this.doing = `killer ${session.id}: attributes of ${victim}`;
    const value = await session.attribute(victim, name);
    // 0: the server has not said its id yet.
    if (value === undefined || value === "0") return undefined;
    return ids === "thread" ? value : `${victim} ${value}`;
  }
}

function fourBytes(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
}
