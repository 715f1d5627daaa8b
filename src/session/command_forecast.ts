/** What the command does that was planned last, as far as its bytes tell before it is sent. */
import { MAX_PAYLOAD } from "../protocol/bytes.ts";
import type { Capabilities } from "../protocol/capabilities.ts";
import { decodeQuery, decodeSetOption } from "../protocol/command.ts";
import { Capability, Command } from "../protocol/constants.ts";
import { type Classified, PLAIN, UNKNOWN } from "../sql/classified.ts";
import { classifyText } from "../sql/classify.ts";
import { mayHaveEffects } from "../sql/effect_filter.ts";
import { Ask } from "../sql/effects.ts";
import type { SqlMode } from "../sql/mode.ts";
import { splitStatements } from "../sql/split.ts";
import type { ClientCommand } from "./client_command.ts";
import type { ClientInput } from "./client_input.ts";
import {
  type CommandNature,
  natureOfCommand,
  natureOfText,
  UNKNOWN_NATURE,
} from "./command_nature.ts";
import { isAllDiagnostics, KeptWarnings } from "./fact_answers.ts";
import type { PlannedCommand } from "./planned_command.ts";
import type { ServerNeed } from "./server_need.ts";
import { NAMING, SharedNames } from "./shared_names.ts";
import type { SharedStatements } from "./shared_statements.ts";
import { StatementText } from "./statement_text.ts";

/** Commands that are no text and may leave a session in any state. */
const UNKNOWN_COMMANDS: ReadonlySet<number> = new Set([
  ...[Command.BINLOG_DUMP, Command.BINLOG_DUMP_GTID, Command.REGISTER_REPLICA],
]);

/** Commands whose replies repeat how many warnings the last statement had. */
const REPEATS_WARNINGS: ReadonlySet<number> = new Set([
  ...[Command.PING, Command.INIT_DB, Command.SET_OPTION],
]);

const SEMICOLON = 0x3b;

/** Of COM_SET_OPTION with its number. */
const OPTION_LENGTH = 3;

export interface ForecastOptions {
  /** That the client agreed on. */
  readonly capabilities: Capabilities;
  /** Most prepared statements of a server session that is shared. */
  preparedLimit(): number;
  /** See `ServerHold`. */
  warnings(): number | undefined;
  /** Whether the client is pinned by what statements may end that seem to do nothing. */
  isSensitive(): boolean;
  /** How the client's texts are to be read, as of now. */
  mode(): SqlMode;
}

export class CommandForecast implements PlannedCommand {
  command = 0;
  classified: Classified = PLAIN;
  isAlone = true;
  statementId: number | undefined;
  need: ServerNeed | undefined;
  several: boolean | undefined;
  readonly text = new StatementText();
  readonly #options: ForecastOptions;
  readonly #hasAttributes: boolean;
  #names: SharedNames | undefined;
  #keptWarnings: KeptWarnings | undefined;

  constructor(options: ForecastOptions) {
    this.#options = options;
    this.#hasAttributes = (options.capabilities.base & Capability.QUERY_ATTRIBUTES) !== 0;
  }

  get mode(): SqlMode {
    return this.#options.mode();
  }

  textUpTo(characters: number): string | undefined {
    return this.text.read(characters);
  }

  /** What a command may do that is lost. @param payload of the one that was planned last */
  natureOf(payload: Uint8Array | undefined): CommandNature {
    if (payload === undefined) return UNKNOWN_NATURE;
    const [code = Command.SLEEP] = payload;
    if (code === Command.STMT_EXECUTE) return natureOfText(this.classified);
    if (code !== Command.QUERY) return natureOfCommand(code);
    const end = payload.length;
    const start = this.textStart(payload, 0, end);
    const classified = classifyText(payload, { start, end }, this.mode);
    return natureOfText(classified, payload.subarray(start));
  }

  /** The command reaches no server. */
  clear(): void {
    this.classified = PLAIN;
    this.need = undefined;
    this.several = undefined;
    this.statementId = undefined;
    this.isAlone = true;
  }

  /** What the command may do to its session. */
  foresee(command: ClientCommand, input: ClientInput): void {
    this.clear();
    this.command = command.code;
    if (UNKNOWN_COMMANDS.has(command.code)) this.classified = UNKNOWN;
    if (REPEATS_WARNINGS.has(command.code)) {
      this.need = this.#keptWarnings ??= new KeptWarnings(() => this.#options.warnings());
    }
    const { bytes, start } = input;
    const end = Math.min(start + 4 + command.length, input.end);
    if (command.code === Command.SET_OPTION && command.length >= OPTION_LENGTH) {
      this.several = decodeSetOption(bytes.subarray(start + 4, end)) === 0;
    }
    if (command.code !== Command.QUERY) return;
    const at = this.textStart(bytes, start + 4, end);
    if (!mayHaveEffects(bytes, at, end) && !this.#options.isSensitive()) return;
    this.classified = isWhole(command, input)
      ? classifyText(bytes, { start: at, end }, this.mode)
      : UNKNOWN;
    this.isAlone = !bytes.subarray(at, end).includes(SEMICOLON) ||
      (this.classified.asks & Ask.diagnosticsArea) !== 0 && this.#isAllDiagnostics(bytes, at, end);
    if ((this.classified.effects & NAMING) !== 0) this.#foreseeNames(bytes.subarray(at, end));
  }

  /** It is about a prepared statement. */
  foreseeStatement(shared: SharedStatements): void {
    this.need = shared;
    this.statementId = shared.statementId;
    this.classified = shared.classified;
    this.text.quote(shared.running);
  }

  /** The client has left, or its session is reset. */
  forgetNames(): void {
    this.#names?.clear();
  }

  /** Where the text of a COM_QUERY begins: behind the command byte and the attributes. */
  textStart(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#hasAttributes) return start + 1;
    if (bytes[start + 1] === 0) return start + 3;
    try {
      const { text } = decodeQuery(bytes.subarray(start, end), Capability.QUERY_ATTRIBUTES);
      return end - text.length;
    } catch {
      // What cannot be read is the server's to refuse.
      return end;
    }
  }

  /** Several of them leave what one does. */
  #isAllDiagnostics(bytes: Uint8Array, start: number, end: number): boolean {
    const ranges = splitStatements(bytes, { start, end }, this.mode);
    return isAllDiagnostics(bytes, ranges, this.mode);
  }

  #foreseeNames(text: Uint8Array): void {
    this.need = this.#names ??= new SharedNames({
      mode: () => this.mode,
      limit: () => this.#options.preparedLimit(),
    });
    this.classified = this.#names.plan(text, this.classified, this.isAlone);
  }
}

/** Whether all of the command is there, in one packet. */
export function isWhole({ length }: ClientCommand, input: ClientInput): boolean {
  return length < MAX_PAYLOAD && length + 4 <= input.available;
}
