import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type CommandLine, parseCommandLine } from "../../src/config/command_line.ts";
import { exampleConfig } from "../../src/config/example.ts";
import { FLAGS } from "../../src/config/flags.ts";
import type { Config } from "../../src/config/types.ts";
import { VERSION } from "../../src/version.ts";
import { CLUSTER, memorySystem, USER } from "./config_tools.ts";

const VALID = CLUSTER + USER;
const HOME = { HOME: "/home/me" };

/** What a command line comes to, in one text. */
function outcome(result: CommandLine): string {
  if (result.kind === "error") return `error ${result.exitCode}\n${result.messages.join("\n")}`;
  const source = "source" in result ? ` ${result.source}` : "";
  return `${result.kind}${source}\n${"text" in result ? result.text : ""}`;
}

interface Row {
  readonly args: readonly string[];
  readonly files?: Readonly<Record<string, string | Error>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The first line of the outcome, then parts of the rest. */
  readonly says: readonly [first: string, ...parts: string[]];
}

const DENIED = new Deno.errors.PermissionDenied();
const XDG = { ...HOME, XDG_CONFIG_HOME: "/xdg" };
const USER_FILE = "/home/me/.config/sluice/sluice.toml";

const ROWS: readonly Row[] = [
  { args: ["--help"], says: ["help", "Usage:", "--config FILE", "sluice --print-config > slu"] },
  { args: ["-h", "--bogus"], says: ["help", "Usage:"] },
  { args: ["--version"], says: ["version", `sluice ${VERSION}\n`] },
  // Where the configuration comes from.
  { args: ["--config", "a.toml"], files: { "a.toml": VALID }, says: ["run a.toml"] },
  { args: ["--config=a.toml"], files: { "a.toml": VALID }, says: ["run a.toml"] },
  {
    args: [],
    files: { "/s": VALID, "./sluice.toml": "?" },
    env: { SLUICE_CONFIG: "/s" },
    says: ["run /s"],
  },
  {
    args: [],
    files: { "./sluice.toml": VALID, [USER_FILE]: "?" },
    env: HOME,
    says: ["run ./sluice.toml"],
  },
  {
    args: [],
    files: { [USER_FILE]: VALID, "/etc/sluice/sluice.toml": "?" },
    env: HOME,
    says: [`run ${USER_FILE}`],
  },
  {
    args: [],
    files: { [USER_FILE]: "?", "/xdg/sluice/sluice.toml": VALID },
    env: XDG,
    says: ["run /xdg/sluice/sluice.toml"],
  },
  {
    args: [],
    files: { [USER_FILE]: VALID },
    env: { ...HOME, XDG_CONFIG_HOME: "relative" },
    says: [`run ${USER_FILE}`],
  },
  {
    args: [],
    files: { "/etc/sluice/sluice.toml": VALID },
    env: HOME,
    says: ["run /etc/sluice/sluice.toml"],
  },
  {
    args: [],
    env: HOME,
    says: [
      "error 2",
      `No configuration found. Looked for:\n  $SLUICE_CONFIG (not set)\n  ./sluice.toml\n` +
      `  ${USER_FILE}\n  /etc/sluice/sluice.toml\n`,
      "sluice --listen 127.0.0.1:2883 --server 127.0.0.1:3306 --user app:secret",
      "sluice --print-config > sluice.toml",
    ],
  },
  { args: ["--check"], env: HOME, says: ["error 2", "No configuration found"] },
  {
    args: [],
    files: { "./sluice.toml": VALID },
    env: { SLUICE_CONFIG: "/none" },
    says: ["error 2", "/none: Cannot read the configuration file: no such file", "$SLUICE_CONFIG"],
  },
  {
    args: [],
    files: { "./sluice.toml": DENIED, "/etc/sluice/sluice.toml": VALID },
    says: ["error 2", "./sluice.toml: Cannot read the configuration file: permission denied"],
  },
  {
    args: ["--config", "none"],
    files: { "./sluice.toml": VALID },
    says: ["error 2", "none: Cannot read the configuration file: no such file"],
  },
  // --check and --print-config
  {
    args: ["--check", "--config", "a"],
    files: { a: VALID },
    says: ["check a", "a: configuration is valid: 1 cluster, 1 server, 1 user\n"],
  },
  {
    args: ["--check"],
    files: { "./sluice.toml": VALID.replace('"]', '", "h:1"]') },
    says: ["check ./sluice.toml", "configuration is valid: 1 cluster, 2 servers, 1 user\n"],
  },
  {
    args: ["--check", "--config", "a"],
    files: { a: `${CLUSTER}[users]\n[log]\nfoo = 1\n` },
    says: ["error 2", "a:4: users: Expected [[users]]", "\na:6: log.foo: Unknown key"],
  },
  {
    args: ["--print-config", "--config", "a"],
    files: { a: VALID },
    says: ["print a", "[proxy]\n", 'password = "********"'],
  },
  { args: ["--print-config"], env: HOME, says: ["print the example", exampleConfig()] },
  {
    args: ["--print-config"],
    // The shell makes the file of `> sluice.toml` before the program starts.
    files: { "./sluice.toml": "" },
    says: ["print the example", exampleConfig()],
  },
  {
    args: ["--print-config"],
    files: { "./sluice.toml": "", "/etc/sluice/sluice.toml": VALID },
    says: ["print /etc/sluice/sluice.toml"],
  },
  {
    args: [],
    files: { "./sluice.toml": "" },
    says: ["error 2", "./sluice.toml: clusters: Expected at least one [[clusters]]"],
  },
  {
    args: ["--check", "--print-config", "--config", "a"],
    files: { a: VALID },
    says: ["error 2", "Expected either --check or --print-config, got both"],
  },
  // The start without a file.
  { args: ["--server", "h:1", "--user", "a:b"], says: ["run the command line"] },
  {
    args: ["--server", "h:1", "--user", "a"],
    files: { "./sluice.toml": "?" },
    env: { SLUICE_CONFIG: "/none" },
    says: ["run the command line"],
  },
  {
    args: ["--server=h:1", "--user=a:b", "--check"],
    says: [
      "check the command line",
      "the command line: configuration is valid: 1 cluster, 1 server, 1 user\n",
    ],
  },
  {
    args: ["--server", "h:1", "--user", "a:b", "--config", "a"],
    files: { a: VALID },
    says: [
      "error 2",
      "Expected either --config FILE or the flags of a start without a file (--listen HOST:PORT, " +
      "--server HOST:PORT, --user NAME:PASSWORD), got --config and --server and --user",
    ],
  },
  {
    args: ["--user", "a"],
    says: ["error 2", "Expected at least one --server HOST:PORT, got none"],
  },
  {
    args: ["--listen", "h:1"],
    says: ["error 2", "at least one --server HOST:PORT", "at least one --user NAME:PASSWORD"],
  },
  {
    args: ["--server", "h", "--user", "a", "--listen", "h:x"],
    says: [
      "error 2",
      '--server: Expected "host:port" with a port between 1 and 65535, got "h": it has no port',
      '--listen: Expected "host:port" with a port between 0 and 65535, got "h:x"',
    ],
  },
  {
    args: ["--server", "h:1", "--server", "H:1", "--user", "a:1", "--user", "a:2"],
    says: [
      "error 2",
      '--server: Expected each server address once, got "h:1" again\n',
      '--user: Expected each account (name, tenant and cluster) once, got "a" again',
    ],
  },
  {
    args: ["--server", "h:1", "--user", ":b"],
    says: ["error 2", '--user: Expected a name without "@" and "#", got ""'],
  },
  // Flags themselves.
  { args: ["--config"], says: ["error 2", "Expected a value after --config: --config FILE"] },
  { args: ["--config", "--check"], says: ["error 2", "Expected a value after --config"] },
  { args: ["--server=", "--user", "a"], says: ["error 2", "--server HOST:PORT"] },
  {
    args: ["--config", "a", "--config", "b"],
    says: ["error 2", "Expected --config FILE once, got it 2 times"],
  },
  {
    args: ["--chekc"],
    says: ["error 2", "Unknown flag --chekc (did you mean --check?); allowed: --config FILE, "],
  },
  {
    args: ["--verbose", "-x", "sluice.toml"],
    says: ["error 2", "Unknown flag --verbose; allowed", "Unknown flag -x; allowed: --config FILE"],
  },
  { args: ["-config", "a"], says: ["error 2", "Unknown flag -c (did you mean --config?)"] },
  {
    args: ["sluice.toml"],
    says: ["error 2", 'Unexpected argument "sluice.toml" without a flag, such as --con'],
  },
  { args: ["--check", "start"], says: ["error 2", 'Unexpected argument "start" without a flag'] },
  { args: ["--help=foo"], says: ["error 2", "Expected --help without a value"] },
  { args: ["--help=foo", "--help"], says: ["error 2", "Expected --help without a value"] },
  { args: ["--version=1"], says: ["error 2", "Expected --version without a value"] },
  {
    args: ["--server", "h:1", "--user", ""],
    says: ["error 2", "Expected a value after --user: --user NAME:PASSWORD"],
  },
  {
    args: ["--server", "h:1", "--user", "app", "letmein"],
    says: ["error 2", "Unexpected argument without a flag"],
  },
  { args: ["--", "--check"], says: ["error 2", "Unexpected argument without a flag"] },
  { args: ["--no-check"], says: ["error 2", "Unknown flag --no-check"] },
  { args: ["--check=false"], says: ["error 2", "Expected --check without a value"] },
  { args: [""], says: ["error 2", "Unexpected argument"] },
];

for (const { args, files, env, says } of ROWS) {
  const given = [...Object.keys(files ?? {}), ...Object.keys(env ?? {})].join(", ");
  Deno.test(`sluice ${args.join(" ")}${given && ` with ${given}`}: ${says[0]}`, () => {
    const result = parseCommandLine(args, memorySystem(files, env));
    const text = outcome(result);
    assertEquals(text.split("\n")[0], says[0], text);
    for (const part of says.slice(1)) assertStringIncludes(text, part);
    if ("text" in result) assert(result.text.endsWith("\n"));
    if ("messages" in result) assert(!result.messages.some((line) => line.endsWith("\n")));
  });
}

function quickConfig(args: readonly string[]): Config {
  const result = parseCommandLine(args, memorySystem());
  if (!("config" in result)) throw new Error(outcome(result));
  return result.config;
}

Deno.test("The flags make one cluster of all servers", () => {
  const config = quickConfig(
    ["--listen", "127.0.0.1:1", "--server", "h:1", "--listen", "[::1]:0", "--server", "[::1]:2"]
      .concat(["--user", "a:b:c:", "--user", "b", "--user", "c:"]),
  );
  assertEquals(config.proxy.listen, [
    { hostname: "127.0.0.1", port: 1 },
    { hostname: "::1", port: 0 },
  ]);
  assertEquals(config.proxy.defaultCluster, "main");
  assertEquals(config.clusters.length, 1);
  assertEquals(config.clusters[0]?.kind, "mysql");
  assertEquals(config.clusters[0]?.servers.map(({ name }) => name), ["h:1", "[::1]:2"]);
  assertEquals(config.users.map(({ name, secret }) => [name, secret]), [
    ["a", { kind: "clear", password: "b:c:" }],
    ["b", { kind: "clear", password: "" }],
    ["c", { kind: "clear", password: "" }],
  ]);
  assert(Object.isFrozen(config) && Object.isFrozen(config.users[0]?.secret));
});

Deno.test("The flags listen on 127.0.0.1:2883 unless told otherwise", () => {
  const { proxy } = quickConfig(["--server", "h:1", "--user", "a"]);
  assertEquals(proxy.listen, [{ hostname: "127.0.0.1", port: 2883 }]);
});

Deno.test("An account with a tenant makes the cluster an OceanBase one", () => {
  const { clusters, users } = quickConfig(["--server", "h:1", "--user", "root@sys:p@w#:x"]);
  assertEquals(clusters[0]?.kind, "oceanbase");
  assertEquals(users, [{
    name: "root",
    cluster: "",
    tenant: "sys",
    secret: { kind: "clear", password: "p@w#:x" },
  }]);
});

Deno.test("The help names every flag", () => {
  const text = outcome(parseCommandLine(["--help"], memorySystem()));
  for (const { flag, help } of FLAGS) {
    assertStringIncludes(text, `  --${flag} `);
    assertStringIncludes(text, help);
  }
  assert(text.split("\n").every((line) => line.length <= 100), "a line of the help is too long");
});

Deno.test("parseCommandLine() answers any arguments", () => {
  const words = ["--config", "--check", "--help", "--server", "h:1", "--user", "a:b", "--", "-"]
    .concat(["", "--=", "-=", "--config=", "--__proto__", "--x.y=1", "-abc", "=", "--no-help"]);
  let seed = 7;
  const next = (limit: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 16) % limit;
  };
  for (let round = 0; round < 2_000; round++) {
    const args = Array.from({ length: next(6) }, () => words[next(words.length)] ?? "");
    const result = parseCommandLine(args, memorySystem());
    if (result.kind === "error") assert(result.messages.length > 0, args.join(" "));
  }
});
