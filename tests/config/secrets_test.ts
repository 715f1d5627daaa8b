import { assert, assertEquals } from "@std/assert";
import { parseCommandLine } from "../../src/config/command_line.ts";
import { parseConfig } from "../../src/config/load.ts";
import { CLUSTER, memorySystem, problemLines } from "./config_tools.ts";

const SECRET = "hunter2-pass";
const HEX = "89abcdef0123456789abcdef0123456789abcdef";

/** Slips that put a password where it does not belong. */
const SLIPS: readonly string[] = [
  `password = ${SECRET}`,
  `password = "${SECRET}`,
  `password = ${SECRET}"`,
  `password = '${SECRET}"`,
  `password = """${SECRET}`,
  `password = '''${SECRET}`,
  `password = "${SECRET}" "${SECRET}"`,
  `password = "${SECRET}\\x"`,
  `password = "\\u12${SECRET}"`,
  `password "${SECRET}"`,
  `password: "${SECRET}"`,
  `"${SECRET}"`,
  SECRET,
  `= "${SECRET}"`,
  `password = ["${SECRET}"]`,
  `password = { value = "${SECRET}" }`,
  `password = { "${SECRET}" = 1 }`,
  `password.clear = "${SECRET}"`,
  `passwrod = "${SECRET}"`,
  `secret = "${SECRET}"`,
  `password = "${SECRET}"\npassword = "${SECRET}"`,
  `password = "${SECRET}"\npassword_env = "${SECRET}"`,
  `password = "${SECRET}"\nserver_password = "${SECRET}"`,
  `password = "${SECRET}"\nserver_user = ""\nserver_password = "${SECRET}"`,
  `password_file = "${SECRET}"`,
  `password_file = "a/${SECRET}"`,
  `password_file = ["${SECRET}"]`,
  `password_env = "${SECRET}"`,
  `password_env = "hunter2_pass"`,
  `password_hash = "${SECRET}"`,
  `password_hash = "*${HEX}0"`,
  `password_hash = "${HEX}"`,
  `password = ""\nserver_user = "a"\nserver_password = 5\nserver_password_env = "${SECRET}"`,
  `password = ""\n[[clusters]]\nname = "b"\nservers = ["root:${SECRET}@h:1"]`,
  `password = ""\n[[clusters]]\nname = "b"\nservers = ["${SECRET}@h:1"]`,
  `password = ""\n[[clusters]]\nname = "b"\nservers = ["root:${SECRET}@h"]`,
  `password = ""\n[[clusters]]\nname = "root:${SECRET}@h"\nservers = ["h:1"]`,
  `password = ""\n[proxy]\nobproxy_sys_password = ${SECRET}`,
  `password = ""\n[proxy]\nobproxy_sys_pasword = "${SECRET}"`,
  `password = ""\n[proxy]\nobproxy_sys_password = "${SECRET}"\nobproxy_sys_password_file = "x"`,
  `password = ""\n[proxy]\nobproxy_sys_password_file = "${SECRET}"`,
  `password = ""\n[proxy]\nobproxy_sys_password_hash = "${SECRET}"`,
  `password = ""\n[proxy]\ninspector_password_env = "${SECRET}"`,
  `password = ""\n[proxy]\ninspector_password = ["${SECRET}"]`,
];

Deno.test("parseConfig() shows no password in any problem", () => {
  for (const slip of SLIPS) {
    const text = `${CLUSTER}[[users]]\nname = "app"\n${slip}\n`;
    const lines = problemLines(parseConfig(text, { ...memorySystem(), file: "c.toml" }));
    assert(lines.length > 0, `no problem with ${slip}`);
    const shown = lines.join("\n").replaceAll("hunter2_pass", SECRET);
    assert(!shown.includes(SECRET) && !shown.includes(HEX), `${slip}\n${shown}`);
  }
});

Deno.test("parseConfig() shows no password of a file or variable that is beside the problem", () => {
  const system = memorySystem({ "/pw": SECRET }, { PW: SECRET });
  const text = `${CLUSTER}[[users]]\nname = 1\npassword_file = "/pw"\nserver_user = 1\n` +
    `server_password_env = "PW"\n[[users]]\nname = "a"\npassword_env = "PW"\nfoo = 1\n`;
  const lines = problemLines(parseConfig(text, { ...system, file: "c.toml" }));
  assertEquals(lines.length, 4, lines.join("\n"));
  assert(!lines.join("\n").includes(SECRET));
});

const COMMAND_LINES: readonly (readonly string[])[] = [
  [`-p${SECRET}`],
  ["-p", SECRET],
  [SECRET],
  ["--", SECRET],
  [`--${SECRET}`],
  [`--password=${SECRET}`],
  ["--password", SECRET],
  [`--user:${SECRET}`],
  [`--check=${SECRET}`],
  [`--user.${SECRET}=1`],
  ["--config", "x", "--user", `app:${SECRET}`],
  ["--user", `app:${SECRET}`],
  ["--user", `:${SECRET}`, "--server", "h:1"],
  ["--user", `app:${SECRET}`, "--user", `app:${SECRET}`, "--server", "h:1"],
  ["--user", `app:${SECRET}`, SECRET, "--server", "h:1"],
  ["--user", "app", "--server", `app:${SECRET}@h:1`],
  ["--user", "app", "--server", `${SECRET}@h:1`],
  ["--user", "app", "--server", "h:1", "--listen", `app:${SECRET}@h:1`],
  ["--user", `app:${SECRET}`, "--server", "h:1", "--check"],
  ["--user", `app:${SECRET}`, "--server", "h:1", "--print-config"],
  ["--user", `app:${SECRET}`, "--server", "h:1", "--check", "--print-config"],
  ["--user", `app:${SECRET}`, "--server", "h:1", "--help"],
];

Deno.test("parseCommandLine() shows no password in any text", () => {
  for (const args of COMMAND_LINES) {
    const result = parseCommandLine(args, memorySystem());
    assert(result.kind !== "run", args.join(" "));
    const shown = "messages" in result
      ? result.messages.join("\n")
      : "text" in result
      ? result.text
      : "";
    assert(shown.length > 0, args.join(" "));
    assert(!shown.includes(SECRET), `${args.join(" ")}\n${shown}`);
  }
});
