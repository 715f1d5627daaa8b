import { type BenchRun, DIRECT, type Target } from "./bench_run.ts";
import { Proxy, type ProxyKind } from "./proxy.ts";

/** The server itself. */
export function directTarget(run: BenchRun): Target {
  return { name: DIRECT, address: run.server, proxy: undefined };
}

/** Starts a proxy that runs until the stack is disposed of. */
export async function startTarget(
  run: BenchRun,
  kind: ProxyKind,
  stack: AsyncDisposableStack,
): Promise<Target> {
  const proxy = stack.use(await Proxy.start(kind, run.server, run.folder));
  return { name: kind.name, address: proxy.address, proxy };
}
