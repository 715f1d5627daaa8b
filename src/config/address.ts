import type { Address } from "./types.ts";

export type ParsedAddress =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly note: string };

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const PORT = /^\d{1,5}$/;

/** Reads `host:port`, `127.0.0.1:port` or `[IPv6]:port`; the port lies in minPort..65535. */
export function parseAddress(text: string, minPort: number): ParsedAddress {
  const colon = text.lastIndexOf(":");
  const host = colon < 0 ? text : text.slice(0, colon);
  if (colon < 0 || host.endsWith(":") || (host.startsWith("[") && !host.endsWith("]"))) {
    return wrong(isIpv6(text) ? IN_BRACKETS : "it has no port");
  }
  const port = text.slice(colon + 1);
  if (!PORT.test(port) || Number(port) < minPort || Number(port) > 65535) {
    return wrong("its port is not in that range");
  }
  const hostname = readHost(host);
  if (typeof hostname !== "string") return hostname;
  return { ok: true, address: { hostname, port: Number(port) } };
}

/** The text that {@linkcode parseAddress} reads. */
export function formatAddress(address: Address): string {
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

const IN_BRACKETS = "an IPv6 address needs brackets";

function readHost(host: string): string | ParsedAddress {
  if (host.startsWith("[")) {
    const inner = host.slice(1, -1);
    return isIpv6(inner) ? canonicalIpv6(inner) : wrong("its IPv6 address is not valid");
  }
  if (host.includes(":")) return wrong(isIpv6(host) ? IN_BRACKETS : "its host is not valid");
  if (host === "") return wrong("it has no host");
  if (/^[\d.]+$/.test(host)) {
    return isIpv4(host) ? host : wrong("its IPv4 address is not valid");
  }
  const labels = host.replace(/\.$/, "").split(".");
  const valid = host.length <= 253 && labels.every((label) => LABEL.test(label));
  return valid ? host : wrong("its host is not valid");
}

function wrong(note: string): ParsedAddress & { readonly ok: false } {
  return { ok: false, note };
}

function isIpv4(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isIpv6(host: string): boolean {
  return host.includes(":") && /^[0-9a-f:.]+$/i.test(host) && URL.canParse(`http://[${host}]/`);
}

function canonicalIpv6(host: string): string {
  return new URL(`http://[${host}]/`).hostname.slice(1, -1);
}
