import { assert, assertEquals } from "@std/assert";
import { type EngineName, startEngine } from "../../src/dev/engines/engine.ts";
import { report } from "../support/report.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { TestProxy } from "../support/test_proxy.ts";
import { makeIdentityAccounts, runIdentity } from "./identity.ts";

/** MySQL needs root to be installed; the end-to-end tests run it. */
const ENGINES = (Deno.env.get("SLUICE_IDENTITY_ENGINES") ?? "mariadb,seekdb").split(",");

/** What the longest script must have, lest it shrinks unseen. */
const LEAST_COMMANDS = 300;

for (const name of ENGINES as EngineName[]) {
  Deno.test({
    name: `The same bytes directly and through the proxy on ${name}`,
    ignore: !(await isAvailable(name)),
    fn: async () => {
      await using engine = await startEngine(name);
      const accounts = makeIdentityAccounts();
      const users = [accounts.main, accounts.second]
        .map(({ user, password }) => ({ name: user, password }));
      await using proxy = await TestProxy.start({ servers: [engine.port], users });
      const proxied = { hostname: "127.0.0.1", port: proxy.port };
      const { admin } = engine;
      const result = await runIdentity(engine, proxied, { engine: name, admin, accounts });
      report(
        `identity on ${name}: ${result.classes.length} classes, ${result.commands} commands, ` +
          `${result.longest} in the longest script; masked in part: ` +
          Object.entries(result.masked).map(([mask, count]) => `${mask} ${count}`).join(", "),
      );
      assertEquals(result.differences, []);
      assert(result.longest >= LEAST_COMMANDS, `only ${result.longest} commands`);
    },
  });
}
