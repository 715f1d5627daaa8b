/**
 * Single messages out of the captured conversations, each with what its decoder needs to know.
 * Replies are taken apart by plain code of its own, which reads them front to back.
 */
import type { ExecuteContext, ParameterType } from "../../src/protocol/prepared.ts";
import type { Agreed, Column } from "../../src/protocol/resultset.ts";
import { Capability, Command, MariaDbCapability, Status } from "../../src/protocol/constants.ts";
import { decodeExecute, decodePrepareHead, readStatementId } from "../../src/protocol/prepared.ts";
import { decodeColumn } from "../../src/protocol/resultset.ts";
import type { Exchange, Fixture, FixturePacket } from "./fixture.ts";

export type SampleKind =
  | "greeting"
  | "login"
  | "auth switch"
  | "auth more data"
  | "auth answer"
  | "ok"
  | "err"
  | "progress"
  | "eof"
  | "column count"
  | "column"
  | "text row"
  | "binary row"
  | "prepare head"
  | "infile"
  | "file"
  | "text"
  | "event"
  | "query"
  | "name"
  | "change user"
  | "process kill"
  | "set option"
  | "field list"
  | "fetch"
  | "long data"
  | "statement id"
  | "register replica"
  | "binlog dump"
  | "binlog dump gtid"
  | "execute"
  | "bulk execute"
  | "bare";

export interface Sample {
  readonly kind: SampleKind;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly agreed: Agreed;
  /** Of a row; empty where its definitions were left out and nobody knows them. */
  readonly columns: readonly Column[];
  readonly columnCount: number;
  readonly execute: ExecuteContext;
}

/** Requests that need no context, by command byte. */
const REQUESTS: Readonly<Record<number, SampleKind>> = {
  [Command.QUERY]: "query",
  [Command.INIT_DB]: "name",
  [Command.CREATE_DB]: "name",
  [Command.DROP_DB]: "name",
  [Command.STMT_PREPARE]: "name",
  [Command.CHANGE_USER]: "change user",
  [Command.PROCESS_KILL]: "process kill",
  [Command.SET_OPTION]: "set option",
  [Command.FIELD_LIST]: "field list",
  [Command.STMT_FETCH]: "fetch",
  [Command.STMT_SEND_LONG_DATA]: "long data",
  [Command.STMT_CLOSE]: "statement id",
  [Command.STMT_RESET]: "statement id",
  [Command.REGISTER_REPLICA]: "register replica",
  [Command.BINLOG_DUMP]: "binlog dump",
  [Command.BINLOG_DUMP_GTID]: "binlog dump gtid",
  [Command.STMT_EXECUTE]: "execute",
  [Command.MARIADB_STMT_BULK_EXECUTE]: "bulk execute",
};

interface Statement {
  parameters: number;
  columns: Column[];
  types: readonly ParameterType[] | undefined;
  longData: Set<number>;
}

/** Every message of a conversation. */
export function samplesOf(fixture: Fixture): Sample[] {
  return new Dissection(fixture).run();
}

class Dissection {
  readonly #fixture: Fixture;
  readonly #samples: Sample[] = [];
  readonly #statements = new Map<number, Statement>();
  readonly #deprecatesEof: boolean;
  readonly #hasMetadataFlag: boolean;
  #lastPrepared = 0;
  #name = "";
  #execute: ExecuteContext;

  constructor(fixture: Fixture) {
    this.#fixture = fixture;
    const { capabilities, extendedCapabilities } = fixture;
    this.#execute = { capabilities, parameters: 0 };
    this.#deprecatesEof = (capabilities & Capability.DEPRECATE_EOF) !== 0;
    this.#hasMetadataFlag = (capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0 ||
      (extendedCapabilities & MariaDbCapability.CACHE_METADATA) !== 0;
  }

  run(): Sample[] {
    for (const exchange of this.#fixture.exchanges) {
      this.#name = `${this.#fixture.name}: ${exchange.note}`;
      const [first, ...rest] = exchange.packets;
      if (first!.direction === "<") this.#login(exchange.packets);
      else {
        const command = first!.payload[0] ?? -1;
        this.#request(command, first!.payload);
        this.#reply(command, exchange, new Packets(rest, (packet) => this.#shared(packet)));
      }
    }
    return this.#samples;
  }

  #add(kind: SampleKind, payload: Uint8Array, columns: readonly Column[] = [], count = 0): void {
    this.#samples.push({
      kind,
      name: this.#name,
      payload,
      agreed: this.#fixture,
      columns,
      columnCount: count,
      execute: this.#execute,
    });
  }

  /** Messages that may come at any place. @returns whether this was one */
  #shared({ direction, payload }: FixturePacket): boolean {
    if (direction === ">") return false;
    if (payload[0] !== 0xff) return false;
    const isProgress = payload[1] === 0xff && payload[2] === 0xff;
    this.#add(isProgress ? "progress" : "err", payload);
    return true;
  }

  #login(packets: readonly FixturePacket[]): void {
    packets.forEach(({ direction, payload }, index) => {
      if (index === 0) this.#add(payload[0] === 0xff ? "err" : "greeting", payload);
      else if (index === 1) this.#add("login", payload);
      else this.#auth(direction, payload);
    });
  }

  #auth(direction: string, payload: Uint8Array): void {
    if (direction === ">") this.#add("auth answer", payload);
    else if (payload[0] === 0x00) this.#add("ok", payload);
    else if (payload[0] === 0xff) this.#add("err", payload);
    else this.#add(payload[0] === 0xfe ? "auth switch" : "auth more data", payload);
  }

  #request(command: number, payload: Uint8Array): void {
    const { capabilities } = this.#fixture;
    const statement = this.#statementOf(payload, command);
    this.#execute = {
      capabilities,
      parameters: statement?.parameters ?? 0,
      ...(statement?.types ? { types: statement.types } : {}),
      longData: new Set(statement?.longData),
    };
    this.#add(REQUESTS[command] ?? "bare", payload);
    if (!statement) return;
    if (command === Command.STMT_SEND_LONG_DATA) {
      statement.longData.add(payload[5]! | (payload[6]! << 8));
    } else if (command === Command.STMT_EXECUTE) {
      const { hasTypes, parameters } = decodeExecute(payload, this.#execute);
      if (hasTypes) statement.types = parameters;
      statement.longData.clear();
    }
  }

  #statementOf(payload: Uint8Array, command: number): Statement | undefined {
    if (command < Command.STMT_EXECUTE || payload.length < 5) return undefined;
    const id = readStatementId(payload);
    return this.#statements.get(id === 0xffffffff ? this.#lastPrepared : id);
  }

  #reply(command: number, { packets }: Exchange, reply: Packets): void {
    const statement = this.#statementOf(packets[0]!.payload, command);
    switch (command) {
      case Command.QUERY:
      case Command.PROCESS_INFO:
      case Command.STMT_EXECUTE:
      case Command.MARIADB_STMT_BULK_EXECUTE:
        return this.#results(reply, statement, command >= Command.STMT_EXECUTE);
      case Command.STMT_PREPARE:
        return this.#prepared(reply);
      case Command.FIELD_LIST:
        while (!this.#isEnd(reply.peek())) this.#add("column", reply.take()!.payload);
        return this.#end(reply);
      case Command.STMT_FETCH:
        return this.#rows(reply, statement?.columns ?? [], { count: 0, isBinary: true });
      case Command.STATISTICS: {
        const packet = reply.take();
        if (packet) this.#add("text", packet.payload);
        return;
      }
      case Command.CHANGE_USER:
        for (let packet = reply.take(); packet; packet = reply.take()) {
          this.#auth(packet.direction, packet.payload);
        }
        return;
      case Command.BINLOG_DUMP:
      case Command.BINLOG_DUMP_GTID:
        while (reply.peek()?.payload[0] === 0x00) this.#add("event", reply.take()!.payload);
        return this.#end(reply);
      default:
        return this.#end(reply);
    }
  }

  #isEnd(packet: FixturePacket | undefined): boolean {
    return !packet || (packet.payload[0] === 0xfe && packet.payload.length < 0xffffff);
  }

  /** OK or EOF, whichever comes; nothing where the server closed or sent ERR. @returns status */
  #end(reply: Packets): void {
    const packet = reply.take();
    if (packet) this.#add(packet.payload.length === 5 ? "eof" : "ok", packet.payload);
  }

  #prepared(reply: Packets): void {
    const packet = reply.take();
    if (!packet) return;
    const { payload } = packet;
    this.#add("prepare head", payload);
    const head = decodePrepareHead(payload, this.#fixture.capabilities);
    const statement: Statement = {
      parameters: head.parameters,
      columns: [],
      types: undefined,
      longData: new Set(),
    };
    this.#statements.set(head.statementId, statement);
    this.#lastPrepared = head.statementId;
    if (head.metadataFollows) this.#definitions(reply, head.parameters);
    if (head.parameters > 0 && !this.#deprecatesEof) this.#end(reply);
    if (head.metadataFollows) statement.columns = this.#definitions(reply, head.columns);
    if (head.columns > 0 && !this.#deprecatesEof) this.#end(reply);
  }

  #definitions(reply: Packets, count: number): Column[] {
    const columns: Column[] = [];
    for (let index = 0; index < count; index++) {
      const { payload } = reply.take()!;
      this.#add("column", payload);
      columns.push(decodeColumn(payload, this.#fixture));
    }
    return columns;
  }

  #results(reply: Packets, statement: Statement | undefined, isBinary: boolean): void {
    for (let packet = reply.take(); packet; packet = reply.take()) {
      const { payload, direction } = packet;
      if (direction === ">") this.#add("file", payload);
      else if (payload[0] === 0xfb) this.#add("infile", payload);
      else if (payload[0] === 0x00) this.#add("ok", payload);
      else this.#resultSet(reply, payload, { statement, isBinary });
    }
  }

  #resultSet(
    reply: Packets,
    head: Uint8Array,
    { statement, isBinary }: { statement: Statement | undefined; isBinary: boolean },
  ): void {
    this.#add("column count", head);
    const count = head[0]!;
    const hasDefinitions = !this.#hasMetadataFlag || head[1] === 1;
    const columns = hasDefinitions ? this.#definitions(reply, count) : statement?.columns ?? [];
    if (statement && hasDefinitions) statement.columns = columns;
    if (!this.#deprecatesEof) {
      const status = reply.peek()?.payload[3] ?? 0;
      this.#end(reply);
      // With MORE_RESULTS_EXISTS it is a cursor inside a procedure.
      const cursor = Status.CURSOR_EXISTS | Status.MORE_RESULTS_EXISTS;
      if ((status & cursor) === Status.CURSOR_EXISTS) return;
    }
    this.#rows(reply, columns, { count, isBinary });
  }

  #rows(
    reply: Packets,
    columns: readonly Column[],
    { count, isBinary }: { count: number; isBinary: boolean },
  ): void {
    while (!this.#isEnd(reply.peek())) {
      this.#add(isBinary ? "binary row" : "text row", reply.take()!.payload, columns, count);
    }
    if (reply.peek()) this.#end(reply);
  }
}

/** Packets of a reply in order; those that `shared` takes are passed over. */
class Packets {
  readonly #packets: readonly FixturePacket[];
  readonly #shared: (packet: FixturePacket) => boolean;
  #at = 0;

  constructor(packets: readonly FixturePacket[], shared: (packet: FixturePacket) => boolean) {
    this.#packets = packets;
    this.#shared = shared;
  }

  peek(): FixturePacket | undefined {
    while (this.#at < this.#packets.length && this.#shared(this.#packets[this.#at]!)) this.#at++;
    return this.#packets[this.#at];
  }

  take(): FixturePacket | undefined {
    const packet = this.peek();
    if (packet) this.#at++;
    return packet;
  }
}
