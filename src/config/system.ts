import { accessSync, constants } from "node:fs";

/** What reading a configuration needs from the machine; tests give their own. */
export interface ConfigSystem {
  /** The text of a file; throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly env: (name: string) => string | undefined;
  /** Throws where a file cannot be made or added to; changes nothing. */
  readonly tryWriting: (path: string) => void;
}

export const denoSystem: ConfigSystem = {
  readFile: (path) => Deno.readTextFileSync(path),
  env: (name) => Deno.env.get(name),
  tryWriting: (path) => {
    try {
      if (Deno.statSync(path).isDirectory) throw new Deno.errors.IsADirectory();
      accessSync(path, constants.W_OK);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      accessSync(folderOf(path), constants.W_OK | constants.X_OK);
    }
  },
};

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: boolean; readonly reason: string };

const MISSING = "no such file";

/** Error code, or name of Deno's error class, to what a person is told. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: MISSING,
  NotFound: MISSING,
  ENOTDIR: MISSING,
  NotADirectory: MISSING,
  EACCES: "permission denied",
  EROFS: "read-only file system",
  PermissionDenied: "permission denied",
  EISDIR: "it is a folder",
  IsADirectory: "it is a folder",
};

/** The text of a file, or why it cannot be read; never throws. */
export function readFileText(path: string, system: ConfigSystem): FileText {
  try {
    return { ok: true, text: system.readFile(path) };
  } catch (error) {
    const reason = reasonOf(error);
    return { ok: false, missing: reason === MISSING, reason };
  }
}

/** Why lines cannot be added to a file; undefined where they can. */
export function writingProblem(path: string, system: ConfigSystem): string | undefined {
  try {
    system.tryWriting(path);
    return undefined;
  } catch (error) {
    const reason = reasonOf(error);
    // The file itself would be made.
    return reason === MISSING ? "no such folder" : reason;
  }
}

/** What a person is told of an error of a file, without the path, which the teller knows. */
export function reasonOf(error: unknown): string {
  const { code, name } = error instanceof Error ? error as Error & { code?: string } : {};
  return REASONS[code ?? ""] ?? REASONS[name ?? ""] ?? code ?? name ?? "unknown error";
}

/** `path` as seen from the folder of the configuration file. */
export function besideConfig(path: string, configFile: string): string {
  const folder = configFile.slice(0, configFile.lastIndexOf("/") + 1);
  return path === "" || path.startsWith("/") ? path : folder + path;
}
