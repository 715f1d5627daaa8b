/** Every decoder beside its encoder, for the tests that walk over all of them. */
import * as command from "../../src/protocol/command.ts";
import * as handshake from "../../src/protocol/handshake.ts";
import * as prepared from "../../src/protocol/prepared.ts";
import * as response from "../../src/protocol/response.ts";
import * as resultset from "../../src/protocol/resultset.ts";
import type { Sample, SampleKind } from "./samples.ts";

export interface Codec {
  /** Decodes a payload in the circumstances of a sample. */
  decode(payload: Uint8Array, sample: Sample): unknown;
  /** Absent where the message is only ever read. */
  encode?(value: never, sample: Sample): Uint8Array;
}

/** Keeps the types of a decoder and its encoder together; the table forgets them. */
function codec<T>(
  decode: (payload: Uint8Array, sample: Sample) => T,
  encode?: (value: T, sample: Sample) => Uint8Array,
): Codec {
  return encode ? { decode, encode: encode as NonNullable<Codec["encode"]> } : { decode };
}

/** By the kind of sample that each reads; further names are decoders that read a part of one. */
export const CODECS: Partial<Record<SampleKind, Codec>> = {
  greeting: codec(handshake.decodeGreeting, handshake.encodeGreeting),
  login: codec(handshake.decodeLogin, handshake.encodeLogin),
  "auth switch": codec(handshake.decodeAuthSwitch, handshake.encodeAuthSwitch),
  "auth more data": codec(handshake.decodeAuthMoreData, handshake.encodeAuthMoreData),
  "change user": codec(
    (payload, { agreed }) => handshake.decodeChangeUser(payload, agreed.capabilities),
    (value, { agreed }) => handshake.encodeChangeUser(value, agreed.capabilities),
  ),
  ok: codec(
    (payload, { agreed }) => response.decodeOk(payload, agreed.capabilities),
    (value, { agreed }) => response.encodeOk(value, agreed.capabilities),
  ),
  err: codec(response.decodeErr, response.encodeErr),
  eof: codec(response.decodeEof, response.encodeEof),
  "column count": codec(
    (payload, { agreed }) => resultset.decodeColumnCount(payload, agreed),
    (value, { agreed }) => resultset.encodeColumnCount(value, agreed),
  ),
  column: codec(
    (payload, { agreed }) => resultset.decodeColumn(payload, agreed),
    (value, { agreed }) => resultset.encodeColumn(value, agreed),
  ),
  "text row": codec(
    (payload, { columnCount }) => resultset.decodeTextRow(payload, columnCount),
    resultset.encodeTextRow,
  ),
  "binary row": codec(
    (payload, { columns }) => resultset.decodeBinaryRow(payload, columns),
    (value, { columns }) => resultset.encodeBinaryRow(value, columns),
  ),
  "prepare head": codec(
    (payload, { agreed }) => prepared.decodePrepareHead(payload, agreed.capabilities),
    (value, { agreed }) => prepared.encodePrepareHead(value, agreed.capabilities),
  ),
  execute: codec(
    (payload, { execute }) => prepared.decodeExecute(payload, execute),
    (value, { execute }) => prepared.encodeExecute(value, execute.capabilities),
  ),
  query: codec(
    (payload, { agreed }) => command.decodeQuery(payload, agreed.capabilities),
    (value, { agreed }) => command.encodeQuery(value, agreed.capabilities),
  ),
  name: codec(
    command.decodeName,
    (value, { payload }) => command.encodeName(payload[0]!, value),
  ),
  "process kill": codec(command.decodeProcessKill, command.encodeProcessKill),
  "set option": codec(command.decodeSetOption, command.encodeSetOption),
  "field list": codec(command.decodeFieldList, command.encodeFieldList),
  fetch: codec(command.decodeFetch, command.encodeFetch),
  "long data": codec(command.decodeLongData, command.encodeLongData),
  "statement id": codec(
    prepared.readStatementId,
    (value, { payload }) => command.encodeStatementRequest(payload[0]!, value),
  ),
  "register replica": codec(command.decodeRegisterReplica, command.encodeRegisterReplica),
  "binlog dump": codec(command.decodeBinlogDump, command.encodeBinlogDump),
  "binlog dump gtid": codec(command.decodeBinlogDumpGtid, command.encodeBinlogDumpGtid),
  "bulk execute": codec(
    (payload, { execute }) => command.decodeBulkExecuteHead(payload, execute.parameters),
    command.encodeBulkExecuteHead,
  ),
};

/** Decoders of parts and of circumstances, which have no encoder of their own. */
export const READERS: readonly (readonly [name: string, kind: SampleKind, Codec["decode"]])[] = [
  ["login capabilities", "login", (payload) => handshake.loginCapabilities(payload)],
  ["TLS request", "login", (payload) => handshake.isTlsRequest(payload)],
  ["execute head", "execute", (payload) => prepared.decodeExecuteHead(payload)],
  ["hidden session track", "ok", (payload) => response.withoutSessionTrack(payload)],
  [
    "tracked schema",
    "ok",
    (payload, { agreed }) =>
      response.trackedSchema(response.decodeOk(payload, agreed.capabilities)),
  ],
  [
    "tracked variables",
    "ok",
    (payload, { agreed }) =>
      response.decodeOk(payload, agreed.capabilities).track
        .filter(({ type }) => type === 0)
        .map(({ data }) => response.decodeTrackedVariables(data)),
  ],
  ["rewritten statement id", "execute", (payload) => {
    const copy = payload.slice();
    prepared.rewriteStatementId(copy, 0xfffffffe);
    return prepared.readStatementId(copy);
  }],
];
