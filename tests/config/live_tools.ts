/** Live configurations on a disk in memory. */
import { LiveConfig } from "../../src/config/live_config.ts";
import { addOverlay, loadConfigFile } from "../../src/config/load.ts";
import { CLUSTER, problemLines, USER } from "./config_tools.ts";
import { MemoryDisk } from "./memory_disk.ts";

export const FILE = "/etc/sluice/sluice.toml";
export const OVERLAY = `${FILE}.overlay.toml`;
export const VALID = CLUSTER + USER;

/** A proxy that starts with the files of the disk. */
export function startOn(disk: MemoryDisk): LiveConfig {
  const layers = addOverlay(loadConfigFile(FILE, disk.system), FILE, disk.system);
  if ("problems" in layers) throw new Error(problemLines(layers).join("\n"));
  return new LiveConfig(layers, { system: disk.system, store: disk });
}

export function startWith(text = VALID): { readonly disk: MemoryDisk; readonly live: LiveConfig } {
  const disk = new MemoryDisk({ [FILE]: text });
  return { disk, live: startOn(disk) };
}

/** Everything that tells which state a configuration is in. */
export function stateOf(live: LiveConfig, disk?: MemoryDisk): string {
  return JSON.stringify([live.current, live.rows(), [...disk?.files ?? []]]);
}

export function row(live: LiveConfig, name: string) {
  return live.rows().find((one) => one.name === name)!;
}
