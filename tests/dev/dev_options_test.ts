import { assertEquals, assertThrows } from "@std/assert";
import { OptionError, parseDevOptions } from "../../src/dev/dev_options.ts";

const listen = { hostname: "127.0.0.1", port: 2883 };

Deno.test("development options are read", () => {
  const engines = { kind: "engines", names: ["seekdb", "mariadb"] } as const;
  assertEquals(parseDevOptions([]), { listen, database: engines });
  assertEquals(parseDevOptions(["--help"]), undefined);
  assertEquals(parseDevOptions(["--engine", "mysql"]), {
    listen,
    database: { kind: "engines", names: ["mysql"] },
  });
  assertEquals(
    parseDevOptions(["--listen=[::1]:1", "--server", "db.lan:3306", "--user", "app:a:b"]),
    {
      listen: { hostname: "::1", port: 1 },
      database: {
        kind: "server",
        address: { hostname: "db.lan", port: 3306 },
        account: { user: "app", password: "a:b" },
      },
    },
  );
});

Deno.test("an account without password is its name alone", () => {
  assertEquals(parseDevOptions(["--server", "h:1", "--user", "app"])?.database, {
    kind: "server",
    address: { hostname: "h", port: 1 },
    account: { user: "app", password: "" },
  });
});

const refused: [string[], string][] = [
  [["--engine", "oracle"], "Cannot use --engine oracle: wanted seekdb, mariadb or mysql"],
  [["--listen", "2883"], "Cannot use --listen 2883: wanted HOST:PORT, it has no port"],
  [["--user", "app:secret"], "Cannot use --user without --server"],
  [["--server", "127.0.0.1:3306"], "Cannot use --server without --user NAME:PASSWORD"],
  [["--server", "h:1", "--user", ":secret"], "Cannot use --user: wanted NAME:PASSWORD or NAME"],
  [["--server", "h:1", "--user="], "Cannot use --user: wanted NAME:PASSWORD or NAME"],
  [["--server", "h:1", "--user", "a:b", "--engine", "mysql"], "Cannot use both"],
  [["--verbose"], "Cannot use --verbose: no such option, see --help"],
  [["seekdb"], "Cannot use seekdb: no such option, see --help"],
];

for (const [args, message] of refused) {
  Deno.test(`development options refuse ${args.join(" ")}`, () => {
    assertThrows(() => parseDevOptions(args), OptionError, message);
  });
}
