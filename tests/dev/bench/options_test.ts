import { assertEquals, assertThrows } from "@std/assert";
import { OptionError, parseOptions, PARTS } from "../../../src/dev/bench/options.ts";

Deno.test("without options every part runs", () => {
  const options = parseOptions([])!;
  assertEquals([...options.parts], [...PARTS]);
  assertEquals([options.rounds, options.seconds, options.json], [9, 2, false]);
});

Deno.test("options are read", () => {
  const args = ["--quick", "--only", "idle,start", "--only", "churn", "--rounds", "4", "--json"];
  const options = parseOptions([...args, "--sluice-command", "deno run -A  main.ts"])!;
  assertEquals([...options.parts], ["idle", "start", "churn"]);
  assertEquals([options.rounds, options.seconds, options.json], [4, 1, true]);
  assertEquals(options.sluiceCommand, ["deno", "run", "-A", "main.ts"]);
  const variants = ["--variant", "old=/tmp/sluice", "--variant", "a b=deno run --x=1 main.ts"];
  assertEquals(parseOptions(variants)!.variants, [
    { name: "old", command: ["/tmp/sluice"] },
    { name: "a b", command: ["deno", "run", "--x=1", "main.ts"] },
  ]);
  assertEquals(parseOptions(["--help"]), undefined);
});

Deno.test("a group stands for its parts, ahead of options and beside --only", () => {
  const sharing = PARTS.filter((part) => part.startsWith("sharing-"));
  assertEquals(sharing.length, 5);
  assertEquals([...parseOptions(["sharing", "--quick"])!.parts], sharing);
  assertEquals([...parseOptions(["sharing", "--only", "idle"])!.parts], [...sharing, "idle"]);
});

Deno.test("what cannot be used is refused by name", () => {
  const wrong = [
    [["--only", "speed"], "Cannot use --only speed: expected one of start"],
    [["--rounds", "0"], "Cannot use --rounds 0: a whole number"],
    [["--seconds", "1.5"], "Cannot use --seconds 1.5: a whole number"],
    [["--sluice"], "Cannot use --sluice: a value is needed"],
    [["--variant", "/tmp/sluice"], "Cannot use --variant /tmp/sluice: expected NAME=COMMAND"],
    [["--fast"], "Cannot use --fast: no such option"],
    [["queries"], "Cannot use queries: no such option"],
  ] as const;
  for (const [args, message] of wrong) {
    assertThrows(() => parseOptions([...args]), OptionError, message);
  }
});
