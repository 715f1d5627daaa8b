import { assert, assertEquals } from "@std/assert";
import { type DiagnosticsRequest, readGetDiagnostics } from "../../src/sql/get_diagnostics.ts";
import type { SqlMode } from "../../src/sql/mode.ts";
import { Mutator } from "../support/mutate.ts";
import { seededRandom } from "../support/random.ts";
import { bytesOf, CHARSET, textOf, UTF8, VERSION, whole } from "./texts.ts";

const MARIADB = { ...UTF8, serverVersion: VERSION.mariadb };
const MYSQL = { ...UTF8, serverVersion: VERSION.mysql };

/** `statement` or the condition's number, and the targets. */
const READ: readonly (readonly [text: string, request: string])[] = [
  ["GET DIAGNOSTICS @a = NUMBER", "statement @a=NUMBER"],
  ["get current diagnostics @a=row_count,@b = Number", "statement @a=ROW_COUNT @b=NUMBER"],
  ["/* x */ GET -- y\n DIAGNOSTICS # z\n @`a b` = NUMBER", "statement @`a b`=NUMBER"],
  ["GET DIAGNOSTICS @'a=b' = NUMBER", "statement @'a=b'=NUMBER"],
  ["GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT", "1 @a=MESSAGE_TEXT"],
  [
    "GET DIAGNOSTICS CONDITION 12 @a = MYSQL_ERRNO, @a = CLASS_ORIGIN",
    "12 @a=MYSQL_ERRNO @a=CLASS_ORIGIN",
  ],
  ["GET DIAGNOSTICS CONDITION @n @n = CURSOR_NAME", "`@n` @n=CURSOR_NAME"],
  ["GET DIAGNOSTICS CONDITION @@error_count @a = TABLE_NAME", "`@@error_count` @a=TABLE_NAME"],
  ["GET DIAGNOSTICS CONDITION '1' '2' @a = TABLE_NAME", "`'1' '2'` @a=TABLE_NAME"],
  ["GET DIAGNOSTICS CONDITION _latin1 '1' @a = TABLE_NAME", "`_latin1 '1'` @a=TABLE_NAME"],
  ["GET DIAGNOSTICS CONDITION 1.5 @a = TABLE_NAME", "`1.5` @a=TABLE_NAME"],
  ["GET DIAGNOSTICS CONDITION NULL @a = TABLE_NAME", "`NULL` @a=TABLE_NAME"],
  ["GET DIAGNOSTICS CONDITION 0x1 @a = TABLE_NAME", "`0x1` @a=TABLE_NAME"],
  [
    "GET DIAGNOSTICS CONDITION 1234567890123456 @a = TABLE_NAME",
    "`1234567890123456` @a=TABLE_NAME",
  ],
  ["GET DIAGNOSTICS /*!50000 CONDITION 1 */ @a = TABLE_NAME", "1 @a=TABLE_NAME"],
];

const REFUSED = [
  ...["", "GET", "GET DIAGNOSTICS", "GET DIAGNOSTICS @a", "GET DIAGNOSTICS @a =", "SELECT 1"],
  "GET STACKED DIAGNOSTICS @a = NUMBER",
  "GET DIAGNOSTICS a = NUMBER",
  "GET DIAGNOSTICS @@a = NUMBER",
  "GET DIAGNOSTICS @a := NUMBER",
  "GET DIAGNOSTICS @a = NUMBER,",
  "GET DIAGNOSTICS @a = NUMBER @b = NUMBER",
  "GET DIAGNOSTICS @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS @a = `NUMBER`",
  "GET DIAGNOSTICS CONDITION @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS CONDITION 1 @a = NUMBER",
  "GET DIAGNOSTICS CONDITION -1 @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS CONDITION 1 + 0 @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS CONDITION (1) @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS CONDITION local @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS CONDITION _latin1 1 @a = MESSAGE_TEXT",
  "GET DIAGNOSTICS @a = NUMBER /* open",
  "GET DIAGNOSTICS @`a = NUMBER",
];

function read(text: string, mode: SqlMode = MYSQL): DiagnosticsRequest | undefined {
  const bytes = bytesOf(text);
  return readGetDiagnostics(bytes, whole(bytes), mode);
}

function shown(request: DiagnosticsRequest | undefined): string | undefined {
  if (request === undefined) return undefined;
  const head = request.kind === "statement"
    ? "statement"
    : typeof request.number === "number"
    ? String(request.number)
    : `\`${textOf(request.number)}\``;
  return [head, ...request.targets.map(({ variable, item }) => `${textOf(variable)}=${item}`)]
    .join(" ");
}

Deno.test("readGetDiagnostics() says what is asked and where it goes", () => {
  for (const [text, request] of READ) assertEquals(shown(read(text)), request, text);
});

Deno.test("readGetDiagnostics() reads nothing else", () => {
  for (const text of REFUSED) assertEquals(shown(read(text)), undefined, text);
});

Deno.test("readGetDiagnostics() knows what each server knows", () => {
  const text = "GET DIAGNOSTICS CONDITION 1 @a = ROW_NUMBER";
  assertEquals(shown(read(text, MARIADB)), "1 @a=ROW_NUMBER");
  assertEquals(shown(read(text, MYSQL)), undefined);
});

Deno.test("readGetDiagnostics() reads names in the client's character set and mode", () => {
  const sjis = { ...MYSQL, charset: CHARSET.sjis };
  assertEquals(
    shown(read("GET DIAGNOSTICS @`\x95\x60` = NUMBER", sjis)),
    "statement @`\x95\x60`=NUMBER",
  );
  const ansi = { ...MYSQL, ansiQuotes: true, noBackslashEscapes: true };
  assertEquals(shown(read('GET DIAGNOSTICS @"a\\" = NUMBER', ansi)), 'statement @"a\\"=NUMBER');
});

Deno.test("readGetDiagnostics() takes no part of a text for the whole", () => {
  for (const [text] of READ) {
    for (let length = 0; length < text.length; length++) {
      const part = text.slice(0, length);
      // A shorter one can be whole again; then it says less.
      const request = read(part);
      if (request !== undefined) assert(request.targets.length > 0, part);
    }
  }
});

Deno.test("readGetDiagnostics() keeps within broken texts", () => {
  const mutator = new Mutator(seededRandom(7), REFUSED.map(bytesOf));
  for (let count = 0; count < 20_000; count++) {
    const bytes = mutator.mutate(bytesOf(mutator.pick(READ)[0]));
    const request = readGetDiagnostics(bytes, whole(bytes), mutator.pick([MYSQL, MARIADB]));
    const text = textOf(bytes);
    for (const { variable } of request?.targets ?? []) {
      assert(variable[0] === 0x40 && text.includes(textOf(variable)), text);
    }
  }
});
