/** Runs sessions of the script over connections to one address. */
import type { Address } from "../../src/config/types.ts";
import { messageOf } from "../../src/errors.ts";
import type { EngineName } from "../../src/dev/engines/engine.ts";
import { encodeAttributes } from "../support/codec/requests.ts";
import { WireClient, type WireOptions } from "../support/wire_client.ts";
import type { CapabilityClass } from "./classes.ts";
import { fileParts } from "./files.ts";
import type { ScriptSession } from "./script/script.ts";
import { type IdentityAccounts, type Step, type StepContext, stepsOf } from "./step.ts";
import { Recorder, type StepRecord } from "./transcript.ts";

export interface PerformOptions {
  readonly engine: EngineName;
  readonly accounts: IdentityAccounts;
  readonly capabilityClass: CapabilityClass;
  /** No step may take longer. Milliseconds. */
  readonly stepLimit: number;
}

export interface Performance {
  /** Agreed at the login; 0 where that failed. */
  readonly capabilities: number;
  readonly extendedCapabilities: number;
  readonly records: readonly StepRecord[];
  /** Why the login failed, or the good-bye. */
  readonly failure: string | undefined;
}

/** Runs one session to its end, or to the first step that gets no complete reply. */
export async function perform(
  address: Address,
  session: ScriptSession,
  options: PerformOptions,
): Promise<Performance> {
  const recorder = new Recorder();
  let client: WireClient | undefined;
  let failure: string | undefined;
  try {
    client = await within(
      options.stepLimit,
      WireClient.connect({ ...loginOf(address, session, options), onPacket: recorder.packet }),
      () => {},
    );
    recorder.reset();
    failure = await performSteps(client, recorder, { session, options });
  } catch (error) {
    failure = `no login: ${messageOf(error)}`;
  } finally {
    client?.close();
  }
  return {
    capabilities: client?.capabilities ?? 0,
    extendedCapabilities: client?.extendedCapabilities ?? 0,
    records: recorder.records,
    failure,
  };
}

function loginOf(
  { hostname, port }: Address,
  session: ScriptSession,
  { accounts, capabilityClass }: PerformOptions,
): WireOptions {
  const { capabilities, extendedCapabilities, charset } = capabilityClass;
  return {
    hostname,
    port,
    ...accounts.main,
    ...(session.database === undefined ? {} : { database: session.database }),
    capabilities,
    extendedCapabilities,
    charset,
    attributes: encodeAttributes([["program_name", "identity"], ["purpose", "test"]]),
    onInfile: fileParts,
  };
}

/** @returns why the session did not end well; the failure of a step stands in its record */
async function performSteps(
  client: WireClient,
  recorder: Recorder,
  { session, options }: { session: ScriptSession; options: PerformOptions },
): Promise<string | undefined> {
  const { engine, accounts, stepLimit } = options;
  const context: StepContext = { client, engine, accounts, statements: new Map() };
  const { capabilities, extendedCapabilities } = client;
  const where = { engine, capabilities, extendedCapabilities };
  for (const step of stepsOf(session.lines)) {
    if (!step.isFor(where)) continue;
    const failure = await performStep(step, context, stepLimit);
    recorder.finish(step, where, failure);
    if (failure !== undefined) return undefined;
  }
  if (session.endsByServer === true) return undefined;
  try {
    await within(stepLimit, client.quit(), () => client.close());
    return undefined;
  } catch (error) {
    return `COM_QUIT: ${messageOf(error)}`;
  }
}

async function performStep(
  step: Step,
  context: StepContext,
  limit: number,
): Promise<string | undefined> {
  try {
    await within(limit, step.run(context), () => context.client.close());
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Waits for work, but not for ever: `giveUp` should make it end. */
async function within<Result>(
  limit: number,
  work: Promise<Result>,
  giveUp: () => void,
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no complete reply within ${limit} ms`));
      giveUp();
    }, limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // What ends late, because it was given up, has been reported already.
    work.catch(() => {});
  }
}
