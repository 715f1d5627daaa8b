/** What a server session's reply tracker knows of it: read there, and not kept once more. */
import { BIG } from "../net/buffers.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { Capability } from "../protocol/constants.ts";
import type { OkPacket } from "../protocol/response.ts";
import type { TrackerOptions } from "../protocol/tracker_options.ts";
import type { Dialect } from "../state/dialect.ts";
import type { ServerLogin } from "./server_login.ts";

export interface TrackedSession {
  readonly capabilities: Capabilities;
  readonly login: ServerLogin;
  readonly dialect: Dialect;
  onSessionTrack(ok: OkPacket): void;
}

export class SessionTracking implements TrackerOptions {
  readonly #session: TrackedSession;

  constructor(session: TrackedSession) {
    this.#session = session;
  }

  get capabilities(): number {
    return this.#session.capabilities.base;
  }

  get extendedCapabilities(): number {
    return this.#session.capabilities.extended;
  }

  get hidesSessionTrack(): boolean {
    return (this.#session.login.capabilities.base & Capability.SESSION_TRACK) === 0;
  }

  get isOceanBase(): boolean {
    return this.#session.dialect === "oceanbase";
  }

  get wholeUpTo(): number {
    return BIG;
  }

  onSessionTrack(ok: OkPacket): void {
    this.#session.onSessionTrack(ok);
  }
}
