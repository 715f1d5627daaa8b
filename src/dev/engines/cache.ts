/** Folders that are costly to make (downloads, unpacked servers, fresh data folders), made once. */

import type { Progress } from "./types.ts";

export interface CacheOptions {
  /** Told that another process is waited for. */
  readonly onProgress?: Progress;
  /** Folder of the cache, for tests. */
  readonly cache?: string;
}

/** `$XDG_CACHE_HOME/sluice`, else `~/.cache/sluice`. */
function cacheFolder(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${base}/sluice`;
}

/**
 * Path of the cached folder `name`, filled by `build` when it does not exist yet. The final name
 * appears by one rename after `build` has succeeded, so what an interrupted build left is never
 * used and is built again. Other processes wait for a build under way.
 */
export async function cachedFolder(
  name: string,
  build: (folder: string) => Promise<void>,
  { onProgress = () => {}, cache = cacheFolder() }: CacheOptions = {},
): Promise<string> {
  const folder = `${cache}/${name}`;
  if (await exists(folder)) return folder;
  return await withLock(
    name,
    async () => {
      if (await exists(folder)) return folder;
      await removeLeftovers(cache, name);
      // A fresh name each time: a program that outlived its interrupted build may still write.
      const partial = `${folder}.partial-${crypto.randomUUID()}`;
      await Deno.mkdir(partial);
      try {
        await build(partial);
      } catch (error) {
        await removeLeftovers(cache, name);
        throw error;
      }
      await Deno.rename(partial, folder);
      return folder;
    },
    { onProgress, cache },
  );
}

/** Runs `work` while no other process on this machine runs one under the same lock name. */
export async function withLock<T>(
  name: string,
  work: () => Promise<T>,
  { onProgress = () => {}, cache = cacheFolder() }: CacheOptions = {},
): Promise<T> {
  await Deno.mkdir(cache, { recursive: true });
  // The kernel drops the lock when its holder ends, however that happens.
  using file = await Deno.open(`${cache}/${name}.lock`, { create: true, write: true });
  const waiting = setTimeout(() => onProgress(`Waiting for another process to make ${name}`), 500);
  try {
    await file.lock(true);
  } finally {
    clearTimeout(waiting);
  }
  return await work();
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What failed and interrupted builds of `name` left behind. What cannot be removed now is left for later. */
async function removeLeftovers(cache: string, name: string): Promise<void> {
  for await (const entry of Deno.readDir(cache)) {
    if (!entry.name.startsWith(`${name}.partial-`)) continue;
    await Deno.remove(`${cache}/${entry.name}`, { recursive: true }).catch(() => {});
  }
}
