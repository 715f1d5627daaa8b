import { assertEquals } from "@std/assert";
import type { Value } from "../../src/protocol/binary_value.ts";
import { caller, FakeClient, newManager, outcome, rowsOf, scopeOf } from "./tools.ts";

/** Sessions 1 to 4: Sleep in shop, Query in stock, Sleep without schema, Execute in shop. */
function stage() {
  const manager = newManager();
  new FakeClient(manager, { id: 1 });
  new FakeClient(manager, { id: 2, phase: "executing", schema: "stock" }).statement = "SELECT 100";
  new FakeClient(manager, { id: 3, schema: "", user: "App2" });
  new FakeClient(manager, { id: 4, phase: "executing", command: "COM_STMT_EXECUTE" });
  return scopeOf(manager, caller({ identity: "proxysys", id: 99 }));
}

Deno.test("WHERE picks rows as SQL does", async () => {
  const cases: readonly (readonly [string, readonly number[], (readonly Value[])?])[] = [
    ["Id = 2", [2]],
    ["Id = '2'", [2]],
    ["2 = id", [2]],
    ["Id <> 2", [1, 3, 4]],
    ["Id != 2 AND Id < 4", [1, 3]],
    ["Id >= 2 AND Id <= 3", [2, 3]],
    ["Id > -1 and `Id` < 1e0", []],
    ["Command = 'sleep'", [1, 3]],
    ["NOT Command = 'Sleep'", [2, 4]],
    ["! (Command = 'Sleep' OR db = 'STOCK')", [4]],
    ["Command IN ('Sleep', 'Query')", [1, 2, 3]],
    ["Command NOT IN ('Sleep', 'Query')", [4]],
    ["Id IN (1, NULL)", [1]],
    ["Id NOT IN (1, NULL)", []],
    ["db IS NULL", [3]],
    ["db IS NOT NULL", [1, 2, 4]],
    ["db = NULL OR db = 'shop'", [1, 4]],
    ["db <> 'shop'", [2]],
    ["NOT db = 'shop'", [2]],
    ["User LIKE 'APP%'", [1, 2, 3, 4]],
    ["User LIKE 'app_'", [3]],
    ["User NOT LIKE 'app_'", [1, 2, 4]],
    ["db LIKE ''", []],
    ["Info LIKE '%100'", [2]],
    ["Id = 1 OR Id = 2 AND db = 'shop'", [1]],
    ["(Id = 1 OR Id = 2) && db = 'stock' || Id = 4", [2, 4]],
    ["Id = ? OR db = ?", [1, 2], [1, "stock"]],
    ["db = ?", [], [null]],
    ["Time >= 3 AND Time < 1e6", [1, 2, 3, 4]],
    ["User > 'app'", [3]],
    ["User = 0", [1, 2, 3, 4]],
    ["NOT NOT Id = 1", [1]],
    [`${"(".repeat(200)}Id = 1${")".repeat(200)}`, [1]],
  ];
  for (const [condition, expected, values = []] of cases) {
    const rows = await rowsOf(`SHOW FULL PROCESSLIST WHERE ${condition}`, stage(), values);
    assertEquals(rows.map(({ Id }) => Id), expected, condition);
  }
});

Deno.test("Conditions that are none of these are refused", async () => {
  const cases = [
    ["nosuch = 1", "a column or a value in the condition, got 'nosuch'"],
    ["Id", "a comparison, LIKE, IN or IS in the condition, got the end"],
    ["Id =", "a column or a value in the condition, got the end"],
    ["Id = 1 Id", "AND, OR or the end in the condition, got 'Id'"],
    ["(Id = 1", ") in the condition, got the end"],
    ["Id IN 1", "( in the condition, got '1'"],
    ["Id IN (1", ") in the condition, got the end"],
    ["Id IS 1", "NULL in the condition, got '1'"],
    ["Id NOT = 1", "a comparison, LIKE, IN or IS in the condition, got '='"],
    ["ABS(Id) = 1", "a column or a value in the condition, got 'ABS'"],
    ["'Id' 1", "a comparison, LIKE, IN or IS in the condition, got '1'"],
  ] as const;
  for (const [condition, expected] of cases) {
    assertEquals(
      await outcome(`SHOW PROCESSLIST WHERE ${condition}`, stage()),
      `5010 Unknown operator, bad internal cmd: wanted ${expected}`,
      condition,
    );
  }
});
