/** Files held in memory that can be written, and whose every step can be made to fail. */
import type { FileStore } from "../../src/config/atomic_file.ts";
import type { ConfigSystem } from "../../src/config/system.ts";
import { memorySystem } from "./config_tools.ts";

export class MemoryDisk implements FileStore {
  readonly files: Map<string, string>;
  readonly env: Record<string, string> = {};
  /** Names of the steps that were taken, in order. */
  readonly steps: string[] = [];
  /** The step of this number, from 0, fails; all after it too where the machine dies with it. */
  fails: { readonly at: number; readonly forGood: boolean } | undefined;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.files = new Map(Object.entries(files));
  }

  get system(): ConfigSystem {
    return {
      readFile: (path) => memorySystem(Object.fromEntries(this.files)).readFile(path),
      env: (name) => this.env[name],
      tryWriting: (path) => {
        if (path.startsWith("/missing/")) throw new Deno.errors.NotFound();
      },
    };
  }

  names(folder: string): Promise<readonly string[]> {
    return this.#step("names", () => {
      const place = `${folder}/`;
      const inside = [...this.files.keys()].filter((path) => path.startsWith(place));
      return inside.map((path) => path.slice(place.length));
    });
  }

  create(path: string) {
    return this.#step("create", () => {
      if (this.files.has(path)) throw new Deno.errors.AlreadyExists();
      this.files.set(path, "");
      return {
        write: (bytes: Uint8Array) =>
          this.#step("write", () => {
            // Less than was asked for, as disks may do.
            const taken = bytes.subarray(0, Math.ceil(bytes.length / 2) + 10);
            this.files.set(path, this.files.get(path) + new TextDecoder().decode(taken));
            return taken.length;
          }),
        sync: () => this.#step("sync", () => {}),
        close: () => {},
      };
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#step("rename", () => {
      this.files.set(to, this.files.get(from) ?? "");
      this.files.delete(from);
    });
  }

  remove(path: string): Promise<void> {
    return this.#step("remove", () => {
      if (!this.files.delete(path)) throw new Deno.errors.NotFound();
    });
  }

  syncFolder(): Promise<void> {
    return this.#step("sync folder", () => {});
  }

  async #step<Result>(name: string, action: () => Result): Promise<Result> {
    await Promise.resolve();
    const number = this.steps.push(name) - 1;
    const { at = Infinity, forGood = false } = this.fails ?? {};
    if (number === at || (forGood && number > at)) throw new Error(`disk is broken at ${name}`);
    return action();
  }
}
