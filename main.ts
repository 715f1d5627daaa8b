/** The executable: command line, configuration, signals, exit code. */
import { parseCommandLine } from "./src/config/command_line.ts";
import { LiveConfig } from "./src/config/live_config.ts";
import { type ConfigLayers, originOf } from "./src/config/load.ts";
import { reasonOf } from "./src/config/system.ts";
import { messageOf } from "./src/errors.ts";
import { configureLog, logError, logInfo, setLogLevel } from "./src/log.ts";
import { Proxy } from "./src/proxy.ts";

/** Exit codes beside 0: what was asked for cannot be done, or was not asked for rightly (2). */
const FAILED = 1;

const encoder = new TextEncoder();

/** Signals that stop the proxy: the first lets clients finish, the second ends them, the third all. */
const STOP_SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

function exitWith(code: number, message: string): never {
  Deno.stderr.writeSync(encoder.encode(`sluice: ${message}\n`));
  Deno.exit(code);
}

/** The last net: whatever reaches it is a defect that must not cost every session its life. */
function surviveDefects(): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    logDefect(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    logDefect(event.error);
  });
}

function logDefect(error: unknown): void {
  const stack = error instanceof Error ? error.stack : undefined;
  logError("internal error", { error: messageOf(error), cause: stack });
}

function stopOnSignals(proxy: Proxy): void {
  let count = 0;
  for (const [signal, number] of Object.entries(STOP_SIGNALS)) {
    Deno.addSignalListener(signal as keyof typeof STOP_SIGNALS, () => {
      logInfo("signal received", { signal });
      count++;
      if (count === 2) return proxy.hurry();
      if (count > 2) Deno.exit(128 + number);
      proxy.stop().then(() => Deno.exit(0), (error) => exitWith(FAILED, messageOf(error)));
    });
  }
}

function reloadOnSignal(config: LiveConfig): void {
  Deno.addSignalListener("SIGHUP", () => {
    logInfo("signal received", { signal: "SIGHUP" });
    config.reload().catch(logDefect);
  });
}

async function serve(layers: ConfigLayers): Promise<void> {
  surviveDefects();
  const config = new LiveConfig(layers);
  const { log } = config.current;
  try {
    await configureLog(log);
  } catch (error) {
    const origin = originOf(layers, { section: "log", key: "file" });
    exitWith(
      FAILED,
      `Cannot open the log file ${log.file} (log.file of ${origin}): ${reasonOf(error)}`,
    );
  }
  config.onChange((next, previous) => {
    if (next.log.level !== previous.log.level) setLogLevel(next.log.level);
  });
  // Before anything can be asked of it: by itself the signal would end the process.
  reloadOnSignal(config);
  try {
    stopOnSignals(await Proxy.start(config));
  } catch (error) {
    exitWith(FAILED, messageOf(error));
  }
}

const asked = parseCommandLine(Deno.args);
switch (asked.kind) {
  case "run":
    await serve(asked.layers);
    break;
  case "error":
    for (const message of asked.messages) Deno.stderr.writeSync(encoder.encode(`${message}\n`));
    Deno.exit(asked.exitCode);
    break;
  default:
    Deno.stdout.writeSync(encoder.encode(asked.text));
}
