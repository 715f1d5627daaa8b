/** Every decoder over every captured message of its kind. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { CODECS, READERS, WRITTEN_ONLY } from "../support/codecs.ts";
import { loadFixtures } from "../support/fixture.ts";
import { type Sample, type SampleKind, samplesOf } from "../support/samples.ts";

const samples: readonly Sample[] = loadFixtures().flatMap(samplesOf);

/** Kinds that nobody decodes, because they pass as they are but for a statement's id. */
const OPAQUE: readonly SampleKind[] = [
  "auth answer",
  "bare",
  "binlog dump",
  "binlog dump gtid",
  "event",
  "fetch",
  "field list",
  "file",
  "infile",
  "long data",
  "name",
  "progress",
  "register replica",
  "text",
];

Deno.test("each kind of message has been captured, and has a codec or needs none", () => {
  const kinds = new Map<SampleKind, number>();
  for (const { kind } of samples) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const kind of Object.keys(CODECS) as SampleKind[]) {
    assert(kinds.has(kind), kind);
  }
  const read = READERS.map(([, kind]) => kind);
  for (const kind of kinds.keys()) {
    assert(CODECS[kind] !== undefined || read.includes(kind) || OPAQUE.includes(kind), kind);
  }
});

/** Rows whose definitions were left out before anybody had seen them. */
function isReadable({ kind, columns }: Sample): boolean {
  return kind !== "binary row" || columns.length > 0;
}

function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

for (const [kind, { decode, encode }] of Object.entries(CODECS)) {
  const own = samples.filter((sample) => sample.kind === kind).filter(isReadable);

  Deno.test(`${kind}: captured messages come out of encode(decode(x)) as they went in`, () => {
    for (const sample of own) {
      const value = decode(sample.payload, sample);
      const again = encode(value as never, sample);
      if (isCanonical(sample)) assertEquals(hex(again), hex(sample.payload), sample.name);
      assertEquals(decode(again, sample), value, sample.name);
    }
  });

  if (WRITTEN_ONLY.has(kind)) continue;

  Deno.test(`${kind}: a message cut anywhere is a protocol error or a shorter message`, () => {
    for (const sample of own) {
      for (let length = 0; length < sample.payload.length; length++) {
        failsCleanly(() => decode(sample.payload.slice(0, length), sample));
      }
    }
  });
}

for (const [name, kind, read] of READERS) {
  Deno.test(`${name}: whole and cut messages`, () => {
    const own = samples.filter((sample) => sample.kind === kind);
    for (const sample of own) {
      read(sample.payload, sample);
      for (let length = 0; length < sample.payload.length; length++) {
        failsCleanly(() => read(sample.payload.slice(0, length), sample));
      }
    }
  });
}

function failsCleanly(act: () => void): void {
  try {
    act();
  } catch (error) {
    assertInstanceOf(error, ProtocolError);
  }
}

/**
 * seekdb ends an OK of a multi-statement request with an empty info, and column definitions of
 * COM_FIELD_LIST with one zero too many.
 */
function isCanonical({ kind, payload, name }: Sample): boolean {
  if (!name.startsWith("seekdb")) return true;
  const hasSpareZero = payload.at(-1) === 0;
  return !(hasSpareZero && (kind === "ok" || (kind === "column" && name.includes("FIELD_LIST"))));
}
