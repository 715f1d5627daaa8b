/** Steps for the commands other than COM_QUERY. */
import { ClientAuth, LoginKey } from "../../src/protocol/auth.ts";
import { concat, encodeText } from "../../src/protocol/bytes.ts";
import { encodeQuery, encodeStatementRequest } from "../../src/protocol/command.ts";
import {
  BulkFlag,
  Capability,
  ColumnType,
  Command,
  ExecuteFlag,
} from "../../src/protocol/constants.ts";
import type { Parameter } from "../../src/protocol/prepared.ts";
import type { Value } from "../../src/protocol/binary_value.ts";
import { encodeChangeUser } from "../../src/protocol/handshake.ts";
import {
  encodeBinlogDump,
  encodeBulkExecute,
  encodeExecute,
  encodeFetch,
  encodeFieldList,
  encodeLongData,
  encodeName,
  encodeProcessKill,
  encodeSetOption,
} from "../support/codec/requests.ts";
import { type Account, type Step, step, type StepContext } from "./step.ts";

/** No server gives this id to a statement of the script. */
const UNKNOWN_STATEMENT = 0x7ffffff0;

/** A parameter of a type of {@link ColumnType}; `undefined` is a value that came as long data. */
export function parameter(type: number, value: Value | undefined, unsigned = false): Parameter {
  return { type, unsigned, name: "", value };
}

export function int(value: number | null): Parameter {
  return parameter(ColumnType.LONG, value);
}

export function text(value: string | null): Parameter {
  return parameter(ColumnType.VAR_STRING, value === null ? null : encodeText(value));
}

export function blob(value: Uint8Array | undefined): Parameter {
  return parameter(ColumnType.BLOB, value);
}

function idOf({ statements }: StepContext, name: string): number {
  return statements.get(name)?.statementId ?? UNKNOWN_STATEMENT;
}

/** Prepares a statement, known by `name` from now on. */
export function prepare(name: string, sql: string): Step {
  const prepared = step(`COM_STMT_PREPARE ${name}: ${sql.slice(0, 200)}`, async (context) => {
    const { client, statements } = context;
    const packets = await client.simple(Command.STMT_PREPARE, encodeText(sql));
    const head = packets[0]!.payload;
    if (head[0] !== 0x00) return;
    const view = new DataView(head.buffer, head.byteOffset);
    statements.set(name, {
      statementId: view.getUint32(1, true),
      columns: view.getUint16(5, true),
      parameters: view.getUint16(7, true),
      packets,
    });
  });
  return { ...prepared, mask: "statement" };
}

export interface ExecuteOptions {
  readonly flags?: number;
  /** False: the types are those of the last execution. */
  readonly hasTypes?: boolean;
}

/** Executes the statement of that name; an unknown one where the name is. */
export function execute(
  name: string,
  parameters: readonly Parameter[] = [],
  { flags = 0, hasTypes = true }: ExecuteOptions = {},
): Step {
  const title = `COM_STMT_EXECUTE ${name} (${parameters.map(shown).join(", ")})` +
    (flags === 0 ? "" : ` flags ${flags}`);
  return step(title, (context) => {
    const { capabilities } = context.client;
    const hasCount = (capabilities & Capability.QUERY_ATTRIBUTES) !== 0;
    return context.client.command(encodeExecute({
      statementId: idOf(context, name),
      flags: flags | (hasCount ? ExecuteFlag.PARAMETER_COUNT_AVAILABLE : 0),
      iterations: 1,
      hasTypes,
      parameters,
    }, capabilities));
  });
}

function shown({ type, value }: Parameter): string {
  if (value instanceof Uint8Array) return `${type}: ${value.length} bytes`;
  return `${type}: ${typeof value === "object" ? JSON.stringify(value) : value}`;
}

export const CURSOR: ExecuteOptions = { flags: ExecuteFlag.READ_ONLY };

export function fetch(name: string, rows: number): Step {
  return step(
    `COM_STMT_FETCH ${name}, ${rows} rows`,
    (context) => context.client.command(encodeFetch({ statementId: idOf(context, name), rows })),
  );
}

export function longData(name: string, index: number, data: Uint8Array): Step {
  return step(
    `COM_STMT_SEND_LONG_DATA ${name}, parameter ${index}, ${data.length} bytes`,
    (context) =>
      context.client.command(
        encodeLongData({ statementId: idOf(context, name), parameter: index, data }),
      ),
  );
}

export function resetStatement(name: string): Step {
  return step(
    `COM_STMT_RESET ${name}`,
    (context) =>
      context.client.command(encodeStatementRequest(Command.STMT_RESET, idOf(context, name))),
  );
}

export function closeStatement(name: string): Step {
  return step(
    `COM_STMT_CLOSE ${name}`,
    (context) =>
      context.client.command(encodeStatementRequest(Command.STMT_CLOSE, idOf(context, name))),
  );
}

/**
 * MariaDB's COM_STMT_BULK_EXECUTE for an int and a text parameter; `default` and `ignore` stand for
 * the indicators of those names.
 */
export function bulk(
  name: string,
  rows: readonly (readonly [Indicated<number>, Indicated<string>])[],
): Step {
  return step(
    `COM_STMT_BULK_EXECUTE ${name}, ${rows.length} rows`,
    (context) =>
      context.client.command(encodeBulkExecute({
        statementId: idOf(context, name),
        flags: BulkFlag.SEND_TYPES_TO_SERVER,
        types: [
          { type: ColumnType.LONG, unsigned: false },
          { type: ColumnType.VAR_STRING, unsigned: false },
        ],
        rows: concat(rows.flatMap(([number, word]) => [bulkInt(number), bulkText(word)])),
      })),
  );
}

type Indicated<Plain> = Plain | null | { readonly indicator: "default" | "ignore" };

const INDICATORS = { default: 2, ignore: 3 } as const;

function bulkInt(value: Indicated<number>): Uint8Array {
  if (value === null) return Uint8Array.of(1);
  if (typeof value !== "number") return Uint8Array.of(INDICATORS[value.indicator]);
  const bytes = new Uint8Array(5);
  new DataView(bytes.buffer).setInt32(1, value, true);
  return bytes;
}

function bulkText(value: Indicated<string>): Uint8Array {
  if (value === null) return Uint8Array.of(1);
  if (typeof value !== "string") return Uint8Array.of(INDICATORS[value.indicator]);
  const bytes = encodeText(value);
  return concat([Uint8Array.of(0, bytes.length), bytes]);
}

/** A command with nothing behind its byte, or with bytes as they are. */
export function command(name: keyof typeof Command, ...rest: number[]): Step {
  const payload = Uint8Array.of(Command[name], ...rest);
  return step(
    `COM_${name} ${payload.subarray(1).toHex()}`.trim(),
    ({ client }) => client.command(payload),
  );
}

/** A request whose command byte no server knows. */
export function unknownCommand(byte: number): Step {
  return step(
    `Command byte 0x${byte.toString(16)}`,
    ({ client }) => client.command(Uint8Array.of(byte)),
  );
}

/** A request without even a command byte. */
export function emptyRequest(): Step {
  return step("Empty request", ({ client }) => client.command(new Uint8Array(0)));
}

/** Queries that are all sent before the first reply is read. */
export function pipelined(...queries: readonly string[]): Step {
  return step(`${queries.length} pipelined queries, ${queries[0]} first`, async ({ client }) => {
    for (const sql of queries) {
      await client.send(
        encodeQuery({ text: encodeText(sql), attributes: [] }, client.capabilities),
      );
    }
    for (const _ of queries) await client.reply(Command.QUERY);
  });
}

/** COM_INIT_DB, COM_CREATE_DB or COM_DROP_DB. */
export function named(name: "INIT_DB" | "CREATE_DB" | "DROP_DB", schema: string): Step {
  return step(
    `COM_${name} ${schema}`,
    ({ client }) => client.command(encodeName(Command[name], encodeText(schema))),
  );
}

export function fieldList(table: string, wildcard: string): Step {
  return step(
    `COM_FIELD_LIST ${table} ${wildcard}`,
    ({ client }) => client.command(encodeFieldList({ table, wildcard })),
  );
}

export function setOption(option: number): Step {
  return step(`COM_SET_OPTION ${option}`, ({ client }) => client.command(encodeSetOption(option)));
}

export function processKill(threadId: number): Step {
  return step(
    `COM_PROCESS_KILL ${threadId}`,
    ({ client }) => client.command(encodeProcessKill(threadId)),
  );
}

/** A binlog dump that is refused. */
export function refusedDump(file: string): Step {
  return step(`COM_BINLOG_DUMP ${file}`, async ({ client }) => {
    await client.send(encodeBinlogDump({ position: 4, flags: 0, serverId: 77, file }));
    await client.packet();
  });
}

/** COM_QUERY with attributes, which clients without the capability cannot send. */
export function queryWith(attributes: readonly Parameter[], sql: string): Step {
  const names = attributes.map(({ name }) => name).join(", ");
  return step(`COM_QUERY with ${names}: ${sql}`, ({ client }) =>
    client.command(
      encodeQuery({ text: encodeText(sql), attributes }, client.capabilities),
    ));
}

/** COM_QUERY in bytes of another character set than UTF-8. */
export function queryBytes(title: string, bytes: Uint8Array): Step {
  return step(`COM_QUERY ${title}`, ({ client }) =>
    client.command(
      encodeQuery({ text: bytes, attributes: [] }, client.capabilities),
    ));
}

/** COM_CHANGE_USER with the right password, or with none. */
export function changeUser(
  which: "main" | "second",
  { database = "", password = true }: { database?: string; password?: boolean } = {},
): Step {
  const title = `COM_CHANGE_USER to the ${which} account, schema "${database}"` +
    (password ? "" : ", without password");
  return step(title, async ({ client, accounts }) => {
    const account: Account = accounts[which];
    const auth = new ClientAuth(LoginKey.fromPassword(password ? account.password : ""));
    const { plugin, response } = auth.start(client.greeting.authPlugin, client.greeting.authData);
    await client.send(encodeChangeUser({
      user: account.user,
      authResponse: response,
      database,
      charset: 45,
      authPlugin: plugin,
      attributes: new Uint8Array(0),
    }, client.capabilities));
    await client.authenticate(auth);
  });
}

/** Packets that come unasked, up to the server's close. */
export function untilClose(title: string): Step {
  return step(title, async ({ client }) => {
    try {
      while (await client.packet() !== null);
    } catch (error) {
      // Servers that shut both directions down at once are answered so by the kernel.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  });
}
