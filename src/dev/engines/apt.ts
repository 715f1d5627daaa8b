/** Debian packages, for the programs that a developer's machine lacks. */

import { withLock } from "./cache.ts";
import { atMostEachSecond, isRoot, run, which } from "./command.ts";
import { CommandFailed, EngineUnavailable, type Progress } from "./types.ts";

/** Whether `aptInstall` can work here: root on a machine with apt. */
export async function canAptInstall(): Promise<boolean> {
  return isRoot() && await which("apt-get") !== undefined;
}

/**
 * Installs Debian packages without the recommended ones. Throws `EngineUnavailable` for anybody
 * but root, and when apt fails.
 */
export async function aptInstall(
  packages: readonly string[],
  onProgress: Progress,
): Promise<void> {
  const names = packages.join(" ");
  if (!await canAptInstall()) {
    throw new EngineUnavailable(
      `Install ${names} and try again: only root on a machine with apt-get can have it installed`,
    );
  }
  const onLine = atMostEachSecond((line) => onProgress(`apt-get: ${line}`));
  onProgress(`Installing ${names} with apt-get`);
  await withLock("apt", async () => {
    const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
    try {
      // A failed update of one foreign source need not spoil the others: install decides.
      await run(["apt-get", "update"], { env, onLine }).catch(onlyCommandFailures);
      await run(
        ["apt-get", "install", "-y", "--no-install-recommends"]
          .concat(["-o", "DPkg::Lock::Timeout=300", ...packages]),
        { env, onLine },
      );
    } catch (error) {
      throw new EngineUnavailable(`Cannot install ${names} with apt-get`, { cause: error });
    }
  }, { onProgress });
}

/**
 * The Debian mirror that this machine's apt uses, for `debootstrap`; its own default where apt
 * names none, as on systems that only derive from Debian.
 */
export async function debianMirror(): Promise<string | undefined> {
  const text = await run(["apt-get", "indextargets", "--format", "$(REPO_URI)"]);
  return text.split("\n").find((uri) => /\/debian\/?$/.test(uri));
}

function onlyCommandFailures(error: unknown): void {
  if (!(error instanceof CommandFailed)) throw error;
}
