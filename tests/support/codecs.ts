/** Every decoder beside its encoder, for the tests that walk over all of them. */
import * as command from "../../src/protocol/command.ts";
import * as handshake from "../../src/protocol/handshake.ts";
import * as prepared from "../../src/protocol/prepared.ts";
import * as response from "../../src/protocol/response.ts";
import * as resultset from "../../src/protocol/resultset.ts";
import { placeOfTypes } from "../../src/state/parameter_types.ts";
import * as replies from "./codec/replies.ts";
import * as requests from "./codec/requests.ts";
import type { Sample, SampleKind } from "./samples.ts";

export interface Codec {
  /** Decodes a payload in the circumstances of a sample. */
  decode(payload: Uint8Array, sample: Sample): unknown;
  encode(value: never, sample: Sample): Uint8Array;
}

/** Keeps the types of a decoder and its encoder together; the table forgets them. */
function codec<T>(
  decode: (payload: Uint8Array, sample: Sample) => T,
  encode: (value: T, sample: Sample) => Uint8Array,
): Codec {
  return { decode, encode: encode as Codec["encode"] };
}

/** By the kind of sample that each reads. Where the proxy has one half only, tests have the other. */
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
  eof: codec(replies.decodeEof, response.encodeEof),
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
    (payload, { columns }) => replies.decodeBinaryRow(payload, columns),
    (value, { columns }) => replies.encodeRow(value, { columns, binary: true }),
  ),
  "prepare head": codec(
    (payload, { agreed }) => prepared.decodePrepareHead(payload, agreed.capabilities),
    (value, { agreed }) => prepared.encodePrepareHead(value, agreed.capabilities),
  ),
  execute: codec(
    (payload, { execute }) => prepared.decodeExecute(payload, execute),
    (value, { execute }) => requests.encodeExecute(value, execute.capabilities),
  ),
  query: codec(
    (payload, { agreed }) => command.decodeQuery(payload, agreed.capabilities),
    (value, { agreed }) => command.encodeQuery(value, agreed.capabilities),
  ),
  "process kill": codec(command.decodeProcessKill, requests.encodeProcessKill),
  "set option": codec(command.decodeSetOption, requests.encodeSetOption),
  "statement id": codec(
    prepared.readStatementId,
    (value, { payload }) => command.encodeStatementRequest(payload[0]!, value),
  ),
};

/** Kinds that the proxy writes and does not read. */
export const WRITTEN_ONLY: ReadonlySet<string> = new Set<SampleKind>(["eof", "binary row"]);

/** Decoders of parts and of circumstances, which have no encoder of their own. */
export const READERS: readonly (readonly [name: string, kind: SampleKind, Codec["decode"]])[] = [
  ["login capabilities", "login", (payload) => handshake.loginCapabilities(payload)],
  ["TLS request", "login", (payload) => handshake.isTlsRequest(payload)],
  ["types of an execution", "execute", (payload, { execute }) => placeOfTypes(payload, execute)],
  [
    "types of a bulk execution",
    "bulk execute",
    (payload, { execute }) => placeOfTypes(payload, execute),
  ],
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
