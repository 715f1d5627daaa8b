/** The files that LOCAL INFILE asks the script's client for, packet by packet. */
import { encodeText } from "../../src/protocol/bytes.ts";

const FILES: Readonly<Record<string, () => Iterable<Uint8Array>>> = {
  "rows.csv": () => [encodeText("1,one\n2,two\n3,three\n")],
  "split.csv": () => ["1,o", "ne\n2", ",two\n", "3,thr", "ee\n"].map(encodeText),
  "empty.csv": () => [],
  "bad.csv": () => [encodeText("x,one\n2\n3,three,four\n4,vier\u{1F600}\n")],
  "many.csv": manyRows,
  "full.csv": fullPackets,
};

/** A client that cannot read a file sends none of it, as for one that is not listed here. */
export function fileParts(name: string): Iterable<Uint8Array> {
  return FILES[name]?.() ?? [];
}

/** 5 MB in packets of 100 rows. */
function* manyRows(): Generator<Uint8Array> {
  const rest = "x".repeat(500);
  for (let first = 0; first < 10_000; first += 100) {
    const rows = Array.from({ length: 100 }, (_, index) => `${first + index},${rest}\n`);
    yield encodeText(rows.join(""));
  }
}

/** Packets of 16 MiB less one byte: what follows such a packet goes on with it, even if empty. */
function* fullPackets(): Generator<Uint8Array> {
  const row = encodeText(`7,${"y".repeat(1021)}\n`);
  const part = new Uint8Array(0xffffff);
  for (let at = 0; at < part.length; at += row.length) {
    part.set(row.subarray(0, Math.min(row.length, part.length - at)), at);
  }
  part[part.length - 1] = 0x0a;
  yield part;
  yield encodeText("8,behind\n");
}
