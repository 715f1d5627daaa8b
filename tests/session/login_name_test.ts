import { assertEquals } from "@std/assert";
import { parseLoginName } from "../../src/session/login_name.ts";

const NAMES: readonly (readonly [text: string, user: string, tenant: string, cluster: string])[] = [
  ["app", "app", "", ""],
  ["", "", "", ""],
  ["app@reports", "app", "reports", ""],
  ["app@reports#main", "app", "reports", "main"],
  ["app#main", "app", "", "main"],
  ["app@#main", "app", "", "main"],
  ["app@", "app", "", ""],
  ["@reports", "", "reports", ""],
  ["#", "", "", ""],
  ["app@reports#main:42", "app", "reports", "main"],
  ["app@reports#main:42x", "app", "reports", "main:42x"],
  ["app@reports#:42", "app", "reports", ":42"],
  ["app@re:por:ts#main", "app", "re:por:ts", "main"],
  ["main:reports:app", "app", "reports", "main"],
  ["main-reports-app", "app", "reports", "main"],
  ["main.reports.app", "app", "reports", "main"],
  ["main:reports", "main:reports", "", ""],
  ["first.last", "first.last", "", ""],
  ["my-app", "my-app", "", ""],
  ["a:b-c-d", "d", "c", "a:b"],
  ["näme@tënant#clüster☃", "näme", "tënant", "clüster☃"],
  ["line\nbreak@a\nb#c\nd", "line\nbreak", "a\nb", "c\nd"],
];

for (const [text, user, tenant, cluster] of NAMES) {
  Deno.test(`Login name ${JSON.stringify(text)}`, () => {
    assertEquals(parseLoginName(text), { user, tenant, cluster });
  });
}
