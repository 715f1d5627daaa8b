/** The errors of the proxy's own statements, in the words that operators and programs know. */
import { SluiceError } from "../errors.ts";

/** @param detail what was wanted and what was given */
export function badCommand(detail: string): SluiceError {
  return new SluiceError("bad_internal_command", `Unknown operator, bad internal cmd: ${detail}`);
}

/** The same code, since that is what operators know; the statement itself is right. */
export function notAllowed(detail: string): SluiceError {
  return new SluiceError("bad_internal_command", detail);
}

/** Programs read the id from the end of the message, so `note` stays the exception. */
export function unknownThread(id: number | bigint, note = ""): SluiceError {
  return new SluiceError(
    "unknown_thread",
    `Unknown thread id: ${BigInt.asUintN(64, BigInt(id))}${note}`,
  );
}

export function notOwner(id: number | bigint): SluiceError {
  return new SluiceError("not_owner", `You are not owner of thread ${id}`);
}

export function unknownQuery(id: bigint): SluiceError {
  return new SluiceError("unknown_query", `Unknown query id: ${BigInt.asUintN(64, id)}`);
}

/** For statements of the catalogue that the proxy does not have (yet). */
export function notSupported(statement: string): SluiceError {
  return new SluiceError("not_supported", `Not supported feature or function: ${statement}`);
}

export function interrupted(): SluiceError {
  return new SluiceError("killed", "Query execution was interrupted");
}

/** For KILL: operators know these texts. */
export function unknownPool(key: string): SluiceError {
  return new SluiceError("unknown_pool", `dbkey:${key} not exists`);
}

export function unknownPooled(id: bigint): SluiceError {
  return new SluiceError("unknown_pool", `ssid:${id} not exists`);
}

/** For SHOW. */
export function wrongPool(key: string): SluiceError {
  return new SluiceError("invalid_argument", `Invalid argument: dbkey ${key} does not exist`);
}
