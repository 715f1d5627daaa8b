/** What the engine files share: the started server that callers hold and the reasons for none. */

export type EngineName = "mariadb" | "mysql" | "seekdb";

export type Progress = (text: string) => void;

/** A real database server with an empty data folder of its own, reachable on 127.0.0.1 by TCP. */
export interface StartedEngine extends AsyncDisposable {
  readonly name: EngineName;
  /** What `SELECT VERSION()` says. */
  readonly version: string;
  readonly hostname: string;
  readonly port: number;
  readonly pid: number;
  /** An administrator account: all privileges, WITH GRANT OPTION where the engine has it. */
  readonly admin: { readonly user: string; readonly password: string };
  /** Fulfilled with the exit code once the server process has ended, for whatever reason. */
  readonly exited: Promise<number>;
  /** The last lines that the server wrote to its log. */
  logTail(): Promise<string>;
  /** Ends the server as a crash does, by SIGKILL; its data folder stays until `stop`. */
  kill(): Promise<void>;
  /** Ends the server cleanly and removes its data folder. Harmless when repeated. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** A free one unless given. */
  readonly port?: number;
  /** Appended to the server's command line, so they win over the defaults. */
  readonly args?: readonly string[];
  readonly onProgress?: Progress;
}

/** How one engine is installed and started; the table of all is in `engine.ts`. */
export interface EngineRecipe {
  install(onProgress: Progress): Promise<void>;
  start(options: StartOptions): Promise<StartedEngine>;
}

/** This machine cannot run the engine; the message says what to install. */
export class EngineUnavailable extends Error {
  override readonly name = "EngineUnavailable";
}

/** A child program ended with a failure; the message ends with its last output. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}
