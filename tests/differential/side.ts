/** One connection of a client: the private one, or the one whose server sessions are shared. */
import { encodeText } from "../../src/protocol/bytes.ts";
import { encodeStatementRequest } from "../../src/protocol/command.ts";
import { ClientAuth, LoginKey } from "../../src/protocol/auth.ts";
import { Capability, Command, ExecuteFlag } from "../../src/protocol/constants.ts";
import { encodeChangeUser } from "../../src/protocol/handshake.ts";
import {
  encodeExecute,
  encodeFetch,
  encodeLongData,
  encodeSetOption,
} from "../support/codec/requests.ts";
import { APP } from "../support/test_proxy.ts";
import { CLASSIC, WireClient, WireClosed, type WirePacket } from "../support/wire_client.ts";
import type { Reply } from "./compare.ts";
import type { ExecuteOp, Op } from "./steps.ts";

/** Milliseconds that a reply may take: far more than any wait that a server or the proxy ends. */
const PATIENCE = 20_000;

export class Side {
  readonly #port: number;
  readonly #capabilities: number;
  /** The connection's own ids of statements. */
  readonly #ids = new Map<number, number>();
  #client: WireClient;

  private constructor(client: WireClient, port: number, capabilities: number) {
    this.#client = client;
    this.#port = port;
    this.#capabilities = capabilities;
  }

  static async connect(port: number, capabilities = CLASSIC): Promise<Side> {
    return new Side(await WireClient.connect({ port, ...APP, capabilities }), port, capabilities);
  }

  /** `host:port` of this end. */
  get address(): string {
    const { hostname, port } = this.#client.address;
    return `${hostname}:${port}`;
  }

  /** @returns undefined for what has no reply, or needs what is not there */
  async perform(op: Op): Promise<Reply | undefined> {
    const work = this.#perform(op);
    work.catch(() => {});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve("no reply"), PATIENCE);
    });
    try {
      const packets = await Promise.race([work, patience]);
      if (typeof packets !== "object") return packets;
      return packets.map(({ sequence, payload }) => {
        const bytes = new Uint8Array(1 + payload.length);
        bytes[0] = sequence;
        bytes.set(payload, 1);
        return bytes;
      });
    } catch (error) {
      if (error instanceof WireClosed) return `closed: ${error.message}`;
      if (error instanceof Deno.errors.ConnectionReset) return "closed";
      if (error instanceof Deno.errors.BrokenPipe) return "closed";
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#client.close();
  }

  async quit(): Promise<void> {
    await this.#client.quit();
  }

  async #perform(op: Op): Promise<WirePacket[] | undefined> {
    const client = this.#client;
    switch (op.kind) {
      case "query":
        return await client.query(op.sql);
      case "schema":
        return await client.simple(Command.INIT_DB, encodeText(op.name));
      case "prepare":
        return await this.#prepare(op.slot, op.sql);
      case "execute":
        return await this.#execute(op);
      case "allowSeveral":
        return await client.command(encodeSetOption(op.isAllowed ? 0 : 1));
      case "ping":
        return await client.simple(Command.PING);
      case "reset":
        this.#ids.clear();
        return await client.simple(Command.RESET_CONNECTION);
      case "changeUser":
        return await this.#changeUser();
      case "reconnect":
        await client.quit();
        this.#ids.clear();
        this.#client = await WireClient.connect({
          port: this.#port,
          ...APP,
          capabilities: this.#capabilities,
        });
        return undefined;
    }
    const statementId = this.#ids.get(op.slot);
    if (statementId === undefined) return undefined;
    switch (op.kind) {
      case "longData":
        await client.send(
          encodeLongData({ statementId, parameter: op.parameter, data: encodeText(op.data) }),
        );
        return undefined;
      case "fetch":
        return await client.command(encodeFetch({ statementId, rows: op.rows }));
      case "resetStatement":
        return await client.command(encodeStatementRequest(Command.STMT_RESET, statementId));
      case "close":
        this.#ids.delete(op.slot);
        await client.send(encodeStatementRequest(Command.STMT_CLOSE, statementId));
        return undefined;
    }
  }

  async #prepare(slot: number, sql: string): Promise<WirePacket[]> {
    const packets = await this.#client.simple(Command.STMT_PREPARE, encodeText(sql));
    const { payload } = packets[0]!;
    if (payload[0] === 0) {
      const view = new DataView(payload.buffer, payload.byteOffset);
      this.#ids.set(slot, view.getUint32(1, true));
    }
    return packets;
  }

  async #execute({ slot, parameters, hasTypes, opensCursor }: ExecuteOp): Promise<
    WirePacket[] | undefined
  > {
    const statementId = this.#ids.get(slot);
    if (statementId === undefined) return undefined;
    const flags = opensCursor ? ExecuteFlag.READ_ONLY : 0;
    const request = { statementId, flags, iterations: 1, hasTypes, parameters };
    return await this.#client.command(encodeExecute(request, this.#client.capabilities));
  }

  async #changeUser(): Promise<WirePacket[]> {
    this.#ids.clear();
    const auth = new ClientAuth(LoginKey.fromPassword(APP.password));
    const { greeting, capabilities } = this.#client;
    const { plugin, response } = auth.start(greeting.authPlugin, greeting.authData);
    await this.#client.send(encodeChangeUser({
      user: APP.user,
      authResponse: response,
      database: "",
      charset: 45,
      authPlugin: plugin,
      attributes: new Uint8Array(0),
    }, capabilities & ~Capability.CONNECT_ATTRS));
    const packets = await this.#client.authenticate(auth);
    // How it came to the last one is the proxy's own way.
    return packets.slice(-1).map(({ payload }) => ({ sequence: 0, payload }));
  }
}
