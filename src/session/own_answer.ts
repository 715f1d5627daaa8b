/** Answers of the proxy in the form that a client agreed on. */
import type { AdminAnswer } from "../admin/answer.ts";
import { ProtocolError, SluiceError } from "../errors.ts";
import { encodeText } from "../protocol/bytes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { encodeErr, encodeOk, plainOk } from "../protocol/response.ts";
import { encodeResultSet } from "../protocol/resultset.ts";
import type { AnswerPart, OwnAnswer } from "./plan.ts";

export interface AnswerForm {
  readonly capabilities: Capabilities;
  /** Whether a prepared statement asked. */
  readonly binary: boolean;
}

/** A part that answers what `run` comes to; what it throws becomes an ERR. */
export function answerPart(run: () => Promise<AdminAnswer>, form: AnswerForm): AnswerPart {
  return {
    kind: "answer",
    make: async (status) => {
      try {
        return encodeAnswer(await run(), status, form);
      } catch (error) {
        if (error instanceof ProtocolError) {
          return errorAnswer(new SluiceError("malformed_packet", "Malformed communication packet"));
        }
        if (error instanceof SluiceError) return errorAnswer(error);
        throw error;
      }
    },
  };
}

/** A part that answers these payloads. */
export function payloadPart(make: (status: number) => readonly Uint8Array[]): AnswerPart {
  return {
    kind: "answer",
    make: (status) => Promise.resolve({ payloads: make(status), isError: false }),
  };
}

export function errorPart(error: SluiceError): AnswerPart {
  return { kind: "answer", make: () => Promise.resolve(errorAnswer(error)) };
}

function errorAnswer(error: SluiceError): OwnAnswer {
  return { payloads: [encodeErr(error)], isError: true };
}

function encodeAnswer(
  answer: AdminAnswer,
  status: number,
  { capabilities, binary }: AnswerForm,
): OwnAnswer {
  switch (answer.kind) {
    case "ok": {
      const { affectedRows = 0, message = "" } = answer;
      const ok = { ...plainOk(status), affectedRows, info: encodeText(message) };
      return { payloads: [encodeOk(ok, capabilities.base)], isError: false };
    }
    case "rows": {
      const { columns, rows } = answer;
      const form = {
        capabilities: capabilities.base,
        extendedCapabilities: capabilities.extended,
        binary,
      };
      const result = { columns, rows, status, warnings: 0 };
      return { payloads: encodeResultSet(result, form), isError: false };
    }
    case "ends_caller":
      return {
        ...errorAnswer(new SluiceError("killed", "Query execution was interrupted")),
        ends: "killed",
      };
  }
}
