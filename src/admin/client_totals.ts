/** Sums over all client sessions, made without keeping anything of each. */
import type { SessionManager } from "../session_manager.ts";

export interface ClientTotals {
  /** Sessions that are there. */
  readonly living: number;
  /** Of these: a command is in progress, and it has its server session, or needs none. */
  readonly executing: number;
  /** Of these: a command waits for a server session. */
  readonly connecting: number;
  readonly inTransaction: number;
  /** Since the start, those of sessions that have ended included. */
  readonly statements: number;
  readonly transactions: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export async function clientTotals({ clients, ended }: SessionManager): Promise<ClientTotals> {
  const sums = {
    living: 0,
    executing: 0,
    connecting: 0,
    inTransaction: 0,
    statements: 0,
    transactions: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  await clients.visit((client) => {
    sums.living++;
    if (client.phase === "executing") sums.executing++;
    if (client.phase === "connecting") sums.connecting++;
    if (client.isInTransaction) sums.inTransaction++;
    sums.statements += client.statements;
    sums.transactions += client.transactions;
    sums.bytesIn += client.bytesIn;
    sums.bytesOut += client.bytesOut;
  });
  sums.statements += ended.statements;
  sums.transactions += ended.transactions;
  sums.bytesIn += ended.bytesIn;
  sums.bytesOut += ended.bytesOut;
  return sums;
}
