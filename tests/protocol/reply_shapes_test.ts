/** Every command with every kind of reply it can have, in both EOF dialects. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { concat, frame, MAX_PAYLOAD } from "../../src/protocol/bytes.ts";
import {
  Capability,
  ColumnType,
  Command,
  MariaDbCapability,
  Status,
} from "../../src/protocol/constants.ts";
import { encodeAuthMoreData, encodeAuthSwitch } from "../../src/protocol/handshake.ts";
import { encodePrepareHead } from "../../src/protocol/prepared.ts";
import { commandRow, type ReplyShape } from "../../src/protocol/replies.ts";
import { encodeEof, encodeErr, encodeOk, plainOk } from "../../src/protocol/response.ts";
import { encodeColumn, encodeColumnCount, makeColumn } from "../../src/protocol/resultset.ts";
import { encodeResultSet } from "../support/codec/replies.ts";
import { byteWise, Feed, trackerFor, whole } from "../support/reply_feed.ts";

interface Dialect {
  readonly name: string;
  readonly capabilities: number;
  readonly extendedCapabilities: number;
}

const NONE = { extendedCapabilities: 0 };
const PROGRESS = MariaDbCapability.PROGRESS;

const DIALECTS: readonly Dialect[] = [
  { name: "EOF", capabilities: 0, ...NONE },
  { name: "no EOF", capabilities: Capability.DEPRECATE_EOF, ...NONE },
  { name: "EOF, optional metadata", capabilities: Capability.OPTIONAL_RESULTSET_METADATA, ...NONE },
  {
    name: "no EOF, optional metadata",
    capabilities: (Capability.DEPRECATE_EOF | Capability.OPTIONAL_RESULTSET_METADATA) >>> 0,
    ...NONE,
  },
  { name: "EOF, progress reports", capabilities: 0, extendedCapabilities: PROGRESS },
  {
    name: "no EOF, progress reports",
    capabilities: Capability.DEPRECATE_EOF,
    extendedCapabilities: PROGRESS,
  },
];

/** One reply: its packets in order; `"client"` stands for a packet that the client sends. */
interface Reply {
  readonly title: string;
  readonly packets: readonly (Uint8Array | "client")[];
}

const COLUMNS = [makeColumn("a", { type: ColumnType.LONG }), makeColumn("b")];
const ERR = encodeErr({ code: 1146, sqlState: "42S02", message: "Table 'x' doesn't exist" });
const REPORT = Uint8Array.from([0xff, 0xff, 0xff, 1, 1, 2, 0x10, 0x27, 0, 1, 0x78]);

function ok(status = 2): Uint8Array {
  return encodeOk(plainOk(status), 0);
}

/** What ends definitions or rows. */
function end({ capabilities }: Dialect, status = 2): Uint8Array {
  return (capabilities & Capability.DEPRECATE_EOF) === 0
    ? encodeEof({ warnings: 0, status })
    : encodeOk({ ...plainOk(status), head: 0xfe }, 0);
}

function hasEof({ capabilities }: Dialect): boolean {
  return (capabilities & Capability.DEPRECATE_EOF) === 0;
}

function resultSet(dialect: Dialect, rows: number, status = 2): Uint8Array[] {
  return encodeResultSet({
    columns: COLUMNS,
    rows: Array.from({ length: rows }, (_, index) => [index, index === 1 ? null : "text"]),
    status,
    warnings: 0,
  }, { ...dialect, binary: false });
}

/** The same with rows but without the definitions that the client is said to know. */
function withoutDefinitions(dialect: Dialect): Uint8Array[] {
  const packets = resultSet(dialect, 2);
  const head = encodeColumnCount({ count: 2, metadataFollows: false }, dialect);
  return [head, ...packets.slice(1 + COLUMNS.length)];
}

function definitions(count: number, dialect: Dialect): Uint8Array[] {
  return COLUMNS.slice(0, count).map((column) => encodeColumn(column, dialect));
}

function prepared(dialect: Dialect, parameters: number, columns: number): Reply[] {
  const isOptional = (dialect.capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0;
  return (isOptional ? [true, false] : [true]).map((metadataFollows) => {
    const packets = [encodePrepareHead({
      statementId: 1,
      columns,
      parameters,
      warnings: 0,
      metadataFollows,
    }, dialect.capabilities)];
    for (const count of [parameters, columns]) {
      if (metadataFollows) packets.push(...definitions(count, dialect));
      if (count > 0 && hasEof(dialect)) packets.push(end(dialect));
    }
    const note = metadataFollows ? "" : ", definitions left out";
    return { title: `${parameters} parameters, ${columns} columns${note}`, packets };
  });
}

const MORE = Status.MORE_RESULTS_EXISTS;

/** Packets of a result set whose cursor stays open: no rows and no second end. */
function openCursor(dialect: Dialect): Uint8Array[] {
  return [
    encodeColumnCount({ count: 2, metadataFollows: true }, dialect),
    ...definitions(2, dialect),
    end(dialect, 2 | Status.CURSOR_EXISTS),
  ];
}

/** OUT parameters: MySQL sets the flags in the first of two EOF packets only. */
function outParameters(dialect: Dialect, isMySql: boolean): Uint8Array[] {
  const packets = resultSet(dialect, 1, 2 | MORE | Status.PS_OUT_PARAMS);
  return isMySql && hasEof(dialect)
    ? [...packets.slice(0, -1), end(dialect, 2), ok()]
    : [...packets, ok()];
}

const REPLIES: Record<ReplyShape, (dialect: Dialect) => Reply[]> = {
  none: () => [{ title: "nothing", packets: [] }],
  status: (dialect) => [
    { title: "OK", packets: [ok()] },
    { title: "EOF", packets: [end(dialect)] },
    { title: "ERR", packets: [ERR] },
  ],
  text: () => [
    { title: "text", packets: [new TextEncoder().encode("Uptime: 5")] },
    { title: "text that looks like OK", packets: [new Uint8Array(20)] },
    { title: "ERR", packets: [ERR] },
  ],
  results: (dialect) => [
    { title: "OK", packets: [ok()] },
    { title: "ERR", packets: [ERR] },
    { title: "no rows", packets: resultSet(dialect, 0) },
    { title: "one row", packets: resultSet(dialect, 1) },
    { title: "rows beyond the last sequence number", packets: resultSet(dialect, 700) },
    { title: "OK, rows, OK", packets: [ok(2 | MORE), ...resultSet(dialect, 3, 2 | MORE), ok()] },
    { title: "rows, rows", packets: [...resultSet(dialect, 1, MORE), ...resultSet(dialect, 0)] },
    { title: "rows, ERR", packets: [...resultSet(dialect, 2, 2 | MORE), ERR] },
    { title: "ERR among rows", packets: [...resultSet(dialect, 2).slice(0, -1), ERR] },
    { title: "ERR behind definitions", packets: [...resultSet(dialect, 0).slice(0, -1), ERR] },
    {
      title: "ERR in place of the end of definitions",
      packets: [...resultSet(dialect, 0).slice(0, 3), ERR],
    },
    { title: "open cursor", packets: openCursor(dialect) },
    {
      title: "rows, open cursor",
      packets: [...resultSet(dialect, 1, MORE), ...openCursor(dialect)],
    },
    { title: "OUT parameters", packets: outParameters(dialect, false) },
    { title: "OUT parameters of MySQL", packets: outParameters(dialect, true) },
    {
      title: "LOCAL INFILE",
      packets: [Uint8Array.of(0xfb, 0x66), "client", ok()],
    },
    {
      title: "LOCAL INFILE, ERR",
      packets: [Uint8Array.of(0xfb, 0x66), "client", ERR],
    },
    {
      title: "OK, LOCAL INFILE, rows",
      packets: [ok(MORE), Uint8Array.of(0xfb, 0x66), "client", ok(MORE), ...resultSet(dialect, 1)],
    },
    ...((dialect.capabilities & Capability.OPTIONAL_RESULTSET_METADATA) === 0 ? [] : [
      { title: "definitions left out", packets: withoutDefinitions(dialect) },
    ]),
    ...(dialect.extendedCapabilities === 0 ? [] : [
      { title: "progress, OK", packets: [REPORT, REPORT, ok()] },
      {
        title: "progress between definitions and rows",
        packets: [
          ...resultSet(dialect, 2).slice(0, hasEof(dialect) ? 4 : 3),
          REPORT,
          ...resultSet(dialect, 2).slice(hasEof(dialect) ? 4 : 3),
        ],
      },
      { title: "progress, ERR", packets: [REPORT, ERR] },
    ]),
  ],
  columns: (dialect) => [
    { title: "columns", packets: [...definitions(2, dialect), end(dialect)] },
    { title: "no columns", packets: [end(dialect)] },
    { title: "ERR", packets: [ERR] },
  ],
  prepare: (dialect) => [
    ...prepared(dialect, 0, 0),
    ...prepared(dialect, 2, 0),
    ...prepared(dialect, 0, 2),
    ...prepared(dialect, 1, 2),
    { title: "ERR", packets: [ERR] },
  ],
  rows: (dialect) => [
    { title: "rows", packets: [...resultSet(dialect, 3).slice(hasEof(dialect) ? 4 : 3)] },
    { title: "no rows", packets: [end(dialect, 2 | Status.LAST_ROW_SENT)] },
    { title: "more rows to fetch", packets: [end(dialect, 2 | Status.CURSOR_EXISTS)] },
    { title: "ERR", packets: [ERR] },
  ],
  auth: () => {
    const request = encodeAuthSwitch({ plugin: "x", authData: new Uint8Array(20).fill(65) });
    const data = encodeAuthMoreData(Uint8Array.of(4));
    return [
      { title: "OK", packets: [ok()] },
      { title: "ERR", packets: [ERR] },
      { title: "switch", packets: [request, "client", ok()] },
      { title: "switch, refused", packets: [request, "client", ERR] },
      { title: "data", packets: [data, "client", data, "client", data, ok()] },
      { title: "bare switch of old servers", packets: [Uint8Array.of(0xfe), "client", ok()] },
    ];
  },
  stream: () => [
    {
      title: "events, EOF",
      packets: [
        ...Array.from({ length: 600 }, () => new Uint8Array(30)),
        encodeEof({ warnings: 0, status: 2 }),
      ],
    },
    { title: "ERR", packets: [ERR] },
    { title: "events, ERR", packets: [new Uint8Array(30), ERR] },
  ],
  tunnel: () => [{ title: "ERR", packets: [ERR] }],
};

/** Feeds a reply and bytes of something else behind it, which must stay. */
function run(command: number, dialect: Dialect, { packets }: Reply, bytewise: boolean): Feed {
  const row = commandRow(command)!;
  const tracker = trackerFor({ ...dialect });
  tracker.begin(row, 0);
  const feed = new Feed(tracker);
  let sequence = 1;
  let pending: Uint8Array[] = [];
  const flush = (rest: Uint8Array): void => {
    const bytes = concat([...pending, rest]);
    const cut = bytewise ? byteWise : whole;
    let at = 0;
    for (const size of cut(bytes.length)) {
      feed.add(bytes.subarray(at, at + size));
      at += size;
    }
    pending = [];
  };
  for (const packet of packets) {
    if (packet === "client") {
      flush(new Uint8Array(0));
      assertEquals(tracker.done, false);
      assertEquals(tracker.clientTurn, row.shape === "auth" ? "talks" : "sends_file");
      tracker.resume(sequence & 0xff);
      assertEquals(tracker.clientTurn, row.shape === "auth" ? "talks" : "waits");
    } else {
      pending.push(frame(packet, sequence & 0xff));
    }
    sequence++;
  }
  const total = feed.arrived + pending.reduce((sum, bytes) => sum + bytes.length, 0);
  flush(new Uint8Array(5).fill(0xaa));
  assert(tracker.done, "not done");
  assertEquals(feed.output.reduce((sum, bytes) => sum + bytes.length, 0), total, "bytes passed");
  assertEquals(feed.held, 5, "bytes behind the reply");
  if (bytewise) assertEquals(feed.doneAfter, total, "done after");
  return feed;
}

for (const [name, command] of Object.entries(Command)) {
  const row = commandRow(command);
  if (row === undefined) continue;
  Deno.test(`COM_${name}: ${row.shape}`, async (t) => {
    for (const dialect of DIALECTS) {
      for (const reply of REPLIES[row.shape](dialect)) {
        await t.step(`${dialect.name}: ${reply.title}`, () => {
          run(command, dialect, reply, false);
          run(command, dialect, reply, true);
        });
      }
    }
  });
}

Deno.test("a packet out of order is an error, at the start and later", () => {
  for (const at of [0, 1]) {
    const tracker = trackerFor({});
    tracker.begin(commandRow(Command.QUERY)!, 0);
    const packets = resultSet(DIALECTS[0]!, 1).map((payload, index) => frame(payload, index + 1));
    packets[at]![3] = 9;
    const bytes = concat(packets);
    assertThrows(() => tracker.feed(bytes, 0, bytes.length), ProtocolError, "got 9");
  }
});

Deno.test("what cannot be a reply is an error", () => {
  const bad: [number, Uint8Array][] = [
    [Command.PING, Uint8Array.of(7)],
    [Command.PING, new Uint8Array(0)],
    [Command.STMT_PREPARE, Uint8Array.of(0xfe, 0, 0, 0, 0)],
    [Command.STMT_PREPARE, Uint8Array.of(0, 1, 2)],
    [Command.QUERY, new Uint8Array(0)],
    [Command.QUERY, Uint8Array.of(0)],
    [Command.QUERY, Uint8Array.of(0xfd, 0, 0, 1)],
    [Command.CHANGE_USER, Uint8Array.of(2)],
  ];
  for (const [command, payload] of bad) {
    const tracker = trackerFor({});
    tracker.begin(commandRow(command)!, 0);
    const bytes = frame(payload, 1);
    assertThrows(() => tracker.feed(bytes, 0, bytes.length), ProtocolError, "Cannot", `${payload}`);
  }
});

/** Rows of 16 MiB and more: several packets of which only the first has a head. */
for (const dialect of DIALECTS.slice(0, 2)) {
  for (const size of [MAX_PAYLOAD - 1, MAX_PAYLOAD + 9, 2 * MAX_PAYLOAD, 2 * MAX_PAYLOAD + 9]) {
    Deno.test(`a row of ${size} bytes, ${dialect.name}`, () => {
      // One column, whose length begins with 0xfe from 16 MiB on. Every continuation begins with a
      // byte that would be a head.
      const row = new Uint8Array(size).fill(0xff);
      const value = size - 9;
      if (value < MAX_PAYLOAD) row.set([0xfd, value, value >>> 8, value >>> 16]);
      else row.set([0xfe, value, value >>> 8, value >>> 16, value >>> 24, 0, 0, 0, 0]);
      row[MAX_PAYLOAD] = 0xfe;
      const packets = resultSet(dialect, 1);
      const rowAt = packets.length - 2;
      let sequence = 0;
      const bytes = concat(packets.map((payload, index) => {
        const framed = frame(index === rowAt ? row : payload, sequence + 1);
        sequence += index === rowAt ? 1 + Math.floor(size / MAX_PAYLOAD) : 1;
        return framed;
      }));
      const tracker = trackerFor({ ...dialect, wholeUpTo: 65536 });
      tracker.begin(commandRow(Command.QUERY)!, 0);
      // As a relay reads: up to 96 KiB at a time, the rest of what did not pass first.
      const buffer = new Uint8Array(96 * 1024);
      let [end, at] = [0, 0];
      while (at < bytes.length) {
        assertEquals(tracker.done, false);
        const part = bytes.subarray(at, at + Math.min(buffer.length - end, 70_001));
        buffer.set(part, end);
        at += part.length;
        end += part.length;
        const passed = tracker.feed(buffer, 0, end);
        assertEquals(tracker.needed, 0);
        buffer.copyWithin(0, passed, end);
        end -= passed;
      }
      assertEquals([tracker.done, end], [true, 0]);
    });
  }
}

Deno.test("a tunnel passes everything behind its first packet, be it three bytes", () => {
  const tracker = trackerFor({});
  tracker.begin(commandRow(Command.CLONE)!, 0);
  const first = frame(Uint8Array.of(0x00, 0x01), 1);
  assertEquals(tracker.feed(first, 0, first.length), first.length);
  const rest = Uint8Array.of(0xff, 0xff, 0xff);
  assertEquals(tracker.feed(rest, 0, rest.length), rest.length);
  assertEquals(tracker.done, false);
  assertEquals(tracker.clientTurn, "talks");
});
