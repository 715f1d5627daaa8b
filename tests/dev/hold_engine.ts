/** Starts MariaDB, prints its pid, and holds it until this process is killed. */

import { startEngine } from "../../src/dev/engines/engine.ts";

const engine = await startEngine("mariadb");
await Deno.stdout.write(new TextEncoder().encode(`${engine.pid}\n`));
await engine.exited;
