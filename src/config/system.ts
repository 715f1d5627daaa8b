/** What reading a configuration needs from the machine; tests give their own. */
export interface ConfigSystem {
  /** The text of a file; throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly env: (name: string) => string | undefined;
}

export const denoSystem: ConfigSystem = {
  readFile: (path) => Deno.readTextFileSync(path),
  env: (name) => Deno.env.get(name),
};

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: boolean; readonly reason: string };

/** Error code, or name of Deno's error class, to what a person is told. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  NotFound: "no such file",
  ENOTDIR: "no such file",
  NotADirectory: "no such file",
  EACCES: "permission denied",
  PermissionDenied: "permission denied",
  EISDIR: "it is a folder",
  IsADirectory: "it is a folder",
};

/** The text of a file, or why it cannot be read; never throws. */
export function readFileText(path: string, system: ConfigSystem): FileText {
  try {
    return { ok: true, text: system.readFile(path) };
  } catch (error) {
    const { code, name } = error instanceof Error ? error as Error & { code?: string } : {};
    const reason = REASONS[code ?? ""] ?? REASONS[name ?? ""] ?? code ?? name ?? "unknown error";
    return { ok: false, missing: reason === "no such file", reason };
  }
}

/** `path` as seen from the folder of the configuration file. */
export function besideConfig(path: string, configFile: string): string {
  const folder = configFile.slice(0, configFile.lastIndexOf("/") + 1);
  return path === "" || path.startsWith("/") ? path : folder + path;
}
