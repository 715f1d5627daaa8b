import { versionOf } from "./load_tools.ts";
import type { ProxyKind } from "./proxy.ts";

/** HAProxy as a plain TCP relay on one thread: the least that a proxy process can cost. */
export async function haproxyKind(path: string): Promise<ProxyKind> {
  const connections = Math.min(9000, Math.floor((await descriptorLimit() - 200) / 2));
  return {
    name: "HAProxy",
    version: await versionOf([path, "-v"]),
    loginsWithoutServer: false,
    async command(listen, server, folder) {
      const file = `${folder}/haproxy-${listen.port}.cfg`;
      const lines = [
        "global",
        `  maxconn ${connections}`,
        "  nbthread 1",
        "defaults",
        "  mode tcp",
        "  timeout connect 10s",
        "  timeout client 1h",
        "  timeout server 1h",
        "listen mysql",
        `  bind ${listen.hostname}:${listen.port}`,
        `  server database ${server.hostname}:${server.port}`,
      ];
      await Deno.writeTextFile(file, `${lines.join("\n")}\n`);
      return [path, "-f", file, "-db"];
    },
  };
}

/** Most file descriptors that a process started here may have. */
async function descriptorLimit(): Promise<number> {
  const limits = await Deno.readTextFile("/proc/self/limits");
  const hard = limits.match(/^Max open files\s+\S+\s+(\S+)/m)?.[1];
  return hard === undefined || hard === "unlimited" ? Infinity : Number(hard);
}
