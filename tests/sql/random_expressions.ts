/** Random expressions that are written in odd ways. */

/** Between two tokens; some of it is text to one server and not to another. */
const GAPS = [
  ...[" ", " ", "\t", "\n", "\v", "\f", "\r"],
  ...["/**/", "/* ' */", "/*/*/", '/* " ` \\ */', "-- '\n", '--\x01"\n', "# ` */\n", "#\n"],
  ...["/*! */", "/*!+1*/", "/*!50000 */", "/*!40000 +4 */", "/*!50700 +5 */", "/*!80000 +8 */"],
  ...["/*!90700 +9 */", "/*!100100 +10 */", "/*M! +11 */", "/*M!50700 +12 */", "/*M!100100 +13 */"],
  ...["/*!999999 +14 */", "/*!999999 /* */ ' */", "/*!50000 /* ' */ +15 */", "/*!99999 +16 */"],
  ...["/*!500000 +17 */", "/*!050000 +18 */", "/*!5000 */", "/*!40000 -- */ \n */", "/*m! ' */"],
  ...["/*+ ' */", "/*!40000+'*/'*/", "", "", ""],
];

const OPERATORS = [
  ...[
    "+",
    "-",
    "*",
    "<=>",
    "<",
    ">",
    "<=",
    ">=",
    "=",
    "<>",
    "!=",
    "<<",
    ">>",
    "||",
    "&&",
    "|",
    "&",
  ],
  ...[" DIV ", " AND ", " IS NULL = ", "--", "- -", "+ +", "^", " LIKE ", " XOR "],
];

const OPERANDS = [
  ...["1", "1.", ".5", "1.5", "1e2", "1E-2", "1.e1", ".5e+1", "0x41", "x'41'", "b'01'", "0b01"],
  ...["'a'", '"a"', "n'a'", "N'b'", "_latin1'a'", "'a' 'b'", "''", "'a''b'", '"a""b"', "'\\\\'"],
  ...["'a\\'b'", '"a\\"b"', "'a\\\\", "'\\n\\t\\0\\Z\\%'", "'-- '", "'/*'", "'#'", "'*/'", "';'"],
  ...["'\\", '"\\', "'\"'", '"\'"', "`", "@a", "@'a b'", "@`a`", '@"a"', "@a.b", "@@autocommit"],
  ...["@@session.autocommit", "@@`autocommit`", "NULL", "TRUE", "(1)", "(SELECT 1)", "LENGTH('a')"],
  ...[
    "'\xbf\\'",
    "'\xbf'",
    "'\\\xbf\\'",
    "'\x81\\'",
    "'\x81\x30\x81\x30\\'",
    "'\xa1\\\\'",
    "'\xe0`'",
  ],
  ...["'\xc3\xa9'", "'\xff\\'", "'\xa0'", "$1$ $1$", "1a"],
];

/** The text of a SELECT of one to four operands, of bytes as characters up to U+00FF. */
export function randomSelect(random: () => number): string {
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)]!;
  let text = `SELECT${pick(GAPS) || " "}${pick(OPERANDS)}`;
  for (let left = Math.floor(random() * 4); left > 0; left--) {
    text += pick(GAPS) + pick(OPERATORS) + pick(GAPS) + pick(OPERANDS);
  }
  return text + pick(GAPS);
}
