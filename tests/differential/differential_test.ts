/**
 * Many clients whose server sessions are shared, each beside a twin with a connection of its own:
 * whatever they do, on two servers, one after the other or (in long runs) all at once, they are
 * answered the same.
 *
 * - `SLUICE_DIFFERENTIAL=1000000` runs so many statements; from 100,000 on the run is a long one,
 *   half of whose rounds have a few features only.
 * - `SLUICE_SEED` repeats the rounds from that seed on: those of a long run in a long one only.
 * - `SLUICE_FEATURES` names what the generator may use, separated by commas.
 * - `SLUICE_ENGINE` names the only server.
 * - `SLUICE_KEPT=1` also fails where a server session stays with a client that has nothing left on it.
 */
import { assert } from "@std/assert";
import { type EngineName, type StartedEngine, startEngine } from "../../src/dev/engines/engine.ts";
import { report } from "../support/report.ts";
import { isAvailable } from "../support/shared_engine.ts";
import { CLASSIC } from "../support/wire_client.ts";
import { Capability } from "../../src/protocol/constants.ts";
import { FEATURES, fewFeatures } from "./generator.ts";
import { round } from "./hunt.ts";
import { prepareServers } from "./runner.ts";

/** Of one round, which begins with fresh data and clients, in a usual run and in a long one. */
const PER_ROUND = 2_000;
const PER_LONG_ROUND = 8_000;
/** From so many on it is long, and says at times how far it has come. */
const LONG = 100_000;
const ROUNDS_TOLD = 10;
/** A usual run says whether something has changed; hunting is for those who have the time. */
const USUAL_SEED = 1;

interface EnginePlan {
  readonly name: EngineName;
  /** Statements of a usual run. */
  readonly usual: number;
  /** Servers behind the proxy. */
  readonly servers: number;
}

const ENGINES: readonly EnginePlan[] = [
  { name: "mariadb", usual: 20_000, servers: 2 },
  { name: "mysql", usual: 20_000, servers: 2 },
  // A tenth of the speed of the others, and each server takes a gigabyte.
  { name: "seekdb", usual: 2_000, servers: 1 },
];

for (const { name, usual, servers: count } of ENGINES) {
  const ignore = !await isAvailable(name) || (Deno.env.get("SLUICE_ENGINE") ?? name) !== name;
  Deno.test({ name: `${name}: shared sessions answer as private ones`, ignore }, async () => {
    const total = Number(Deno.env.get("SLUICE_DIFFERENTIAL") ?? usual);
    const seed = Number(Deno.env.get("SLUICE_SEED") ?? USUAL_SEED);
    const chosen = Deno.env.get("SLUICE_FEATURES")?.split(",");
    const all = FEATURES.map((feature) => feature.name);
    await using direct: StartedEngine = await startEngine(name);
    await using started = new AsyncDisposableStack();
    const shared: StartedEngine[] = [];
    while (shared.length < count) shared.push(started.use(await startEngine(name)));
    const servers = { direct, shared };
    await prepareServers(servers);
    report(`${name}: ${total} statements, SLUICE_SEED=${seed}`);
    const steps = total < LONG ? PER_ROUND : PER_LONG_ROUND;
    for (let at = 0; at * steps < total; at++) {
      const own = (seed + at) >>> 0;
      // What clients meet at once depends on more than the seed: that is for those who hunt.
      const isConcurrent = total >= LONG && (own >>> 1) % 2 === 1;
      const few = total >= LONG && (own >>> 2) % 2 === 1 ? fewFeatures(own, name) : undefined;
      const failure = await round(servers, own, {
        clients: 50,
        servers: count,
        sessions: 2,
        isConcurrent,
        steps,
        features: chosen ?? few ?? all,
        capabilities: own % 2 === 0 ? CLASSIC : CLASSIC | Capability.DEPRECATE_EOF,
        mustShare: Deno.env.get("SLUICE_KEPT") === "1",
        probeEvery: 500,
      });
      assert(failure === undefined, `\n${failure?.report}`);
      if ((at + 1) % ROUNDS_TOLD === 0) report(`${name}: ${(at + 1) * steps} are the same`);
    }
  });
}
