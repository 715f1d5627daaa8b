/** A client of a storm: it does what applications do, and comes back when its session is killed. */
import { assert, assertEquals } from "@std/assert";
import { concat, encodeText } from "../../../src/protocol/bytes.ts";
import { Command } from "../../../src/protocol/constants.ts";
import { FakeClient } from "../../fake/client.ts";
import { type Storm, STORM_ROWS, type StormActor } from "./storm.ts";
import { SessionEnded, StormSession } from "./storm_session.ts";

/** Rows and bytes of a result that takes some writes to send. */
const MEDIUM = { rows: 100, bytes: 3_000 };

const SERIES = "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 100)";

export class StormClient implements StormActor {
  doing = "nothing yet";
  readonly #storm: Storm;
  readonly #number: number;
  #asked = 0;

  constructor(storm: Storm, number: number) {
    this.#storm = storm;
    this.#number = number;
  }

  async run(): Promise<void> {
    while (!this.#storm.isOver) {
      try {
        await this.#live();
      } catch (error) {
        if (!(error instanceof SessionEnded)) throw error;
        this.#storm.count("client: session ended");
      }
    }
  }

  /** From a login to the end of the session, by itself or by others. */
  async #live(): Promise<void> {
    const storm = this.#storm;
    if (storm.pick(20) === 0) return await this.#loiter();
    this.#say("log in");
    using session = await StormSession.open(storm, this.#number % 4 === 0 ? "app@two" : "app@one");
    storm.count("client: login");
    while (!storm.isOver) {
      const choice = storm.pick(100);
      if (choice < 45) await this.#short(session);
      else if (choice < 60) await this.#sleep(session);
      else if (choice < 80) await this.#transaction(session);
      else if (choice < 92) await this.#medium(session);
      else if (choice < 95) return await this.#leaveUnread(session);
      else break;
    }
    this.#say("quit");
    await session.quit();
  }

  #say(what: string): void {
    this.doing = `client ${this.#number}: ${what}`;
  }

  async #ask(session: StormSession, sql: string): Promise<readonly string[] | number> {
    this.#say(`session ${session.id}: ${sql}`);
    const answer = await session.ask(sql);
    this.#storm.statements++;
    this.#storm.count(`client: ${typeof answer === "number" ? answer : "OK"}`);
    return answer;
  }

  /** Its answer can be nobody else's. */
  async #short(session: StormSession): Promise<void> {
    const token = `${this.#number}:${++this.#asked}`;
    const answer = await this.#ask(session, `SELECT '${token}'`);
    if (typeof answer !== "number") assertEquals(answer, [token]);
  }

  async #sleep(session: StormSession): Promise<void> {
    const seconds = this.#storm.pick(20) === 0 ? 2 : this.#storm.pick(100) / 1000;
    const answer = await this.#ask(session, `SELECT SLEEP(${seconds})`);
    // MySQL says 1 where it was interrupted.
    if (typeof answer !== "number") assert(answer.length === 1 && /^[01]$/.test(answer[0]!));
  }

  /** One more in a row that others want too. Its locks and its work go with the session. */
  async #transaction(session: StormSession): Promise<void> {
    const storm = this.#storm;
    const update = `UPDATE storm SET n = n + 1 WHERE id = ${1 + storm.pick(STORM_ROWS)}`;
    for (const sql of ["BEGIN", update]) {
      if (typeof await this.#ask(session, sql) === "number") return await this.#undo(session);
    }
    if (storm.pick(4) === 0) return await this.#undo(session);
    storm.uncertain++;
    if (typeof await this.#ask(session, "COMMIT") === "number") return await this.#undo(session);
    storm.uncertain--;
    storm.committed++;
  }

  async #undo(session: StormSession): Promise<void> {
    while (typeof await this.#ask(session, "ROLLBACK") === "number");
  }

  async #medium(session: StormSession): Promise<void> {
    const letter = String.fromCharCode(97 + this.#number % 26);
    const sql = `${SERIES} SELECT REPEAT('${letter}', ${MEDIUM.bytes}) FROM i`;
    const answer = await this.#ask(session, sql);
    if (typeof answer === "number") return;
    assertEquals(answer.length, MEDIUM.rows);
    assertEquals(new Set(answer), new Set([letter.repeat(MEDIUM.bytes)]));
  }

  /** Asks for more than fits between it and the server, reads nothing, and leaves without a word. */
  async #leaveUnread(session: StormSession): Promise<void> {
    this.#say(`session ${session.id}: leave a result unread`);
    const sql = `${SERIES} SELECT REPEAT('x', 300000) FROM i`;
    await session.begin(concat([Uint8Array.of(Command.QUERY), encodeText(sql)]));
    await this.#untilMoreKills();
  }

  /** Is greeted and says nothing. */
  async #loiter(): Promise<void> {
    using client = await FakeClient.connect(this.#storm.options.port);
    this.#say("be greeted");
    const greeting = await client.greet().catch((cause) => {
      throw new SessionEnded("Killed before its greeting", { cause });
    });
    this.#storm.ids.add(greeting.threadId);
    await this.#untilMoreKills();
    this.#storm.ids.delete(greeting.threadId);
  }

  async #untilMoreKills(): Promise<void> {
    const until = this.#storm.kills + 1 + this.#storm.pick(40);
    await this.#storm.until(() => this.#storm.kills >= until);
  }
}
