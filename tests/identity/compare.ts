/** Finds what differs between the same session on two connections, and says it readably. */
import type { Frame } from "./masks.ts";
import type { Performance } from "./perform.ts";
import type { Where } from "./step.ts";
import type { StepRecord } from "./transcript.ts";

/** Bytes of a packet that a message shows around the first difference. */
const SHOWN = 48;

/** @returns one line or more per difference; nothing where there is none */
export function compare(direct: Performance, proxied: Performance, where: Where): string[] {
  const problems = [...scriptProblems(direct, where)];
  if (direct.failure !== proxied.failure) {
    problems.push(`session: directly ${ended(direct)}, through the proxy ${ended(proxied)}`);
  }
  const count = Math.max(direct.records.length, proxied.records.length);
  for (let index = 0; index < count; index++) {
    const one = direct.records[index];
    const other = proxied.records[index];
    const title = (one ?? other)!.step.title;
    const problem = one === undefined || other === undefined
      ? `got ${one === undefined ? "only through the proxy" : "only directly"}`
      : differenceOf(one, other);
    if (problem !== undefined) problems.push(`step ${index + 1}, ${title}: ${problem}`);
    if (one === undefined || other === undefined) break;
  }
  return problems;
}

function ended({ failure }: Performance): string {
  return failure ?? "it ended well";
}

/** What the script expects and the server itself does not do. */
function* scriptProblems({ records, failure }: Performance, where: Where): Generator<string> {
  if (failure !== undefined) yield `directly: ${failure}`;
  for (const [index, { step, isError, failure, frames }] of records.entries()) {
    const title = `step ${index + 1}, ${step.title}: directly`;
    if (failure !== undefined) yield `${title} ${failure}`;
    else if (isError !== step.fails(where)) {
      const last = frames.at(-1) ?? new Uint8Array(0);
      yield `${title} expected ${isError ? "success" : "ERR"}, got ${show(last, 0)}`;
    }
  }
}

function differenceOf(one: StepRecord, other: StepRecord): string | undefined {
  if (other.failure !== undefined && one.failure === undefined) {
    return `through the proxy ${other.failure}, after ${other.count} of ${one.count} packets`;
  }
  for (const [index, frame] of one.frames.entries()) {
    const twin = other.frames[index];
    if (twin === undefined) break;
    const at = firstDifference(frame, twin);
    if (at < 0) continue;
    return [
      `packet ${index + 1} of ${one.count} differs at byte ${at}`,
      `  directly:          ${show(frame, at)}`,
      `  through the proxy: ${show(twin, at)}`,
    ].join("\n");
  }
  if (one.count !== other.count) {
    const more = (one.count > other.count ? one : other).frames[Math.min(one.count, other.count)];
    return `${one.count} packets directly, ${other.count} through the proxy` +
      (more === undefined ? "" : `; the next is ${show(more, 0)}`);
  }
  return one.digest === other.digest ? undefined : "packets differ behind the first megabyte";
}

function firstDifference(one: Frame, other: Frame): number {
  const count = Math.max(one.length, other.length);
  for (let at = 0; at < count; at++) if (one[at] !== other[at]) return at;
  return -1;
}

/** Hex and text of a packet from shortly before a place. */
function show(frame: Frame, at: number): string {
  const from = Math.max(0, at - 8);
  const part = frame.subarray(from, from + SHOWN);
  const text = new TextDecoder("latin1").decode(part).replaceAll(/[^\x20-\x7e]/g, ".");
  const rest = frame.length - from - part.length;
  return `${from > 0 ? `…${from}… ` : ""}${part.toHex()} ${JSON.stringify(text)}` +
    (rest > 0 ? ` and ${rest} bytes` : "");
}
