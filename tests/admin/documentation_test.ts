import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../src/admin/command_rows.ts";
import { findStatement } from "../../src/admin/commands.ts";
import { ERROR_KINDS } from "../../src/errors.ts";
import { tokensOf } from "./tokens.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/statements.md", import.meta.url));

interface Section {
  readonly syntax: string;
  readonly text: string;
  /** What is typed behind the prompt, with what comes of it. */
  readonly examples: readonly { readonly sql: string; readonly output: string }[];
}

const sections: readonly Section[] = PAGE.split(/^#{2,3} /m).flatMap((part) => {
  const syntax = /^`(.*)`\n/.exec(part)?.[1];
  if (syntax === undefined) return [];
  const fences = [...part.matchAll(/^```\n(.*?)^```$/gms)].map((fence) => fence[1]!);
  const examples = fences.flatMap((fence) =>
    fence.split(/^mysql> /m).slice(1).map((example) => {
      const [sql = "", ...lines] = example.trimEnd().split("\n");
      return { sql: sql.replace(/(;|\\G)$/, ""), output: lines.join("\n") };
    })
  );
  return [{ syntax, text: part.slice(part.indexOf("\n")).trim(), examples }];
});

const there = COMMANDS.filter(({ isMissing }) => !isMissing);

Deno.test("Every statement has its section, with its own syntax and who may use it", () => {
  assertEquals(
    sections.map(({ syntax }) => syntax).toSorted(),
    there.map(({ syntax }) => syntax.text).toSorted(),
  );
  for (const { syntax, gate } of there) {
    const { text } = sections.find((section) => section.syntax === syntax.text)!;
    const who = gate === "everybody" ? "For everybody" : "For `root@proxysys` and `root@sys`";
    assert(text.startsWith(who), `${syntax.text}: ${who}`);
  }
});

Deno.test("Examples are examples of their section, with the columns of its list", () => {
  for (const { syntax, examples } of sections) {
    assert(examples.length > 0, syntax);
    const row = there.find((candidate) => candidate.syntax.text === syntax)!;
    for (const { sql, output } of examples) {
      const statement = findStatement(tokensOf(sql), "root_sys");
      assertEquals(statement?.name, row.syntax.name, sql);
      assertEquals(statement?.refusal, undefined, sql);
      const columns = statement!.columns.map(({ name }) => name);
      if (output.startsWith("ERROR ")) {
        const codes = Object.values(ERROR_KINDS).map(({ code, sqlState }) =>
          `${code} (${sqlState})`
        );
        assert(codes.includes(/^ERROR (\d+ \(\w+\)): /.exec(output)?.[1] ?? ""), output);
      } else if (columns.length === 0) {
        assert(output.startsWith("Query OK"), output);
      } else if (output.startsWith("*")) {
        const names = [...output.matchAll(/^(\w+): (?!.*,)/gm)].map(([, name]) => name!);
        assert(columns.every((name) => names.includes(name)), output);
      } else {
        const [, header = ""] = output.split("\n");
        assertEquals(header.slice(2, -2).split(" | ").map((name) => name.trim()), columns, sql);
      }
    }
  }
});

Deno.test("The statements that are missing are listed", () => {
  const listed = [...PAGE.slice(PAGE.indexOf("Missing:")).matchAll(/^\| `(.*)` \| (.*) \|$/gm)];
  assertEquals(
    listed.map(([, syntax, help]) => `${syntax!.replaceAll("\\|", "|")}: ${help}`),
    COMMANDS.filter(({ isMissing }) => isMissing).map((row) => `${row.syntax.text}: ${row.help}`),
  );
});

Deno.test("The errors that the page lists are those of the table", () => {
  const listed = [...PAGE.matchAll(/^\| (\d{4}) \| (\w{5}) \|/gm)];
  assert(listed.length > 8);
  const known = Object.values(ERROR_KINDS).map(({ code, sqlState }) => `${code} ${sqlState}`);
  for (const [, code, state] of listed) assert(known.includes(`${code} ${state}`), code);
});
