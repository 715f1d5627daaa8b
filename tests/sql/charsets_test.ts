/** Character sets by their names and by the ids of their collations. */
import { assertEquals } from "@std/assert";
import {
  characterLengthOf,
  charsetId,
  decodeIn,
  isReadAsUtf8,
  wideSpaceOf,
} from "../../src/sql/charsets.ts";
import { sharedEngine } from "../support/shared_engine.ts";

Deno.test("A text is read in the set that is named", () => {
  const bytes = Uint8Array.of(0xc3, 0xa9, 0xa0);
  assertEquals(decodeIn(charsetId("latin1"), bytes), "Ã©\xa0");
  assertEquals(decodeIn(charsetId("utf8mb4"), bytes), "é\ufffd");
  assertEquals(decodeIn(charsetId("gbk"), bytes.subarray(0, 2)), "茅");
  for (const name of ["utf8", "utf8mb3", "utf8mb4", "ascii", "binary"]) {
    assertEquals(isReadAsUtf8(charsetId(name)), true, name);
  }
});

for (const name of ["mariadb", "mysql"] as const) {
  const engine = await sharedEngine(name);
  Deno.test({
    name: `${name}: each collation is read as its character set is`,
    ignore: engine.ignore,
    fn: async () => {
      const rows = await engine.admin(
        "SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS " +
          "WHERE ID IS NOT NULL AND ID < 2048",
      );
      assertEquals(rows.length > 100, true);
      for (const { id, charset } of rows) {
        const [own, named] = [Number(id), charsetId(String(charset))];
        const told = [own, named].map((one) => [
          ...[characterLengthOf(one), wideSpaceOf(one), isReadAsUtf8(one)],
          decodeIn(one, Uint8Array.of(0xe4, 0xa4)),
        ]);
        assertEquals(told[0], told[1], `${id} of ${charset}`);
      }
    },
  });
}
