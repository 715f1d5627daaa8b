import { messageOf } from "../errors.ts";
import { logWarning } from "../log.ts";

/** A file that is being written. */
export interface NewFile {
  /** @returns how many of the bytes were taken */
  write(bytes: Uint8Array): Promise<number>;
  sync(): Promise<void>;
  close(): void;
}

/** What writing a file needs of the machine; tests give their own. */
export interface FileStore {
  names(folder: string): Promise<readonly string[]>;
  /** Fails where the file exists. */
  create(path: string): Promise<NewFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes a rename in the folder outlast a power failure. */
  syncFolder(folder: string): Promise<void>;
}

export const denoStore: FileStore = {
  names: async (folder) => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name),
  create: (path) => Deno.open(path, { write: true, createNew: true, mode: 0o600 }),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  syncFolder: async (folder) => {
    using handle = await Deno.open(folder);
    await handle.sync();
  },
};

/**
 * Puts `text` in place of the file: after a crash at any moment there is the old text or the new
 * one. Only its owner can read it.
 *
 * @throws where nothing has changed; what has been begun is cleaned up here or by the next write
 */
export async function writeAtomically(
  path: string,
  text: string,
  store: FileStore = denoStore,
): Promise<void> {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const begun = `${path.slice(slash + 1)}.new-`;
  const place = path.slice(0, slash + 1);
  for (const name of await store.names(folder)) {
    if (name.startsWith(begun)) await store.remove(place + name);
  }
  // No other process that writes the same file has this name.
  const fresh = `${place}${begun}${crypto.randomUUID()}`;
  try {
    await writeNew(fresh, text, store);
    await store.rename(fresh, path);
  } catch (error) {
    await store.remove(fresh).catch(() => {});
    throw error;
  }
  try {
    await store.syncFolder(folder);
  } catch (error) {
    // The new text is what everybody reads from now on: too late to say that nothing changed.
    logWarning("cannot sync folder", { folder, cause: messageOf(error) });
  }
}

async function writeNew(path: string, text: string, store: FileStore): Promise<void> {
  const file = await store.create(path);
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    // Before the rename: else the name may come to lead to an empty file.
    await file.sync();
  } finally {
    file.close();
  }
}
