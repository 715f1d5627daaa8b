import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatProblem, ProblemList } from "../../src/config/problems.ts";
import { readToml, type TomlNode } from "../../src/config/toml_document.ts";

/** Each value of a document as `path@line of the key/line of the value`. */
function places(text: string): string[] {
  const problems = new ProblemList("f");
  const root = readToml(text, problems);
  assertEquals(problems.sorted().map(formatProblem), []);
  if (root === undefined) throw new Error("Expected a document");
  const found: string[] = [];
  const walk = (node: TomlNode, path: string, line: number) => {
    if (node.kind === "table") {
      for (const [key, entry] of node.entries) walk(entry.node, `${path}.${key}`, entry.line);
      if (node.entries.size > 0) return;
    }
    if (node.kind === "list" && node.items.length > 0) {
      node.items.forEach((item, index) => walk(item, `${path}[${index}]`, item.line));
      return;
    }
    const value = "value" in node ? JSON.stringify(node.value) : node.kind;
    found.push(`${path.slice(1)}@${line}/${node.line}=${value}`);
  };
  walk(root, "", 1);
  return found;
}

const DOCUMENTS: readonly (readonly [what: string, text: string, places: readonly string[]])[] = [
  ["nothing", "", ["@1/1=table"]],
  ["a byte order mark and CRLF", "\uFEFFa = 1\r\n\r\nb = 2\r\n", ["a@1/1=1", "b@3/3=2"]],
  ["no last line end", "# x\na = true", ["a@2/2=true"]],
  ["comments with brackets and quotes", '# [x] "\na = 1 # "b\n[c] # [d]\nb = 2', [
    "a@2/2=1",
    "c.b@4/4=2",
  ]],
  ["sections", "[a]\nx = 1\n[a.b]\nx = 2\n[c.d]\n[c]\ny = 3", [
    "a.x@2/2=1",
    "a.b.x@4/4=2",
    "c.d@5/5=table",
    "c.y@7/7=3",
  ]],
  [
    "repeated sections",
    "[[a]]\nx = 1\n[[a.b]]\ny = 1\n[[a.b]]\n[[a]]\n[[a.b]]\ny = 2\n[a.c]\nz=3",
    [
      "a[0].x@2/2=1",
      "a[0].b[0].y@4/4=1",
      "a[0].b[1]@5/5=table",
      "a[1].b[0].y@8/8=2",
      "a[1].c.z@10/10=3",
    ],
  ],
  [
    "dotted and quoted keys",
    'a.b . c = 1\n\'d e\'."f\\u0021" = 2\n[ "g.h" . i ]\na.b = 3\na.c = 4',
    [
      "a.b.c@1/1=1",
      "d e.f!@2/2=2",
      "g.h.i.a.b@4/4=3",
      "g.h.i.a.c@5/5=4",
    ],
  ],
  ["inline tables", "a = { b = 1, c.d = 'x', e = {} } # }\nf = 1", [
    "a.b@1/1=1",
    'a.c.d@1/1="x"',
    "a.e@1/1=table",
    "f@2/2=1",
  ]],
  ["lists over several lines", 'a = [ # "]\n  1,\n\n  [ "]", 2 ], # ]\n  {b = 3},\n]\nc = []', [
    "a[0]@2/2=1",
    'a[1][0]@4/4="]"',
    "a[1][1]@4/4=2",
    "a[2].b@5/5=3",
    "c@7/7=list",
  ]],
  [
    "texts over several lines",
    'a = """\n[b]\nc = "1" \\\n   d\n"""\ne = \'\'\'\n# \\\n\'\'\'\nf = 1',
    [
      'a@1/1="[b]\\nc = \\"1\\" d\\n"',
      'e@6/6="# \\\\\\n"',
      "f@9/9=1",
    ],
  ],
  ["quotes at the end of long texts", 'a = """x"""""\nb = \'\'\'y\'\'\'\'\nc = 1', [
    'a@1/1="x\\"\\""',
    'b@2/2="y\'"',
    "c@3/3=1",
  ]],
  ["escapes", 'a = "\\t\\"\\\\\\u00e9\\U0001F600"\nb = \'\\t"\'\nc = "\\\\u12"', [
    'a@1/1="\\t\\"\\\\é😀"',
    'b@2/2="\\\\t\\""',
    'c@3/3="\\\\u12"',
  ]],
  [
    "numbers, booleans and dates",
    "a = 1_000\nb = 0x1F\nc = 1.5e3\nd = false\ne = 1979-05-27 07:32:00Z\nf = 07:32:00\ng = -7",
    [
      "a@1/1=1000",
      "b@2/2=31",
      "c@3/3=1500",
      "d@4/4=false",
      "e@5/5=date",
      "f@6/6=date",
      "g@7/7=-7",
    ],
  ],
  ["names of JavaScript", "__proto__ = 1\n[constructor.toString]\n__proto__.x = 2", [
    "__proto__@1/1=1",
    "constructor.toString.__proto__.x@3/3=2",
  ]],
];

for (const [what, text, expected] of DOCUMENTS) {
  Deno.test(`readToml() knows the lines of ${what}`, () => {
    assertEquals(places(text), expected);
  });
}

/** Every problem of each text, as `line: key: part of the sentence`. */
const BREACHES: readonly (readonly [text: string, problems: readonly string[]])[] = [
  ["a = ", ["1: : Expected a value"]],
  ["a", ['1: : Expected "="']],
  ["= 1", ["1: : Expected a key"]],
  ["a. = 1", ["1: : Expected a key"]],
  ['"""a""" = 1', ["1: : Expected a key on one line"]],
  ["\na = 1 b = 2", ["2: : Expected the end of the line"]],
  ["[a] b = 2", ["1: : Expected the end of the line"]],
  ["[[a]\n", ['1: : Expected "]]"']],
  ["[a\n]", ['1: : Expected "]"']],
  ["a = [1\n\n2]", ['1: : Expected "," or "]"']],
  ["a = [1,\n\n", ["3: : Expected a value"]],
  ["a = { b = 1,\n c = 2 }", ["1: : Expected a key"]],
  ["a = { b = 1 c = 2 }", ['1: : Expected "," or "}"']],
  ['\na = "b\n"', ["2: : Expected the quotes to be closed on the same line"]],
  ['a = """b\n\nc', ["1: : Expected the quotes to be closed"]],
  ['a = "\\x41"', ["1: : Expected text with the escapes of TOML"]],
  ['a = "\\u12x4"', ["1: : Expected text with the escapes of TOML"]],
  ['a = "\\U00110000"', ["1: : Expected text with the escapes of TOML"]],
  ['a = "b\\', ["1: : Expected the quotes to be closed"]],
  ["a = 01", ["1: : Expected a value"]],
  ["a = 1__0", ["1: : Expected a value"]],
  ["a = -0x1F", ["1: : Expected a value"]],
  ["a = 2021-13-01", ["1: : Expected a value"]],
  ["a = yes", ["1: : Expected a value"]],
  ["a = x}", ["1: : Expected a value"]],
  [`a = ${"[".repeat(50_000)}`, ["1: : Expected at most 32 lists"]],
  [`a = ${"{a=".repeat(50_000)}`, ["1: : Expected at most 32 lists"]],
  ["a = 1\na = 2\na = 3", [
    "2: a: Expected once, got it again (first on line 1)",
    "3: a: Expected once, got it again (first on line 1)",
  ]],
  ["[a]\n[b]\n[a]", ["3: a: Expected once"]],
  ["[a]\nb = 1\n[a.b]", ["3: a.b: Expected once, got it again (first on line 2)"]],
  ["[a]\nb = 1\n[a.b.c]", ["3: a.b.c: Expected once"]],
  ["a = []\n[[a]]", ["2: a: Expected once"]],
  ["[[a]]\n[a]", ["2: a: Expected [[a]] as on line 1, got [a]"]],
  ["[a]\n[[a]]", ["2: a: Expected once"]],
  ["a = {}\n[a.b]", ["2: a.b: Expected once"]],
  ["a = {}\na.b = 1", ["2: a.b: Expected once"]],
  ["[a.b]\n[a]\nb.c = 1", ["3: a.b.c: Expected once"]],
  ["a = { b = 1, b = 2 }", ["1: b: Expected once"]],
];

Deno.test("readToml() names the line of every breach and never quotes the text", () => {
  for (const [text, expected] of BREACHES) {
    const list = new ProblemList("f");
    readToml(text, list);
    const problems = list.sorted();
    assertEquals(problems.length, expected.length, text.slice(0, 50));
    problems.forEach(({ line, key, problem }, index) => {
      const sentence = problem.replace("Cannot read TOML: ", "");
      assertStringIncludes(`${line}: ${key}: ${sentence}`, expected[index] ?? "?", text);
    });
  }
});
