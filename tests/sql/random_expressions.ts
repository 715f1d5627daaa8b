/** Random expressions that are written in odd ways. */

/** Between two tokens; some of it is text to one server and not to another. */
const GAPS = [
  ...[" ", " ", "\t", "\n", "\v", "\f", "\r"],
  ...["/**/", "/* ' */", "/*/*/", '/* " ` \\ */', "-- '\n", '--\x01"\n', "# ` */\n", "#\n"],
  ...["\xa0", "\xff", "--\xa0'\n", '--\xff"\n'],
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

/** What may stand behind an item; names among it, with and without AS. */
const NAMES = [
  ...["", "", "", "", " AS x", " x", " `a b`", " AS 'x'", " 'x'", ' "x"', " AS `x`", " IS NULL"],
  ...[" + INTERVAL 1 DAY", " IN (1)", " COLLATE utf8mb4_bin", " BETWEEN 1 AND 2", " NOT LIKE 'a'"],
  ...[" x y", " DIV 2", " MOD 3 z", " SOUNDS LIKE 'a'", " AS x y", " OR NULL", " IS NOT TRUE"],
];

const MODIFIERS = ["", "", "DISTINCT ", "ALL ", "SQL_NO_CACHE ", "HIGH_PRIORITY DISTINCT "];

const TAILS = [
  ...["", "", "", " FROM DUAL", " LIMIT 1", " WHERE 1", " ORDER BY 1", " ORDER BY CONNECTION_ID()"],
  ...[
    " FROM DUAL WHERE CONNECTION_ID() > 0",
    " GROUP BY 1",
    " HAVING 1",
    " FOR UPDATE",
    " LIMIT 0",
  ],
  ...[
    " LOCK IN SHARE MODE",
    " UNION SELECT 1",
    " INTO @x",
    " PROCEDURE",
    " FROM (SELECT 1) t",
    ";",
  ],
];

const CALLS = [
  ...["CONNECTION_ID()", "connection_id ( )", "(CONNECTION_ID())", "+CONNECTION_ID()"],
  ...["CONNECTION_ID(/* x */)", "CONCAT(CONNECTION_ID(), 'a`b')", "NOT CONNECTION_ID()"],
  ...["IF(CONNECTION_ID(), 'a', \"b\")", "CASE CONNECTION_ID() WHEN 1 THEN 2 END", "@x"],
  ...["`connection_id`()", "(SELECT CONNECTION_ID())", "CAST(CONNECTION_ID() AS CHAR)", "1", "'a'"],
  ...["CONNECTION_ID -- '\n ()", "HEX(CONNECTION_ID())", "DATE '2024-01-01'", "NULL", "VERSION()"],
];

/** Without negation: MySQL gives that of a constant another type, where it is negated again. */
const LIST_OPERATORS = OPERATORS.filter((operator) => !operator.includes("-"));

type Pick = (list: readonly string[]) => string;

function picker(random: () => number): Pick {
  return (list) => list[Math.floor(random() * list.length)]!;
}

/** The text of a SELECT of one to four operands, of bytes as characters up to U+00FF. */
export function randomSelect(random: () => number): string {
  const pick = picker(random);
  let text = `SELECT${pick(GAPS) || " "}${pick(OPERANDS)}`;
  for (let left = Math.floor(random() * 4); left > 0; left--) {
    text += pick(GAPS) + pick(OPERATORS) + pick(GAPS) + pick(OPERANDS);
  }
  return text + pick(GAPS);
}

/** The text of a SELECT of one to three items that have calls of CONNECTION_ID() in them. */
export function randomList(random: () => number): string {
  const pick = picker(random);
  const item = () => {
    const operation = random() < 0.3 ? pick(LIST_OPERATORS) + pick(CALLS) : "";
    return pick(CALLS) + operation + pick(NAMES);
  };
  const items = Array.from({ length: 1 + Math.floor(random() * 3) }, item);
  return `SELECT ${pick(MODIFIERS)}${items.join(pick([", ", ",", "\n, "]))}${pick(TAILS)}`;
}
