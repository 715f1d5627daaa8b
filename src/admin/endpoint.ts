/** Host and port of `host:port` or `[IPv6]:port`; NULL for both where there is nothing. */
export function splitEndpoint(text: string): readonly [host: string | null, port: number | null] {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return [null, null];
  return [text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), Number(text.slice(colon + 1))];
}
