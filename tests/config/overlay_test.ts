import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type CommandLine, parseCommandLine } from "../../src/config/command_line.ts";
import { LiveConfig } from "../../src/config/live_config.ts";
import { CLUSTER, configOf, memorySystem, USER } from "./config_tools.ts";

const FILE = "/etc/sluice/sluice.toml";
const OVERLAY = `${FILE}.overlay.toml`;
const VALID = CLUSTER + USER;

function start(overlay: string | Error, ...flags: string[]): CommandLine {
  const files = {
    [FILE]: `${VALID}[proxy]\nproxy_id = 7\nmysql_version = "8.0.36"\n`,
    [OVERLAY]: overlay,
  };
  return parseCommandLine(["--config", FILE, ...flags], memorySystem(files));
}

/** The result, which must be of this kind. */
function ofKind<K extends CommandLine["kind"]>(kind: K, result: CommandLine) {
  assertEquals(result.kind, kind, messages(result).join("\n"));
  return result as CommandLine & { readonly kind: K };
}

function messages(result: CommandLine): string[] {
  return result.kind === "error" ? [...result.messages] : [];
}

Deno.test("What the overlay sets stands above the file, the rest stays", () => {
  const result = ofKind(
    "run",
    start(
      `# ours\n[proxy]\nproxy_id = 9\nlisten = ["[::1]:5"]\n[log]\nfile = "log"\nlevel = "debug"\n`,
    ),
  );
  const { proxy, log } = result.config;
  assertEquals([proxy.proxyId, proxy.serverVersion, proxy.loginTimeout], [9, "8.0.36", 10_000]);
  assertEquals(proxy.listen, [{ hostname: "::1", port: 5 }]);
  assertEquals(log, { level: "debug", format: "logfmt", file: "/etc/sluice/log" });
  assert(Object.isFrozen(proxy) && Object.isFrozen(log));
});

Deno.test("No overlay, an empty one and one of comments change nothing", () => {
  const none = ofKind("run", parseCommandLine(["--config", FILE], memorySystem({ [FILE]: VALID })));
  for (const text of ["", "# nothing\n", "[proxy]\n[log]\n"]) {
    const system = memorySystem({ [FILE]: VALID, [OVERLAY]: text });
    const result = ofKind("run", parseCommandLine(["--config", FILE], system));
    assertEquals(result.config, none.config);
  }
});

/** Each overlay with what the start says of it. */
const BROKEN: readonly (readonly [overlay: string | Error, ...says: string[]])[] = [
  ["[proxy\n", `${OVERLAY}:1: Cannot read TOML`],
  ["[proxy]\nproxy_id = 1", ""],
  ["[proxy]\nproxy_id = 1 2\n", `${OVERLAY}:2: Cannot read TOML: Expected the end of the line`],
  [
    "# old\n[proxy]\nretired_key = 1\n",
    `${OVERLAY}:3: proxy.retired_key: Unknown key, known keys of [proxy]: listen`,
  ],
  [
    "[proxy]\nproxy_id = 8192\n[log]\nlevel = 3\n",
    `${OVERLAY}:2: proxy.proxy_id: Expected a whole number between 0 and 8191, got 8192`,
    `${OVERLAY}:4: log.level: Expected "debug", "info", "warning" or "error", got 3`,
  ],
  [
    '[proxy]\ndefault_cluster = "mian"\n',
    `${OVERLAY}:2: proxy.default_cluster: Expected a configured cluster ("main"), got "mian"`,
  ],
  [
    '[proxy]\nrsa_private_key_file = "none.pem"\n',
    `${OVERLAY}:2: proxy.rsa_private_key_file: Expected a PEM file`,
  ],
  [USER, `${OVERLAY}:1: users: Expected nothing but [proxy] and [log] in an overlay`],
  ["proxy_id = 1\n", `${OVERLAY}:1: proxy_id: Expected nothing but [proxy] and [log]`],
  ["proxy = 1\n", `${OVERLAY}:1: proxy: Expected [proxy] on a line of its own, got a number`],
  [
    new Deno.errors.PermissionDenied(),
    `${OVERLAY}: Cannot read what ALTER PROXYCONFIG has set: permission denied`,
  ],
];

for (const [overlay, ...says] of BROKEN) {
  Deno.test(`A start with the overlay ${JSON.stringify(String(overlay))} says what is wrong`, () => {
    for (const flags of [[], ["--check"], ["--print-config"]]) {
      const told = messages(start(overlay, ...flags));
      assertEquals(told.length, says[0] === "" ? 0 : says.length, told.join("\n"));
      says.forEach((text, index) => assertStringIncludes(told[index] ?? "", text));
    }
  });
}

Deno.test("A broken file and a broken overlay are told together", () => {
  const files = { [FILE]: `${VALID}[log]\nlevel = 1\n`, [OVERLAY]: "[log]\nlevl = 2\n" };
  const told = messages(parseCommandLine(["--config", FILE], memorySystem(files)));
  assertEquals(told.map((line) => line.replace(/: (?:Expected|Unknown).*/, "")), [
    `${FILE}:8: log.level`,
    `${OVERLAY}:2: log.levl`,
  ]);
});

Deno.test("--check shows what the overlay has in place of the file's values", () => {
  const result = ofKind(
    "check",
    start(
      `[proxy]\nproxy_id = 9\nmysql_version = ""\nlisten = ["h:1", "h:2"]\n` +
        `obproxy_sys_password = "hunter2"\n[log]\nlevel = "debug"\n`,
      "--check",
    ),
  );
  assertEquals(
    result.text,
    `${FILE}: configuration is valid: 1 cluster, 1 server, 1 user
${OVERLAY}: set by ALTER PROXYCONFIG, in place of the file's value:
  listen: 127.0.0.1:2883 -> h:1;h:2
  proxy_id: 7 -> 9
  mysql_version: 8.0.36 -> ""
  obproxy_sys_password: "" -> ***
  log_level: info -> debug
`,
  );
});

Deno.test("--print-config prints what is in effect, and which of it is the overlay's", () => {
  const overlay = `[proxy]\nproxy_id = 9\ninspector_password_hash = "*${"ab".repeat(20)}"\n`;
  const result = ofKind("print", start(overlay, "--print-config"));
  assertStringIncludes(result.text, `# "overlay": the value is that of ${OVERLAY}.\n`);
  assertStringIncludes(result.text, "\nproxy_id = 9  # overlay\n");
  assertStringIncludes(result.text, `_hash = "*${"0".repeat(40)}"  # hidden, overlay\n`);
  assertStringIncludes(result.text, '\nmysql_version = "8.0.36"\n');
  assertEquals(configOf(result.text).proxy.proxyId, 9);
});

Deno.test("A configuration that was found by search has its overlay", () => {
  const found = memorySystem({
    "./sluice.toml": VALID,
    "./sluice.toml.overlay.toml": '[log]\nformat = "json"',
  });
  const result = ofKind("run", parseCommandLine([], found));
  assertEquals(result.config.log.format, "json");
  assertEquals(new LiveConfig(result.layers).current.log.format, "json");
});
