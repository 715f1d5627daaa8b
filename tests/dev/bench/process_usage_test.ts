import { assert, assertEquals } from "@std/assert";
import { cpuBetween, readCpu, readMemory } from "../../../src/dev/bench/process_usage.ts";

const LINUX = Deno.build.os === "linux";

Deno.test("CPU time is the growth of the threads alive at the end", () => {
  const before = { threads: new Map([["1", 5_000], ["2", 1_000]]), userTicks: 0, systemTicks: 0 };
  const threads = new Map([["1", 9_000], ["2", 2_000], ["3", 500]]);
  assertEquals(cpuBetween(before, { threads, userTicks: 1, systemTicks: 2 }), {
    micros: 5.5,
    userTicks: 1,
    systemTicks: 2,
  });
});

Deno.test("CPU time of a thread that ended is taken from the process", () => {
  const before = { threads: new Map([["1", 0], ["2", 0]]), userTicks: 10, systemTicks: 10 };
  const after = { threads: new Map([["1", 1_000]]), userTicks: 13, systemTicks: 11 };
  assertEquals(cpuBetween(before, after).micros, 40_000);
});

Deno.test({
  name: "usage of a live process is read from the kernel",
  ignore: !LINUX,
  async fn() {
    const before = await readCpu(Deno.pid);
    for (let sum = 0, i = 0; i < 1e7; i++) sum += i;
    const use = cpuBetween(before, await readCpu(Deno.pid));
    assert(use.micros > 0);
    const { resident, anonymous } = await readMemory(Deno.pid);
    assert(resident > anonymous && anonymous > 1024);
  },
});
