import { assertEquals } from "@std/assert";
import { versionNumber } from "../../src/sql/versions.ts";

const VERSIONS: readonly [text: string, number: number | undefined][] = [
  ["5.5.5-10.11.19-MariaDB-0+deb12u1", 101119],
  ["11.8.2-MariaDB", 110802],
  ["9.7.4", 90704],
  ["8.0.44-0ubuntu0.22.04.1", 80044],
  ["5.7.25-OceanBase-v4.3.5.0", 50725],
  ["5.5.5", 50505],
  ["", undefined],
  ["unknown", undefined],
];

for (const [text, number] of VERSIONS) {
  Deno.test(`The version ${text || "without text"} is ${number}`, () => {
    assertEquals(versionNumber(text), number);
  });
}
