/** How texts are read: each row was compared with what MySQL 9.7 and MariaDB 10.11 make of it. */
import { assertEquals } from "@std/assert";
import { Kind, Lexer } from "../../src/sql/lexer.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { tokenize } from "../../src/sql/tokens.ts";
import { bytesOf, CHARSET, UTF8, VERSION, whole } from "./texts.ts";

/** A text and its tokens, each with the first letter of its kind. */
type Row = readonly [text: string, ...tokens: string[]];

const LETTERS = {
  word: "w",
  "quoted_name": "q",
  string: "s",
  number: "n",
  symbol: "y",
  parameter: "p",
  variable: "v",
};

function tokensOf(text: string, mode: SqlMode): string[] {
  const bytes = bytesOf(text);
  return tokenize(bytes, whole(bytes), mode).map((token) => `${LETTERS[token.kind]} ${token.text}`);
}

function checkAll(title: string, rows: readonly Row[], mode: Partial<SqlMode> = {}): void {
  Deno.test(title, () => {
    for (const [text, ...tokens] of rows) {
      assertEquals(tokensOf(text, { ...UTF8, ...mode }), tokens, JSON.stringify(text));
    }
  });
}

checkAll("Words are what MySQL takes for names and keywords", [
  [""],
  [" \t\r\n\v\f"],
  ["select\vC\f_a", "w select", "w C", "w _a"],
  [
    "a$b $c 1a 0x 0xg 0X41 0b2 1e",
    "w a$b",
    "w $c",
    "w 1a",
    "w 0x",
    "w 0xg",
    "w 0X41",
    "w 0b2",
    "w 1e",
  ],
  ["größe 表", "w größe", "w 表"],
  ["t.1a.select", "w t", "y .", "w 1a", "y .", "w select"],
  ["t.1e5 t.5", "w t", "y .", "w 1e5", "w t", "y .", "w 5"],
  ["t .5", "w t", "n .5"],
  ["`t`.5", "q t", "n .5"],
  ["b x n", "w b", "w x", "w n"],
  ["_utf8mb4'a'", "w _utf8mb4", "s a"],
  ["KILL'5'", "w KILL", "s 5"],
]);

checkAll("Numbers end where a server ends them", [
  ["1 12.5 .5 1. 1.e3", "n 1", "n 12.5", "n .5", "n 1.", "n 1.e3"],
  ["1e5 1E+5 1.5e-3 .5e2", "n 1e5", "n 1E+5", "n 1.5e-3", "n .5e2"],
  ["1e5abc", "n 1e5", "w abc"],
  ["1e+", "w 1e", "y +"],
  ["0xAf 0b01", "n 0xAf", "n 0b01"],
  ["x'4A' X'' b'01' B'1'", "n x'4A'", "n X''", "n b'01'", "n B'1'"],
  ["x'4g' b'2'", "w x", "s 4g", "w b", "s 2"],
  ["1-1", "n 1", "y -", "n 1"],
  ["1..2", "n 1.", "n .2"],
]);

checkAll("Strings and quoted names lose their quotes and escapes", [
  ["'a''b' \"a\"\"b\" `a``b`", "s a'b", 's a"b', "q a`b"],
  ["'it\\'s' 'a\"b' \"a'b\"", "s it's", 's a"b', "s a'b"],
  ["'\\0\\b\\t\\n\\r\\Z\\\\\\x'", "s \0\b\t\n\r\x1a\\x"],
  ["'a\\%\\_'", "s a\\%\\_"],
  ["n'a' N'b''c'", "s a", "s b'c"],
  ["`a\\` 'b'", "q a\\", "s b"],
  ["'a' 'b'", "s a", "s b"],
  ["'/* no */ -- no # no ; no'", "s /* no */ -- no # no ; no"],
  ["'", "s "],
  ["'abc", "s abc"],
  ["'abc\\", "s abc\\"],
  ["`abc 'd'", "q abc 'd'"],
]);

checkAll("ANSI_QUOTES makes names of double quotes", [
  ['"a""b" "a\\" \'c\\\'d\'', 'q a"b', "q a\\", "s c'd"],
  ["@\"a\\\" @'b\\'c'", "v @a\\", "v @b'c"],
], { ansiQuotes: true });

checkAll("NO_BACKSLASH_ESCAPES makes backslashes plain", [
  ["'a\\' 'b'", "s a\\", "s b"],
  ["\"a\\\" n'c\\' 1", "s a\\", "s c\\", "n 1"],
], { noBackslashEscapes: true });

checkAll("Variables are one token with their names", [
  ["@a @a.b @_$1", "v @a", "v @a.b", "v @_$1"],
  ["@'a b' @\"a''b\" @`a``b`", "v @a b", "v @a''b", "v @a`b"],
  ["@@a @@session.a @@`a b` @@global.`x`", "v @@a", "v @@session.a", "v @@a b", "v @@global.x"],
  ["@@session . a", "v @@session", "y .", "w a"],
  ["@a:=1", "v @a", "y :=", "n 1"],
  ["@ @@ @", "v @", "v @@", "v @"],
  ["'u'@'h' u@h.net", "s u", "v @h", "w u", "v @h.net"],
  ["@a,@b", "v @a", "y ,", "v @b"],
]);

checkAll("Operators are one token", [
  [
    "a<=>b<=c<>d!=e>=f",
    "w a",
    "y <=>",
    "w b",
    "y <=",
    "w c",
    "y <>",
    "w d",
    "y !=",
    "w e",
    "y >=",
    "w f",
  ],
  ["a->'x'->>'y'", "w a", "y ->", "s x", "y ->>", "s y"],
  ["1<<2>>3||4&&5", "n 1", "y <<", "n 2", "y >>", "n 3", "y ||", "n 4", "y &&", "n 5"],
  ["\\N (?,?)*{}", "y \\N", "y (", "p ?", "y ,", "p ?", "y )", "y *", "y {", "y }"],
  ["\0\x01", "y \0", "y \x01"],
  ["<", "y <"],
  ["a = -1", "w a", "y =", "y -", "n 1"],
]);

checkAll("Comments are white space", [
  ["a/**/b/* x */c", "w a", "w b", "w c"],
  ["1/*/ + 1 */", "n 1"],
  ["a /* b /* c */ d", "w a", "w d"],
  ["a # b\nc", "w a", "w c"],
  ["a -- b\nc --\td\n--\0", "w a", "w c", "y \0"],
  ["a --b --", "w a", "y -", "y -", "w b"],
  ["a --\x7fb\nc", "w a", "w c"],
  ["a # b \0 c", "w a", "y \0", "w c"],
  ["a -- b\r c\n d", "w a", "w d"],
  ["a /* b", "w a"],
  ["a /*", "w a"],
  ["a /", "w a", "y /"],
  ["SELECT /*+ HINT('*/ 1", "w SELECT", "n 1"],
  ["a */ b", "w a", "y *", "y /", "w b"],
]);

const versions: Readonly<Record<"known" | keyof typeof VERSION, readonly Row[]>> = {
  known: [
    ["/*! a */ b", "w a", "w b"],
    ["/*!50000 a */ b", "w a", "w b"],
    ["/*!50000a*/ b", "w a", "w b"],
    ["/*!80000 a */ /*!100100 b */ /*M!100100 c */ /*M! d */", "w a", "w b", "w c", "w d"],
    ["/*!999999 a */ /*M!999999 b */ c", "w c"],
    ["/*!999999 a /* b */ c */ d", "w d"],
    ["/*!50000 a /* b */ c */ d", "w a", "w c", "w d"],
    ["/*!50000 a /*!999999 b */ c */ d", "w a", "w c", "w d"],
    ["/*!50000 '*/' */ d", "s */", "w d"],
    ["/*!50000 a # */\n b */ d", "w a", "w b", "w d"],
    ["/*!5000 a */", "n 5000", "w a"],
    ["/*!500001 a */ /*!050000 b */", "w b"],
    ["/*!*/ /*!50000*/ a", "w a"],
    ["/*!/ a", "y /", "w a"],
    ["/*m!50000 a */ b", "w b"],
    ["/*!50000 a", "w a"],
    ["/*!999999 a"],
  ],
  mariadb: [
    ["/*!40000 a */ /*!50700 b */ /*!80000 c */ /*!99999 d */ e", "w a", "w e"],
    ["/*!100100 a */ /*!101199 b */ /*M!80000 c */ /*M! d */", "w a", "w c", "w d"],
  ],
  mysql: [
    ["/*!40000 a */ /*!80000 b */ /*!90799 c */ /*!100100 d */ e", "w a", "w b", "w e"],
    ["/*M!50000 a */ /*M! b */ /*! c */", "w c"],
  ],
  oceanbase: [["/*!50725 a */ /*!50726 b */ /*M! c */", "w a"]],
};

checkAll("Versioned comments are text up to versions that there may be", versions.known);
checkAll("MariaDB runs its versions and MySQL's up to 5.6", versions.mariadb, {
  serverVersion: VERSION.mariadb,
});
checkAll("MySQL runs versions up to its own", versions.mysql, { serverVersion: VERSION.mysql });
checkAll("OceanBase runs what MySQL 5.7 does", versions.oceanbase, {
  serverVersion: VERSION.oceanbase,
});

const dollars = "$$a;'b$$ $x$ $$ $y$ $x$ c$d$ $e";
checkAll("MySQL 9 has strings between dollars", [
  [dollars, "s a;'b", "s  $$ $y$ ", "w c$d$", "w $e"],
], { serverVersion: VERSION.mysql });
checkAll("Elsewhere dollars are letters", [
  ["$$a$$ $x$", "w $$a$$", "w $x$"],
], { serverVersion: VERSION.mariadb });

checkAll("Backslashes and quotes in characters of two bytes are none", [
  ["'\xbf\x5c' 2", "s 縗", "n 2"],
  ["'\xbf' 2", "s �", "n 2"],
  ["'\\\xbf\x5c' 2' 3", "s �' 2", "n 3"],
  ["`\xbf\x60` 2", "q 縛", "n 2"],
  ["\xbf\x5c \xbf\x7b2 3", "w 縗", "w 縶2", "n 3"],
  ["@\xbf\x7b @@\xbf\x7b", "v @�", "y {", "v @@�", "y {"],
], { charset: CHARSET.gbk });

checkAll("Big5 and Shift-JIS have other characters of two bytes than GBK", [
  ["'\xbf\x5c' 2", "s 璞", "n 2"],
  ["'\x81\x5c' 2' 3", "s �' 2", "n 3"],
], { charset: CHARSET.big5 });
checkAll("Shift-JIS has its own", [
  ["'\x81\x5c' 2", "s ―", "n 2"],
  ["'\xbf\x5c' 2' 3", "s ｿ' 2", "n 3"],
], { charset: CHARSET.sjis });
checkAll("GB18030 has characters of four bytes", [
  ["'\x81\x30\x81\x30\x5c' 2' 3", "s \x80' 2", "n 3"],
  ["'\x81\x5c' 2", "s 乗", "n 2"],
], { charset: CHARSET.gb18030 });

checkAll("No-break spaces are white space where a character is one byte", [
  ["KILL\xa05", "w KILL", "n 5"],
  ["1--\xa0'\n 2--\xff3", "n 1", "n 2", "y -", "y -", "w ÿ3"],
  ["gr\xf6\xdfe", "w größe"],
], { charset: CHARSET.latin1 });
checkAll("DOS has another no-break space", [
  ["KILL\xff5 \xa0", "w KILL", "n 5", "w а"],
], { charset: CHARSET.cp866 });

Deno.test("Bytes that are no characters are parts of names and strings", () => {
  const bytes = Uint8Array.of(0xff, 0xc3, 0x20, 0x27, 0xe2, 0x82, 0x27, 0x80);
  const tokens = tokenize(bytes, whole(bytes), UTF8);
  assertEquals(tokens.map(({ kind, start, end }) => [kind, start, end]), [
    ["word", 0, 2],
    ["string", 3, 7],
    ["word", 7, 8],
  ]);
});

Deno.test("Tokens are read from a part of a buffer, and no more than asked for", () => {
  const bytes = bytesOf("xx SELECT 'a' yy");
  const tokens = tokenize(bytes, { start: 3, end: 11 }, UTF8);
  assertEquals(tokens.map(({ text, start, end }) => [text, start, end]), [
    ["SELECT", 3, 9],
    ["", 10, 11],
  ]);
  const hex = bytesOf("10xff");
  assertEquals(tokenize(hex, { start: 1, end: 2 }, UTF8).map(({ kind }) => kind), ["number"]);
  assertEquals(tokenize(bytes, whole(bytes), UTF8, 2).map(({ text }) => text), ["xx", "SELECT"]);
  assertEquals(tokenize(bytes, { start: 20, end: 30 }, UTF8), []);
});

Deno.test("Comments are shown to who asks for them", () => {
  const bytes = bytesOf("a -- b\n/* c */ /*+ d */ /*! e */ /*!999999 f */");
  const lexer = new Lexer().begin(bytes, whole(bytes), UTF8, { showsComments: true });
  const tokens: [Kind, string][] = [];
  while (lexer.next()) {
    tokens.push([lexer.kind, new TextDecoder().decode(bytes.subarray(lexer.start, lexer.end))]);
  }
  assertEquals(tokens, [
    [Kind.word, "a"],
    [Kind.comment, "-- b"],
    [Kind.comment, "/* c */"],
    [Kind.hint, "/*+ d */"],
    [Kind.versionMark, "/*!"],
    [Kind.word, "e"],
    [Kind.versionMark, "*/"],
    [Kind.comment, "/*!999999 f */"],
  ]);
  assertEquals([lexer.kind, lexer.sawVersion, lexer.isUnterminated], [Kind.end, true, false]);
});

Deno.test("The lexer says that something has no end", () => {
  for (const text of ["'a", "`a", '"a', "@'a", "/* a", "/*!999999 a", "n'a"]) {
    const bytes = bytesOf(text);
    const lexer = new Lexer().begin(bytes, whole(bytes), UTF8);
    while (lexer.next());
    assertEquals([lexer.isUnterminated, lexer.start, lexer.end], [
      true,
      bytes.length,
      bytes.length,
    ]);
  }
});

Deno.test("Tokens are compared without their text", () => {
  const bytes = bytesOf("Show `show` ; <=> shown");
  const lexer = new Lexer().begin(bytes, whole(bytes), UTF8);
  const answers: boolean[] = [];
  while (lexer.next()) answers.push(lexer.is("SHOW"), lexer.isSymbol(";"), lexer.isSymbol("<=>"));
  assertEquals(answers, [
    ...[true, false, false],
    ...[false, false, false],
    ...[false, true, false],
    ...[false, false, true],
    ...[false, false, false],
  ]);
});
