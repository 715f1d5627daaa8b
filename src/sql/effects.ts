/**
 * What statements do to their session, and ask of it, that servers do not report by themselves or
 * that a server session cannot be handed on with.
 */

/** Bits of {@link Classified.effects}: what a statement may do if it succeeds. */
export const Effect = {
  setsUserVariables: 1 << 0,
  setsSystemVariables: 1 << 1,
  setsNextTransaction: 1 << 2,
  setsOneShot: 1 << 3,
  setsLastInsertId: 1 << 4,
  beginsTransaction: 1 << 5,
  endsTransaction: 1 << 6,
  beginsXa: 1 << 7,
  endsXa: 1 << 8,
  createsTemporary: 1 << 9,
  dropsTemporary: 1 << 10,
  locksTables: 1 << 11,
  unlocksTables: 1 << 12,
  locksServer: 1 << 13,
  unlocksServer: 1 << 14,
  getsLock: 1 << 15,
  releasesLock: 1 << 16,
  opensHandler: 1 << 17,
  closesHandler: 1 << 18,
  calculatesFoundRows: 1 << 19,
  prepares: 1 << 20,
  executes: 1 << 21,
  deallocates: 1 << 22,
  loadsLocal: 1 << 23,
  calls: 1 << 24,
  usesSchema: 1 << 25,
  changesPassword: 1 << 26,
  setsRole: 1 << 27,
  disconnects: 1 << 28,
  usesSequence: 1 << 29,
  unknown: 1 << 30,
} as const;

/** Bits of {@link Classified.asks}: what of its session a statement may read. */
export const Ask = {
  lastInsertId: 1 << 0,
  rowCount: 1 << 1,
  foundRows: 1 << 2,
  diagnostics: 1 << 3,
  userVariables: 1 << 4,
  connectionId: 1 << 5,
  sequence: 1 << 6,
  lastGtid: 1 << 7,
  profiles: 1 << 8,
} as const;
