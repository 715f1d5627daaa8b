import { formatAddress } from "./address.ts";
import { itemLine, UniqueNames } from "./lookup.ts";
import { type ProblemList, quote } from "./problems.ts";
import type { TomlTable } from "./toml_document.ts";
import type { Address } from "./types.ts";

/** Adds addresses of `listen` that cannot be listened on beside each other. */
export function checkListen(
  addresses: readonly Address[],
  table: TomlTable,
  problems: ProblemList,
): void {
  const names = new UniqueNames("address", problems);
  addresses.forEach((address, index) => {
    // Any number of times "any free port".
    if (address.port === 0) return;
    const line = itemLine(table, "listen", index);
    const text = formatAddress(address);
    names.add(line, "proxy.listen", text.toLowerCase());
    const other = addresses.slice(0, index).find((earlier) => isWithin(earlier, address));
    if (other === undefined) return;
    const got = `${quote(text)} beside ${quote(formatAddress(other))}`;
    problems.add(
      line,
      "proxy.listen",
      `Expected each port once for all addresses of the machine, got ${got}`,
    );
  });
}

/** Whether one is all addresses of the machine, with the other among them. */
function isWithin(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.hostname === other.hostname) return false;
  return takesIn(one.hostname, other.hostname) || takesIn(other.hostname, one.hostname);
}

/** Of host names nobody knows here what they will be. `::` is for both families. */
function takesIn(all: string, host: string): boolean {
  const isIpv4 = /^[\d.]+$/.test(host);
  return all === "::" ? isIpv4 || host.includes(":") : all === "0.0.0.0" && isIpv4;
}
