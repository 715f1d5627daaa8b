import { assertEquals, assertRejects } from "@std/assert";
import { cachedFolder, withLock } from "../../../src/dev/engines/cache.ts";

Deno.test("A cached folder is built once, however many ask for it at a time", async () => {
  await using cache = await temporaryCache();
  let builds = 0;
  async function build(folder: string) {
    builds++;
    await Deno.writeTextFile(`${folder}/file`, `build ${builds}`);
  }
  const folders = await Promise.all(
    [1, 2, 3].map(() => cachedFolder("thing", build, { cache: cache.path })),
  );
  assertEquals(builds, 1);
  assertEquals(folders, Array(3).fill(`${cache.path}/thing`));
  assertEquals(await Deno.readTextFile(`${folders[0]}/file`), "build 1");
});

Deno.test("What a failed or interrupted build left is never used", async () => {
  await using cache = await temporaryCache();
  const interrupted = `${cache.path}/thing.partial-1`;
  await Deno.mkdir(interrupted, { recursive: true });
  await assertRejects(
    () =>
      cachedFolder(
        "thing",
        async (folder) => {
          await Deno.writeTextFile(`${folder}/half`, "");
          throw new Error("Cannot go on");
        },
        { cache: cache.path },
      ),
    Error,
    "Cannot go on",
  );
  assertEquals(await cache.names(), ["thing.lock"]);
  const folder = await cachedFolder(
    "thing",
    (folder) => Deno.writeTextFile(`${folder}/whole`, ""),
    { cache: cache.path },
  );
  assertEquals(await namesIn(folder), ["whole"]);
  assertEquals(await cache.names(), ["thing", "thing.lock"]);
});

Deno.test("Work under one lock name runs one after the other", async () => {
  await using cache = await temporaryCache();
  let running = 0;
  const most = await Promise.all([1, 2, 3, 4].map(() =>
    withLock(
      "name",
      async () => {
        running++;
        await Deno.stat(Deno.cwd());
        return running--;
      },
      { cache: cache.path },
    )
  ));
  assertEquals(most, [1, 1, 1, 1]);
});

async function temporaryCache() {
  const path = await Deno.makeTempDir();
  return {
    path,
    names: () => namesIn(path),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
  return names.sort();
}
