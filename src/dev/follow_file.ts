/** What another program appends to a file, copied while it runs. */

interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/** Copies the file and what is appended to it, until disposed of; then the rest is copied. */
export async function followFile(path: string, sink: Sink): Promise<AsyncDisposable> {
  const file = await Deno.open(path);
  let copying = Promise.resolve();
  function copy() {
    copying = copying.then(() => copyRest(file, sink));
    return copying;
  }
  const timer = setInterval(copy, 100);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await copy();
      file.close();
    },
  };
}

async function copyRest(file: Deno.FsFile, sink: Sink): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (;;) {
    const length = await file.read(buffer);
    if (!length) return;
    let written = 0;
    while (written < length) written += await sink.write(buffer.subarray(written, length));
  }
}
