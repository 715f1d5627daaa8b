/** One thing that is wrong in a configuration. Holds no password. */
export interface ConfigProblem {
  /** The file as it was named to the reader. */
  readonly file: string;
  /** From 1; 0 when no line is to blame. */
  readonly line: number;
  /** `section.key`, such as `proxy.login_timeout`; empty when no key is to blame. */
  readonly key: string;
  /** What is wrong and what is allowed, in one sentence. */
  readonly problem: string;
}

/** `sluice.toml:12: proxy.login_timeout: Expected …, got …`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
  return [place, problem.key, problem.problem].filter((part) => part !== "").join(": ");
}

/** Collects what is wrong, so that all of it is told at once. */
export class ProblemList {
  readonly file: string;
  readonly #problems: ConfigProblem[] = [];

  constructor(file: string) {
    this.file = file;
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  add(line: number, key: string, problem: string): void {
    this.#problems.push({ file: this.file, line, key, problem });
  }

  /** All problems in the order of their lines. */
  sorted(): ConfigProblem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line);
  }
}

/** A text from the configuration as a message may hold it: one line, in quotes, not endless. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[], conjunction: "and" | "or" = "and"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}
