import { aptInstall } from "../engines/apt.ts";
import { run, which } from "../engines/command.ts";
import { EngineUnavailable } from "../engines/types.ts";
import { say } from "./say.ts";

/** Programs of the comparison that come from the system's packages, named like these. */
export type LoadTool = "sysbench" | "haproxy";

/** Path of the program, installed first where that is allowed; undefined where it stays missing. */
export async function findLoadTool(tool: LoadTool): Promise<string | undefined> {
  const found = await which(tool);
  if (found !== undefined) return found;
  try {
    await aptInstall([tool], say);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    say(`Leaving out what needs ${tool}. ${error.message}`);
  }
  return await which(tool);
}

/** The version number in what a program prints about itself. */
export async function versionOf(argv: readonly string[]): Promise<string> {
  return (await run(argv)).match(/\d+(\.\d+)+\S*/)?.[0] ?? "unknown";
}
