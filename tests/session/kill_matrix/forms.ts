/** The ways to kill: statements and the command. */
import { concat } from "../../../src/protocol/bytes.ts";
import { Command } from "../../../src/protocol/constants.ts";
import type { FakeClient } from "../../fake/client.ts";

/** A victim as its killer knows it. */
export interface Target {
  readonly id: number;
  /** `ss_id` */
  readonly serverId: number;
}

export interface Form {
  /** Who may: another session of the same account, or the administrator. */
  readonly by: "same user" | "root@sys";
  readonly ends: "session" | "statement" | "server session";
  send(killer: FakeClient, target: Target): Promise<void>;
}

export const FORMS = {
  "KILL id": {
    by: "same user",
    ends: "session",
    send: (killer, { id }) => killer.query(`KILL ${id}`),
  },
  "KILL QUERY id": {
    by: "same user",
    ends: "statement",
    send: (killer, { id }) => killer.query(`KILL QUERY ${id}`),
  },
  "KILL PROXYSESSION id": {
    by: "root@sys",
    ends: "session",
    send: (killer, { id }) => killer.query(`KILL PROXYSESSION ${id}`),
  },
  "KILL PROXYSESSION id ss_id": {
    by: "root@sys",
    ends: "server session",
    send: (killer, { id, serverId }) => killer.query(`KILL PROXYSESSION ${id} ${serverId}`),
  },
  COM_PROCESS_KILL: {
    by: "same user",
    ends: "session",
    async send(killer, { id }) {
      const number = new Uint8Array(4);
      new DataView(number.buffer).setUint32(0, id, true);
      killer.sequence = 0;
      await killer.send(concat([Uint8Array.of(Command.PROCESS_KILL), number]));
    },
  },
} as const satisfies Record<string, Form>;

export type FormName = keyof typeof FORMS;
