/**
 * Conversations captured from real servers: `tests/fixtures/*.hex`, made by
 * `tests/fixtures/capture.ts`. A file starts with `# key: value` lines; then each packet is a line
 * of direction (`>` to the server, `<` from it) and hex, header included; `#` lines in between say
 * what the following packets are.
 */
import { PacketReader } from "../../src/protocol/bytes.ts";

export type Direction = "<" | ">";

export interface FixturePacket {
  readonly direction: Direction;
  /** With its header. */
  readonly bytes: Uint8Array;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export interface Fixture {
  readonly name: string;
  readonly server: string;
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  readonly exchanges: readonly Exchange[];
}

/** A request and everything that follows until the next request. The greeting begins the first. */
export interface Exchange {
  /** What the file says about it. */
  readonly note: string;
  readonly packets: readonly FixturePacket[];
}

const FOLDER = new URL("../fixtures/", import.meta.url);

let cached: readonly Fixture[] | undefined;

/** All captured conversations, sorted by name. */
export function loadFixtures(): readonly Fixture[] {
  cached ??= [...Deno.readDirSync(FOLDER)]
    .filter(({ name }) => name.endsWith(".hex"))
    .map(({ name }) => parseFixture(name, Deno.readTextFileSync(new URL(name, FOLDER))))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  return cached;
}

/** The one conversation of that name, without `.hex`. */
export function loadFixture(name: string): Fixture {
  return parseFixture(`${name}.hex`, Deno.readTextFileSync(new URL(`${name}.hex`, FOLDER)));
}

function parseFixture(file: string, text: string): Fixture {
  const keys = new Map<string, string>();
  const exchanges: { note: string; packets: FixturePacket[] }[] = [];
  let notes: string[] = [];
  for (const line of text.split("\n")) {
    const key = /^# (server|capabilities|extended): (.*)$/.exec(line);
    if (key && exchanges.length === 0 && !keys.has(key[1]!)) {
      keys.set(key[1]!, key[2]!);
    } else if (line.startsWith("# ")) {
      notes.push(line.slice(2));
    } else if (line.startsWith("<") || line.startsWith(">")) {
      const packet = parsePacket(line);
      const isRequest = packet.direction === ">" && packet.sequence === 0;
      if (isRequest || exchanges.length === 0) {
        exchanges.push({ note: notes.join("\n"), packets: [] });
        notes = [];
      }
      exchanges.at(-1)!.packets.push(packet);
    }
  }
  return {
    name: file.replace(/\.hex$/, ""),
    server: keys.get("server") ?? "",
    capabilities: Number(keys.get("capabilities")),
    extendedCapabilities: Number(keys.get("extended")),
    exchanges,
  };
}

function parsePacket(line: string): FixturePacket {
  const bytes = Uint8Array.fromHex(line.slice(2));
  const reader = new PacketReader(bytes, "fixture");
  const length = reader.u24();
  const sequence = reader.u8();
  if (length !== reader.remaining) {
    throw new Error(`Cannot read fixture: expected ${length} bytes, got ${reader.remaining}`);
  }
  return {
    direction: line[0] as Direction,
    bytes,
    sequence,
    payload: bytes.subarray(4),
  };
}

/** Writes a conversation down while it happens. */
export class FixtureWriter {
  readonly #lines: string[] = [];

  note(text: string): void {
    for (const line of text.split("\n")) this.#lines.push(`# ${line}`);
  }

  readonly packet = (direction: Direction, bytes: Uint8Array): void => {
    this.#lines.push(`${direction} ${bytes.toHex()}`);
  };

  /** @param head lines for the top, without `# ` */
  async save(name: string, head: readonly string[]): Promise<void> {
    const lines = [...head.map((line) => `# ${line}`), ...this.#lines];
    await Deno.writeTextFile(new URL(`${name}.hex`, FOLDER), lines.join("\n") + "\n");
  }
}
