import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connectLines } from "../../src/dev/connect_lines.ts";
import { run, which } from "../../src/dev/engines/command.ts";
import { startEngine } from "../../src/dev/engines/engine.ts";

const target = {
  address: { hostname: "127.0.0.1", port: 2883 },
  login: { user: "dev", password: "secret" },
  schema: "test",
};

/** A machine without any client program. */
const nowhere = () => Promise.resolve(undefined);

Deno.test("A password is shown only where it was made for this run", async () => {
  const shown = await connectLines({ ...target, showPassword: true }, nowhere);
  assertEquals(shown.slice(0, 2), [
    "mariadb -h127.0.0.1 -P2883 -udev -psecret test",
    "mysql -h127.0.0.1 -P2883 -udev -psecret --get-server-public-key test",
  ]);
  const hidden = await connectLines({ ...target, showPassword: false, schema: "" }, nowhere);
  assertEquals(hidden[0], "mariadb -h127.0.0.1 -P2883 -udev -p");
  assert(!hidden.join().includes("secret"));
  const login = { user: "dev", password: "" };
  const [none] = await connectLines({ ...target, login, showPassword: false }, nowhere);
  assertEquals(none, "mariadb -h127.0.0.1 -P2883 -udev test");
});

Deno.test("The lines work as they are printed, with and without a client program", async () => {
  await using engine = await startEngine("mariadb");
  const own = {
    address: { hostname: engine.hostname, port: engine.port },
    login: engine.admin,
    showPassword: true,
    schema: "test",
  };
  const sh = (await which("sh"))!;
  for (const line of await connectLines(own)) {
    const output = await run([sh, "-c", line], { input: "SELECT CURRENT_USER(), DATABASE()" });
    assertStringIncludes(output, "root@%\ttest");
  }
  const line = (await connectLines(own, nowhere)).at(-1)!;
  assertStringIncludes(await run([sh, "-c", line]), '"root@%"');
});
