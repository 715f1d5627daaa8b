/** What clients do in a differential run, as values that can be replayed, left out and printed. */
import type { Parameter } from "../../src/protocol/prepared.ts";
import { SERVER_NAMES, type ServerAt } from "./data.ts";

export type Op =
  | { readonly kind: "query"; readonly sql: string; readonly listsVariables?: true }
  | { readonly kind: "schema"; readonly name: string }
  | { readonly kind: "prepare"; readonly slot: number; readonly sql: string }
  | ExecuteOp
  | {
    readonly kind: "longData";
    readonly slot: number;
    readonly parameter: number;
    readonly data: string;
  }
  | { readonly kind: "fetch"; readonly slot: number; readonly rows: number }
  | { readonly kind: "resetStatement" | "close"; readonly slot: number }
  | { readonly kind: "allowSeveral"; readonly isAllowed: boolean }
  | { readonly kind: "reset" | "reconnect" | "changeUser" | "ping" };

export interface ExecuteOp {
  readonly kind: "execute";
  readonly slot: number;
  readonly parameters: readonly Parameter[];
  /** False: the types are those of the last execution. */
  readonly hasTypes: boolean;
  readonly opensCursor?: true;
  /** It is a CALL. */
  readonly isCall?: boolean;
}

export interface Step {
  /** From 1 on. */
  readonly client: number;
  /** Steps of one scenario have the same; it makes little sense to leave out some of them. */
  readonly group: number;
  readonly feature: string;
  readonly op: Op;
  /** The only server that will do. */
  readonly server: ServerAt | undefined;
  /** The statement says so itself. */
  readonly isHinted: boolean;
  /** Nothing is left afterwards that keeps a server session with the client. */
  readonly isFree: boolean;
}

/** Where clients had to log in anew between their steps, for others to have their server sessions. */
export type NewLogins = ReadonlyMap<Step, "before" | "behind">;

/** Lines for a person who wants to type it. */
export function scriptOf(steps: readonly Step[], logins: NewLogins = new Map()): string {
  return steps.map((step) => {
    const { client, op, server, isFree } = step;
    const login = logins.get(step);
    const remarks = [
      ...(server === undefined ? [] : [`on ${SERVER_NAMES[server]}`]),
      ...(isFree ? [] : ["keeps its session"]),
      ...(login === undefined ? [] : [`logs in anew ${login} it`]),
    ];
    const remark = remarks.length === 0 ? "" : `   -- ${remarks.join(", ")}`;
    return `client ${client}> ${describe(op)}${remark}`;
  }).join("\n");
}

export function describe(op: Op): string {
  switch (op.kind) {
    case "query":
      return `${op.sql};`;
    case "schema":
      return `COM_INIT_DB ${op.name}`;
    case "prepare":
      return `COM_STMT_PREPARE s${op.slot}: ${op.sql}`;
    case "execute": {
      const flags = `${op.opensCursor ? " with a cursor" : ""}${op.hasTypes ? "" : ", no types"}`;
      return `COM_STMT_EXECUTE s${op.slot}${flags} (${op.parameters.map(tell).join(", ")})`;
    }
    case "longData":
      return `COM_STMT_SEND_LONG_DATA s${op.slot}, parameter ${op.parameter}: ${op.data}`;
    case "fetch":
      return `COM_STMT_FETCH s${op.slot}, ${op.rows} rows`;
    case "resetStatement":
      return `COM_STMT_RESET s${op.slot}`;
    case "close":
      return `COM_STMT_CLOSE s${op.slot}`;
    case "allowSeveral":
      return `COM_SET_OPTION multi-statements ${op.isAllowed ? "on" : "off"}`;
    case "reset":
      return "COM_RESET_CONNECTION";
    case "changeUser":
      return "COM_CHANGE_USER";
    case "ping":
      return "COM_PING";
    case "reconnect":
      return "COM_QUIT and a new login";
  }
}

function tell({ type, unsigned, value }: Parameter): string {
  const text = value instanceof Uint8Array
    ? `x'${value.toHex()}'`
    : JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one);
  return `type ${type}${unsigned ? " unsigned" : ""}: ${text ?? "sent before"}`;
}
