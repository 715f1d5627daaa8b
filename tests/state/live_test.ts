/**
 * The catch-up against real servers: a server session in some state becomes what a session is that
 * got to another state by itself.
 */
import { assert, assertEquals } from "@std/assert";
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { encodeStatementRequest } from "../../src/protocol/command.ts";
import { BINARY_CHARSET, ColumnType, Command } from "../../src/protocol/constants.ts";
import { encodeExecute } from "../support/codec/requests.ts";
import { sharedEngine } from "../support/shared_engine.ts";
import { seededRandom } from "../support/random.ts";
import { preparations, RandomStatements, settableVariables } from "./assignments.ts";
import { StateSession } from "./state_session.ts";

const ROUNDS = Number(Deno.env.get("STATE_ROUNDS") ?? 40);
const SEED = Number(Deno.env.get("STATE_SEED") ?? 1);

for (const name of ["mariadb", "mysql", "seekdb"] as const satisfies readonly EngineName[]) {
  const shared = await sharedEngine(name, preparations(name));
  Deno.test(
    `${name}: sessions catch up with random states`,
    { ignore: shared.ignore },
    async () => {
      const open = (schema: string) => StateSession.open(shared.engine, { schema });
      let server = await open("");
      try {
        const variables = await settableVariables(server, name);
        assert(variables.length > 100);
        for (let round = 0; round < ROUNDS; round++) {
          const random = seededRandom(SEED * 1_000 + round);
          const statements = new RandomStatements(variables, name, random);
          const log: string[] = [];
          using direct = await open(random() < 0.2 ? "" : "state_one");
          const count = Math.floor(random() * 12);
          for (const session of [server, direct]) {
            log.push("--");
            for (let index = 0; index < count; index++) {
              const sql = statements.next();
              const answer = (await session.run(sql)).at(-1)!;
              log.push(`${sql}${answer.error ? ` /* ${answer.error.message} */` : ""}`);
            }
          }
          await direct.settle();
          if (!await server.catchUp(direct.known)) {
            assertEquals(direct.known.schema, "", log.join("\n"));
            server.client.close();
            server = await open("");
            assert(await server.catchUp(direct.known), log.join("\n"));
          }
          const differences = await compare(server, direct);
          assertEquals(differences, [], `seed ${SEED}, round ${round}\n${log.join("\n")}`);
        }
      } finally {
        server.client.close();
      }
    },
  );
}

/** What differs in two sessions that should be alike. */
async function compare(server: StateSession, direct: StateSession): Promise<string[]> {
  const differences: string[] = [];
  for (let index = 0; index < 6; index++) {
    const name = `v${index}`;
    const [there, here] = [await userVariable(server, name), await userVariable(direct, name)];
    if (there !== here) differences.push(`@${name}: ${there}, directly ${here}`);
  }
  const [there, here] = [await parameter(server), await parameter(direct)];
  if (there !== here) differences.push(`a parameter: ${there}, directly ${here}`);
  const variables = await server.variables();
  for (const [name, here] of await direct.variables()) {
    const there = variables.get(name);
    if (there !== here) differences.push(`${name}: ${there}, directly ${here}`);
  }
  return differences;
}

/** What becomes of a string that is bound to a prepared statement. */
async function parameter({ client }: StateSession): Promise<string> {
  const { statementId } = await client.prepare("SELECT ?, COLLATION(?)");
  const string = { type: ColumnType.STRING, unsigned: false, name: "", value: "a" };
  const parameters = [string, string];
  const request = { statementId, flags: 0, iterations: 1, hasTypes: true, parameters };
  const packets = await client.command(encodeExecute(request, client.capabilities));
  await client.send(encodeStatementRequest(Command.STMT_CLOSE, statementId));
  return packets.slice(0, -1).map(({ payload }) => payload.toHex()).join(" ");
}

/** All that a client can see of it. */
async function userVariable(session: StateSession, name: string): Promise<string> {
  const variable = `@${name}`;
  const { rows, columns } = await session.must(
    `SELECT ${variable}, CAST(${variable} AS BINARY), HEX(CHARSET(${variable})), ` +
      `HEX(COLLATION(${variable})), COERCIBILITY(${variable}) LIMIT 1`,
  );
  const { type, flags, length, decimals, charset } = columns[0]!;
  const row = rows[0]!.map((cell) => cell === null ? "NULL" : cell.toHex().slice(0, 80));
  // MySQL prints numbers in the set of collation_connection at the time of the assignment.
  if (charset === BINARY_CHARSET) row[1] = "";
  // OceanBase has more types, lengths of the value that was assigned, and says of a string whether
  // it was a literal.
  const isExact = session.dialect !== "oceanbase";
  return JSON.stringify(
    isExact ? { row, type, flags, length, decimals, charset } : row.slice(0, 4),
  );
}
