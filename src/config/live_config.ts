/**
 * The configuration of a running proxy: what is in force, what SHOW PROXYCONFIG lists of it, and the
 * two ways to change it, ALTER PROXYCONFIG and reading the file again.
 */
import { messageOf, SluiceError } from "../errors.ts";
import { logError, logInfo } from "../log.ts";
import { settingOf } from "./alter_value.ts";
import { denoStore, type FileStore, writeAtomically } from "./atomic_file.ts";
import { defaultsOf } from "./build.ts";
import { addOverlay, type ConfigLayers, loadConfigFile, withoutFile } from "./load.ts";
import { type Merged, mergeLive } from "./merge.ts";
import {
  emptyOverlay,
  overlayPath,
  overlayValues,
  readOverlay,
  renderOverlay,
  withoutKey,
  withOverlay,
  withSetting,
} from "./overlay.ts";
import {
  findParameter,
  type Parameter,
  type ParameterRow,
  parameterRows,
  parameterTexts,
} from "./parameters.ts";
import { sizeConflict } from "./pool_sizes.ts";
import { type ConfigProblem, formatProblem, ProblemList } from "./problems.ts";
import { type ConfigSystem, denoSystem } from "./system.ts";
import type { TomlTable } from "./toml_document.ts";
import type { Config } from "./types.ts";

export type { ParameterRow } from "./parameters.ts";

/** What became of an ALTER PROXYCONFIG. */
export interface SetOutcome {
  /** The parameter by the name that SHOW PROXYCONFIG gives it. */
  readonly name: string;
  /** It is in force from the next start on. */
  readonly needsRestart: boolean;
  /** Whether the next start knows it: not where the proxy was started without a file. */
  readonly isKept: boolean;
}

/** What became of reading the file again. Names: parameters, `users`, `clusters.<name>`. */
export type ReloadOutcome =
  | {
    readonly kind: "reloaded";
    readonly changed: readonly string[];
    /** Other than what is in force, but for the next start only. */
    readonly waiting: readonly string[];
  }
  /** Nothing has changed. */
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] }
  | { readonly kind: "no_file" };

/** Told after each change of what is in force. */
export type ConfigListener = (next: Config, previous: Config) => void;

/** What a live configuration needs of the machine; tests give their own. */
export interface LiveConfigOptions {
  readonly system?: ConfigSystem;
  readonly store?: FileStore;
}

export class LiveConfig {
  readonly #file: string | undefined;
  readonly #system: ConfigSystem;
  readonly #store: FileStore;
  readonly #listeners: ConfigListener[] = [];
  #base: Config;
  #overlay: TomlTable;
  /** What the next start would begin with. */
  #wanted: Config;
  #current: Config;
  /** Changes wait for each other here. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param start a plain configuration is one that there is no file of */
  constructor(start: Config | ConfigLayers, options: LiveConfigOptions = {}) {
    const layers = "base" in start ? start : withoutFile(start);
    this.#file = layers.file;
    this.#base = layers.base;
    this.#overlay = layers.overlay;
    this.#wanted = this.#current = layers.config;
    this.#system = options.system ?? denoSystem;
    this.#store = options.store ?? denoStore;
  }

  /** In force now. */
  get current(): Config {
    return this.#current;
  }

  /** Listeners are called in the order in which they came, and must not throw. */
  onChange(listener: ConfigListener): void {
    this.#listeners.push(listener);
  }

  /** Every scalar or list key of `[proxy]` and `[log]`, in the order of the example file. */
  rows(): readonly ParameterRow[] {
    const [current, wanted] = [this.#current, this.#wanted];
    return parameterRows({ current, wanted, defaults: defaultsOf(current) });
  }

  /**
   * ALTER PROXYCONFIG SET: what is live is in force when this resolves, and the overlay file is
   * written. The empty value takes an earlier one back.
   *
   * @throws {SluiceError} unknown_config, invalid_config with what is wanted and what was given,
   * not_supported for what could be in force neither now nor later, cannot_write; then nothing has
   * changed
   */
  set(name: string, value: string): Promise<SetOutcome> {
    return this.#inTurn(() => this.#set(findParameter(name), value));
  }

  /**
   * Reads file and overlay again. All of it is valid, or nothing changes and the log says what is
   * wrong where. Never rejects.
   */
  reload(): Promise<ReloadOutcome> {
    return this.#inTurn(() => Promise.resolve(this.#reload()));
  }

  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #set(parameter: Parameter, value: string): Promise<SetOutcome> {
    const { name, row } = parameter;
    const setting = value === "" ? undefined : settingOf(value, row);
    if (setting !== undefined) {
      // By itself first, so that it is this value that a message is about.
      const alone = withSetting(emptyOverlay(), setting);
      this.#apply(alone, this.#base, (problem) => `${name}: ${problem.problem}`);
    }
    const cleared = withoutKey(this.#readOverlay(), row);
    const overlay = setting === undefined ? cleared : withSetting(cleared, setting);
    const wanted = this.#apply(overlay, this.#base, overlayProblem);
    const conflict = sizeConflict(wanted.proxy, (key) => key === row.key);
    if (conflict !== undefined) {
      throw new SluiceError("invalid_config", `${conflict.key}: ${conflict.problem}`);
    }
    const { waiting } = mergeLive(this.#current, wanted);
    const outcome = {
      name,
      needsRestart: waiting.includes(name),
      isKept: this.#file !== undefined,
    };
    if (this.#file === undefined && outcome.needsRestart) {
      throw new SluiceError(
        "not_supported",
        `Cannot set ${name}: it takes a restart, and a start without a configuration file keeps ` +
          "nothing for the next one",
      );
    }
    await this.#write(overlay);
    this.#adopt({ base: this.#base, overlay, wanted }, () => {
      logInfo("parameter set", {
        parameter: name,
        value: parameterTexts(wanted).get(name),
        needs_restart: outcome.needsRestart,
        file: this.#file && overlayPath(this.#file),
      });
    });
    return outcome;
  }

  /** The file's own state: another process or a person may have written it. */
  #readOverlay(): TomlTable {
    if (this.#file === undefined) return this.#overlay;
    const problems = new ProblemList(overlayPath(this.#file));
    const overlay = readOverlay(this.#system, problems);
    if (overlay !== undefined && problems.isEmpty) return overlay;
    throw new SluiceError("invalid_config", overlayProblem(problems.sorted()[0]!));
  }

  /** @throws {SluiceError} invalid_config with the first problem in the words of `tell` */
  #apply(overlay: TomlTable, base: Config, tell: (problem: ConfigProblem) => string): Config {
    const problems = new ProblemList(this.#file === undefined ? "" : overlayPath(this.#file));
    const values = overlayValues(overlay, base.clusters, { system: this.#system, problems });
    if (problems.isEmpty) return withOverlay(base, values);
    throw new SluiceError("invalid_config", tell(problems.sorted()[0]!));
  }

  async #write(overlay: TomlTable): Promise<void> {
    if (this.#file === undefined) return;
    const path = overlayPath(this.#file);
    try {
      await writeAtomically(path, renderOverlay(overlay, this.#file), this.#store);
    } catch (cause) {
      const message = `Cannot write ${path}: ${messageOf(cause)}`;
      throw new SluiceError("cannot_write", message, { cause });
    }
  }

  #reload(): ReloadOutcome {
    const file = this.#file;
    if (file === undefined) {
      logError("configuration not reloaded", { cause: "the start was without a file" });
      return { kind: "no_file" };
    }
    const read = addOverlay(loadConfigFile(file, this.#system), file, this.#system);
    if ("problems" in read) {
      for (const problem of read.problems) {
        logError("configuration not reloaded", {
          file: problem.file,
          line: problem.line || undefined,
          key: problem.key || undefined,
          problem: problem.problem,
        });
      }
      return { kind: "refused", problems: read.problems };
    }
    const { changed, waiting } = this.#adopt({ ...read, wanted: read.config }, (merged) => {
      logInfo("configuration reloaded", {
        file,
        changed: merged.changed.join(",") || undefined,
        needs_restart: merged.waiting.join(",") || undefined,
      });
    });
    return { kind: "reloaded", changed, waiting };
  }

  /** @param tell logs it: at the old level or the new one, whichever lets more through */
  #adopt(
    next: { base: Config; overlay: TomlTable; wanted: Config },
    tell: (merged: Merged) => void,
  ): Merged {
    const previous = this.#current;
    const merged = mergeLive(previous, next.wanted);
    const { config } = merged;
    const isLast = logsInfo(config);
    if (!isLast) tell(merged);
    this.#base = next.base;
    this.#overlay = next.overlay;
    this.#wanted = next.wanted;
    this.#current = config;
    if (config !== previous) { for (const listener of this.#listeners) listener(config, previous); }
    if (isLast) tell(merged);
    return merged;
  }
}

function logsInfo({ log }: Config): boolean {
  return log.level === "debug" || log.level === "info";
}

/** What is wrong in the overlay file beside the value that is being set. */
function overlayProblem(problem: ConfigProblem): string {
  return `Cannot set anything above a broken overlay: ${formatProblem(problem)}`;
}
