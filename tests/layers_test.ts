/**
 * The architecture as a table: a member imports lower levels only, type imports included; members
 * of one level do not import each other. Changing the table is changing the architecture.
 */
import { assert, assertEquals } from "@std/assert";

/** Names below `src/`; folders end with a slash. Members that are still to come have their place. */
const LEVELS: readonly (readonly string[])[] = [
  ["logfmt.ts"],
  ["errors.ts", "log.ts", "version.ts"],
  ["protocol/", "sql/", "config/", "session_manager.ts"],
  ["net/", "state/"],
  ["backend/"],
  ["route/", "cluster/"],
  ["admin/"],
  ["session/"],
  ["proxy.ts"],
  ["worker.ts"],
  ["main.ts"],
];

/** Developer tools: they may import everything, and nothing outside imports them. */
const TOOLS = "dev/";

/** Members with no I/O, no waiting, no clock and no chance: these get them as arguments. */
const PURE = ["protocol/", "sql/", "state/", "route/"];
const IMPURE = /\b(async|await|Promise|setTimeout|setInterval|queueMicrotask|Deno)\b|\bfetch\(/;
const CLOCK_OR_CHANCE = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bMath\.random\b|\brandom/;

/** The little that a member may import of levels 0 and 1, where it is less than all. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": [],
  "log.ts": ["logfmt.ts"],
  "version.ts": [],
  "protocol/": ["errors.ts"],
  "sql/": ["errors.ts"],
  "config/": ["errors.ts", "log.ts", "version.ts"],
  "session_manager.ts": ["errors.ts", "log.ts"],
  "net/": ["errors.ts", "log.ts", "protocol/", "config/types.ts"],
};

/** Every package has one file of ours that it is behind. */
const PACKAGES: Readonly<Record<string, string>> = {
  "@logtape/logtape": "log.ts",
  "@std/cli/parse-args": "config/flags.ts",
  "@std/toml": "config/toml_document.ts",
};

/** Sockets are opened in one place. */
const SOCKETS =
  /\bDeno\.(connect|listen|connectTls|listenTls|startTls|serve)\b|\bnode:(net|tls|http)/;
const SOCKET_MEMBER = "net/";

interface Source {
  /** Path below `src/`, or `main.ts`. */
  readonly path: string;
  readonly member: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly string[];
  readonly packages: readonly string[];
}

const ROOT = new URL("../", import.meta.url);
const sources = [...readFolder("src/"), readSource("main.ts")];
const own = sources.filter((source) => source.member !== TOOLS);

function readFolder(folder: string): Source[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    if (entry.isDirectory) return readFolder(`${folder}${entry.name}/`);
    return entry.name.endsWith(".ts") ? [readSource(folder + entry.name)] : [];
  });
}

function readSource(file: string): Source {
  const code = Deno.readTextFileSync(new URL(file, ROOT))
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/.*$/gm, "");
  const specifiers = [
    ...code.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g),
    ...code.matchAll(/new URL\(\s*"([^"]+\.ts)"/g),
  ].map((match) => match[1]!);
  const isOwn = (specifier: string) => /^\.\.?\//.test(specifier);
  const path = file.replace(/^src\//, "");
  return {
    path,
    member: memberOf(path),
    code,
    imports: specifiers.filter(isOwn).map((specifier) => {
      const target = new URL(specifier, new URL(file, ROOT)).pathname;
      return target.slice(ROOT.pathname.length).replace(/^src\//, "");
    }),
    packages: specifiers.filter((specifier) => !isOwn(specifier)),
  };
}

function memberOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? path : path.slice(0, slash + 1);
}

function levelOf(member: string): number {
  return LEVELS.findIndex((members) => members.includes(member));
}

Deno.test("Every source file has its place in the table of levels", () => {
  assert(sources.length > 50);
  const members = new Set(own.map(({ member }) => member));
  assertEquals([...members].filter((member) => levelOf(member) < 0), []);
});

Deno.test("Imports go to lower levels only", () => {
  const wrong = own.flatMap(({ path, member, imports }) =>
    imports
      .filter((target) => memberOf(target) !== member)
      .filter((target) => {
        const level = levelOf(memberOf(target));
        return level < 0 || level >= levelOf(member);
      })
      .map((target) => `${path} imports ${target}`)
  );
  assertEquals(wrong, []);
});

Deno.test("Members with a list of what they may import keep to it", () => {
  const wrong = own.flatMap(({ path, member, imports }) =>
    imports
      .filter((target) => memberOf(target) !== member && ONLY[member] !== undefined)
      .filter((target) => !ONLY[member]!.some((allowed) => target.startsWith(allowed)))
      .map((target) => `${path} imports ${target}`)
  );
  assertEquals(wrong, []);
});

Deno.test("No files import each other in a circle", () => {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): string[] {
    const start = trail.indexOf(path);
    if (start >= 0) return [[...trail.slice(start), path].join(" -> ")];
    if (done.has(path)) return [];
    const found = (graph.get(path) ?? []).flatMap((next) => visit(next, [...trail, path]));
    done.add(path);
    return found;
  }
  assertEquals([...graph.keys()].flatMap((path) => visit(path, [])), []);
});

Deno.test("Sockets are opened in one member only", () => {
  const wrong = own.filter(({ code, member }) => member !== SOCKET_MEMBER && SOCKETS.test(code));
  assertEquals(wrong.map(({ path }) => path), []);
  assert(own.some(({ code, member }) => member === SOCKET_MEMBER && SOCKETS.test(code)));
});

Deno.test("Pure members neither wait nor look at the world", () => {
  const wrong = own.filter(({ member }) => PURE.includes(member)).flatMap(({ path, code }) =>
    code.split("\n")
      .filter((line) => IMPURE.test(line) || CLOCK_OR_CHANCE.test(line))
      .map((line) => `${path}: ${line.trim()}`)
  );
  assertEquals(wrong, []);
});

Deno.test("Each package is behind the file that the table names", () => {
  const wrong = own.flatMap(({ path, packages }) =>
    packages
      .filter((name) => !name.startsWith("node:") && PACKAGES[name] !== path)
      .map((name) => `${path} imports ${name}`)
  );
  assertEquals(wrong, []);
});

Deno.test("The developer tools are imported by nothing outside of them", () => {
  const wrong = own.flatMap(({ path, imports }) =>
    imports.filter((target) => target.startsWith(TOOLS)).map((target) => `${path}: ${target}`)
  );
  assertEquals(wrong, []);
});
