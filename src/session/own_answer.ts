/** Answers of the proxy in the form that a client agreed on. */
import type { AdminAnswer } from "../admin/answer.ts";
import { ProtocolError, SluiceError } from "../errors.ts";
import { Status } from "../protocol/constants.ts";
import { encodeText, frame, frameAll, packetCount, PacketWriter } from "../protocol/bytes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { BorrowedBytes } from "../net/buffers.ts";
import { encodeErr, encodeOk, plainOk } from "../protocol/response.ts";
import {
  encodePrepareReply,
  encodeResultEnd,
  encodeResultHead,
  writeRow,
} from "../protocol/resultset.ts";
import { visitInSlices } from "../session_manager.ts";
import type { AnswerPart, AnswerPlace, OwnAnswer } from "./plan.ts";

export interface AnswerForm {
  readonly capabilities: Capabilities;
  /** Whether the client takes error codes of 5000 to 5013 for a malformed packet, as MariaDB's do. */
  readonly isLibMariaDb: boolean;
}

/** Makes answers for one client. */
export class OwnAnswers {
  readonly #form: AnswerForm;

  constructor(form: AnswerForm) {
    this.#form = form;
  }

  /**
   * A part that answers what `run` comes to; what it throws becomes an ERR.
   * @param isBinary whether a prepared statement asks
   */
  of(run: () => Promise<AdminAnswer>, isBinary = false): AnswerPart {
    return {
      kind: "answer",
      make: async (place) => {
        try {
          return await this.#encode(await run(), place, isBinary);
        } catch (error) {
          if (error instanceof SluiceError) return this.#error(error, place);
          if (!(error instanceof ProtocolError)) throw error;
          const message = "Malformed communication packet";
          return this.#error(new SluiceError("malformed_packet", message, { cause: error }), place);
        }
      },
    };
  }

  ok(): AnswerPart {
    return this.payloads((status) => [encodeOk(plainOk(status), this.#form.capabilities.base)]);
  }

  /** The end of the rows of a cursor. */
  lastRow(): AnswerPart {
    return this.payloads((status) => [
      encodeResultEnd({ status: status | Status.LAST_ROW_SENT, warnings: 0 }, this.#agreed),
    ]);
  }

  error(error: SluiceError): AnswerPart {
    return { kind: "answer", make: (place) => Promise.resolve(this.#error(error, place)) };
  }

  payloads(make: (status: number) => readonly Uint8Array[]): AnswerPart {
    return {
      kind: "answer",
      make: (place) => Promise.resolve(framed(make(place.status), place)),
    };
  }

  /** The reply to COM_STMT_PREPARE. */
  prepared(
    statement: Omit<Parameters<typeof encodePrepareReply>[0], "status">,
  ): AnswerPart {
    return this.payloads((status) => encodePrepareReply({ ...statement, status }, this.#agreed));
  }

  get #agreed(): { readonly capabilities: number; readonly extendedCapabilities: number } {
    const { base, extended } = this.#form.capabilities;
    return { capabilities: base, extendedCapabilities: extended };
  }

  #error(error: SluiceError, place: AnswerPlace): OwnAnswer {
    const isTaken = this.#form.isLibMariaDb && error.kind === "bad_internal_command";
    const told = isTaken ? new SluiceError("syntax", error.message) : error;
    return { ...framed([encodeErr(told)], place), isError: true };
  }

  async #encode(answer: AdminAnswer, place: AnswerPlace, binary: boolean): Promise<OwnAnswer> {
    switch (answer.kind) {
      case "ok": {
        const { affectedRows = 0, message = "" } = answer;
        const ok = { ...plainOk(place.status), affectedRows, info: encodeText(message) };
        return framed([encodeOk(ok, this.#agreed.capabilities)], place);
      }
      case "rows": {
        const { columns, rows } = answer;
        const result = { columns, status: place.status, warnings: 0 };
        const head = encodeResultHead(result, this.#agreed);
        const packets = new BorrowedBytes();
        packets.append(frameAll(head, place.sequence));
        let nextSequence = place.sequence + packetCount(head);
        // One for all rows: an array a row would cost more than the rows do.
        const writer = new PacketWriter();
        await visitInSlices(rows, (row) => {
          writeRow(writer.clear().zeros(4), row, { columns, binary });
          nextSequence = writer.endPacket(0, nextSequence);
          packets.append(writer.view());
        });
        packets.append(frame(encodeResultEnd(result, this.#agreed), nextSequence++));
        return { packets, nextSequence, isError: false };
      }
      case "ends_caller": {
        const error = new SluiceError("killed", "Query execution was interrupted");
        return { ...this.#error(error, place), ends: "killed" };
      }
    }
  }
}

function framed(payloads: readonly Uint8Array[], { sequence }: AnswerPlace): OwnAnswer {
  return {
    packets: frameAll(payloads, sequence),
    nextSequence: sequence + packetCount(payloads),
    isError: false,
  };
}
