/** The database behind the proxy of the development environment. */

import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/types.ts";
import type { DevDatabaseChoice } from "./dev_options.ts";
import { EngineUnavailable, type Progress, startEngine } from "./engines/engine.ts";
import { type Account, query, randomPassword } from "./engines/query.ts";

export interface DevDatabase extends AsyncDisposable {
  readonly name: string;
  readonly address: Address;
  /** What clients log in with at the proxy. */
  readonly login: Account;
  /** What the proxy logs in with at the server. */
  readonly serverAccount: Account;
  /** Whether the login was made for this run: then its password may be shown. */
  readonly ownLogin: boolean;
  /** Schema that clients may start in, empty if there is none for sure. */
  readonly schema: string;
  /** Fulfilled with the reason once a server that was started here has ended. */
  readonly ended: Promise<string>;
}

/** Starts the database or finds it running. Throws `EngineUnavailable` if no engine can run. */
export async function openDatabase(
  choice: DevDatabaseChoice,
  onProgress: Progress,
): Promise<DevDatabase> {
  if (choice.kind === "server") return await useServer(choice.address, choice.account);
  const problems: string[] = [];
  for (const name of choice.names) {
    try {
      return await startDatabase(name, onProgress);
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      onProgress(error.message);
      if (error.cause instanceof Error) onProgress(error.cause.message);
      problems.push(name);
    }
  }
  throw new EngineUnavailable(
    `Cannot start ${problems.join(" nor ")}: install one of them as said above, or name a ` +
      "running server by --server HOST:PORT --user NAME:PASSWORD",
  );
}

async function startDatabase(
  engineName: Parameters<typeof startEngine>[0],
  onProgress: Progress,
): Promise<DevDatabase> {
  const engine = await startEngine(engineName, { onProgress });
  try {
    // A password that nobody sees: some engines listen on every interface, the proxy does not.
    const serverAccount = { user: "sluice_dev", password: randomPassword() };
    await query(engine, engine.admin, [
      `CREATE USER sluice_dev@'%' IDENTIFIED BY '${serverAccount.password}'`,
      "GRANT ALL ON *.* TO sluice_dev@'%'",
    ]);
    return {
      name: `${engine.name} (${engine.version})`,
      address: { hostname: engine.hostname, port: engine.port },
      login: { user: "dev", password: "dev" },
      serverAccount,
      ownLogin: true,
      schema: "test",
      ended: engine.exited.then(async (code) =>
        `The database server ended with exit code ${code}, its log ends with:\n` +
        await engine.logTail()
      ),
      [Symbol.asyncDispose]: () => engine.stop(),
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

async function useServer(address: Address, account: Account): Promise<DevDatabase> {
  const where = formatAddress(address);
  try {
    const databases = await query(address, account, ["SHOW DATABASES LIKE 'test'"]);
    return {
      name: where,
      address,
      login: account,
      serverAccount: account,
      ownLogin: false,
      schema: databases.length > 0 ? "test" : "",
      ended: new Promise(() => {}),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineUnavailable(`Cannot use the server ${where} as ${account.user}: ${reason}`);
  }
}
