import { attempt, type BenchRun } from "./bench_run.ts";
import { LISTING_LOADS, type ListingLoad, LISTINGS } from "./figures.ts";
import { LoadClients } from "./load_clients.ts";
import { POINT_STATEMENT } from "./loads.ts";
import { Proxy, type ProxyKind } from "./proxy.ts";
import { say } from "./say.ts";
import { median, quantile, shuffled } from "./statistics.ts";

/** A proxy full of idle sessions, with an operator's session and one of an application. */
interface Stage {
  readonly kind: ProxyKind;
  readonly idle: readonly LoadClients[];
  readonly operator: LoadClients;
  readonly application: LoadClients;
}

/** Which rounds have lists beside the point selects. */
type Lists = "beside" | "alone";

/**
 * The part `listing`: how long the lists of all sessions take, and how much they delay the replies
 * of another session.
 */
export async function runListing(run: BenchRun): Promise<void> {
  // A relay that knows no protocol has no list of its own.
  const kinds = run.kinds.filter((kind) => kind.loginsWithoutServer);
  for (const load of LISTING_LOADS) {
    await using stack = new AsyncDisposableStack();
    const stages: Stage[] = [];
    for (const kind of kinds) {
      say(`Opening ${load.title} of ${kind.name} to list them`);
      await attempt(run, `lists of ${load.title}, ${kind.name}`, async () => {
        const stage = await setUp(run, load, { kind, stack });
        await warmUp(run, stage, load);
        stages.push(stage);
      });
    }
    for (let round = 1; round <= run.options.rounds; round++) {
      say(`Round ${round} of ${run.options.rounds}: lists of ${load.title}`);
      for (const stage of shuffled(stages)) {
        for (const lists of shuffled(["beside", "alone"] as const)) {
          const what = `lists of ${load.title}, ${stage.kind.name}, round ${round}`;
          await attempt(run, what, () => measure(run, stage, { load, lists, round }));
        }
      }
    }
    for (const stage of stages) await conclude(run, stage, load);
  }
}

async function setUp(
  run: BenchRun,
  load: ListingLoad,
  { kind, stack }: { kind: ProxyKind; stack: AsyncDisposableStack },
): Promise<Stage> {
  const { address } = stack.use(await Proxy.start(kind, run.server, run.folder));
  const unused = stack.use(new LoadClients(address, { ...run.account, database: "" }));
  const used = stack.use(new LoadClients(address, run.account));
  await unused.open(load.clients - load.withServer);
  await used.open(load.withServer, { statements: ["SELECT 1"] });
  return {
    kind,
    idle: [unused, used],
    operator: stack.use(new LoadClients(address, { ...run.account, database: "" })),
    application: stack.use(new LoadClients(address, run.account)),
  };
}

async function warmUp(run: BenchRun, stage: Stage, load: ListingLoad): Promise<void> {
  const ms = run.options.warmUpSeconds * 1000;
  await stage.application.time([POINT_STATEMENT], { ms, rows: 1 });
  await stage.operator.time(LISTINGS, { ms, rows: load.clients });
}

async function measure(
  run: BenchRun,
  { kind, operator, application }: Stage,
  { load, lists, round }: { load: ListingLoad; lists: Lists; round: number },
): Promise<void> {
  const ms = run.options.seconds * 1000;
  const [[selects], times] = await Promise.all([
    application.time([POINT_STATEMENT], { ms, rows: 1 }),
    lists === "alone" ? [] : operator.time(LISTINGS, { ms, rows: load.clients }),
  ]);
  const add = (name: string, value: number) => {
    run.samples.add(`${load.key}_${name}`, kind.name, { round, value });
  };
  add(`${lists}_p999`, quantile(selects!, 0.999));
  add(`${lists}_max`, quantile(selects!, 1));
  times.forEach((one, at) => add(String(at), median(one)));
  add("p99", quantile(times.flat(), 0.99));
  add("max", quantile(times.flat(), 1));
}

/** What is known after all rounds: the delay, and whether the idle sessions were left alone. */
async function conclude(run: BenchRun, stage: Stage, { key, title }: ListingLoad): Promise<void> {
  const { name } = stage.kind;
  const usual = run.samples.summary(`${key}_alone_max`, name, "low")?.median ?? NaN;
  for (let round = 1; round <= run.options.rounds; round++) {
    const slowest = run.samples.get(`${key}_beside_max`, name, round) ?? NaN;
    run.samples.add(`${key}_delay`, name, { round, value: slowest - usual });
  }
  for (const clients of stage.idle) {
    const lost = await clients.lost();
    if (lost > 0) run.failures.push(`${lost} of the sessions that were listed, ${name}, ${title}`);
  }
}
