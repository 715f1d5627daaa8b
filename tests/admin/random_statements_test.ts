import { assert } from "@std/assert";
import { COMMANDS } from "../../src/admin/command_rows.ts";
import { findStatement } from "../../src/admin/commands.ts";
import { SluiceError } from "../../src/errors.ts";
import { addServer, caller, FakeClient, newManager, scopeOf } from "./tools.ts";
import { tokensOf } from "./tokens.ts";
import { seededRandom } from "../support/random.ts";

const PIECES = [
  ...new Set(COMMANDS.flatMap(({ syntax }) => syntax.text.match(/[A-Z_]+/g) ?? [])),
  ..."? ( ) , = - + ; . * @a @@b 'x' '5' `y` 1 2 21 900 18446744073709551616 1e3 0x2 NULL".split(
    " ",
  ),
  "''",
  "WHERE Id = 1",
  "LIKE '%'",
];

Deno.test("Random statements are answered or refused, and nothing else", async () => {
  const random = seededRandom(4);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
  const manager = newManager();
  new FakeClient(manager, { id: 1 });
  new FakeClient(manager, { id: 2, serverSessionIds: [21] });
  addServer(manager, { id: 21, threadId: 900 });
  const scope = scopeOf(manager, caller({ identity: "root_sys", tenant: "sys" }));
  let answered = 0;
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const words = pick(COMMANDS).syntax.text.replaceAll(/[[\]{}|]/g, " ").split(/\s+/);
    for (let changes = Math.floor(random() * 4); changes > 0; changes--) {
      const at = Math.floor(random() * (words.length + 1));
      words.splice(at, Math.floor(random() * 3), ...(random() < 0.7 ? [pick(PIECES)] : []));
    }
    const sql = words.join(" ");
    const statement = findStatement(tokensOf(sql), "root_sys");
    // What changes the configuration needs one.
    if (statement === undefined || statement.name.includes("PROXYCONFIG")) continue;
    try {
      const answer = await statement.run(scope, new Array(statement.parameters).fill(null));
      if (answer.kind === "rows") {
        assert([...answer.rows].every((row) => row.length === answer.columns.length), sql);
      }
      answered++;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw new Error(sql, { cause: error });
      refused++;
    }
  }
  assert(answered > 1_000 && refused > 1_000, `${answered} answered, ${refused} refused`);
});
