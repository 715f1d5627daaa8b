/**
 * Every session of this isolate, in two maps. Sessions register themselves; whoever lists or ends
 * them reads the same maps, so the two can never disagree. A leaf: it knows no kind of session.
 */
import { setImmediate } from "node:timers";

/** Named places in a client session's life; one function of the session changes them. */
export type ClientPhase =
  | "greeting"
  | "login"
  | "idle"
  | "connecting"
  | "executing"
  | "closed";

/** Why a client session must stay on the server session that it has. */
export interface PinInfo {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What did it: the begin of a statement, or the name of a command. */
  readonly cause: string;
  /** Names of tables and locks, ids of statements. */
  readonly things: readonly string[];
}

/** Whose a client session is. */
export interface SessionOwner {
  readonly id: number;
  /** False until the first login has succeeded: until then the names are only claimed. */
  readonly isLoggedIn: boolean;
  readonly user: string;
  readonly tenant: string;
  readonly cluster: string;
}

/** A client session as lists show it. Times are milliseconds since the epoch. */
export interface ClientSessionInfo extends SessionOwner {
  readonly proxySessionId: bigint;
  readonly phase: ClientPhase;
  readonly phaseSince: number;
  readonly connectedSince: number;
  readonly peer: string;
  /** What it has connected to, where that is known. */
  readonly localAddress: { readonly hostname: string; readonly port: number } | undefined;
  /** Between client and proxy. */
  readonly isEncrypted: boolean;
  readonly schema: string;
  /** Name of the command in progress, or of the last one: `COM_QUERY`; empty before the first. */
  readonly command: string;
  /** Commands that were answered. */
  readonly statements: number;
  /** Transactions that were begun and have ended. */
  readonly transactions: number;
  readonly isInTransaction: boolean;
  /** The reply in progress waits for the client to read. */
  readonly isBlockedByClient: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The one that is in use or was last used comes first. */
  readonly serverSessionIds: readonly number[];
  /** Where its last command went, and why there: `db1: hint`; empty before the first. */
  readonly route: string;
  /** Why it must stay on the server session that it has; empty where server sessions are its own. */
  readonly pins: readonly PinInfo[];
}

/** State of a session whose server sessions are shared. Undefined values are on a server only. */
export interface SessionStateInfo {
  /** Counts changes. */
  readonly version: number;
  /** System variables that were changed, by name. */
  readonly variables: ReadonlyMap<string, string | undefined>;
  /** User variables by name without `@`, as expressions that recreate them. */
  readonly userVariables: ReadonlyMap<string, string | undefined>;
}

export type ServerPhase = "connecting" | "idle" | "in_use" | "closing" | "closed";

/** A server session as lists show it. */
export interface ServerSessionInfo {
  readonly id: number;
  /** The server's own id of the connection: what its process list shows and its KILL takes. */
  readonly threadId: number;
  readonly phase: ServerPhase;
  readonly server: string;
  readonly address: string;
  readonly user: string;
  readonly schema: string;
  readonly openedSince: number;
  /** Commands that were sent to it. */
  readonly statements: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly isInTransaction: boolean;
  /** `host:port` of the proxy's end; empty until it is connected. */
  readonly localAddress: string;
  /** Version of the client's state that it was last brought to; undefined for private ones. */
  readonly stateVersion: number | undefined;
  /** Of a private one: system variables whose changes the server has reported, by lower-case name. */
  readonly variables: ReadonlyMap<string, string>;
}

/** What the manager holds of a session. `kill` ends it in whatever phase it is. */
export interface SessionEntry<Info> {
  readonly id: number;
  info(): Info;
  kill(reason: string): void;
  /** Called about once a second: the place of every time limit. */
  sweep(now: number): void;
}

/** `kill` of a client session closes it at once, without a word to the client. */
export interface ClientEntry extends SessionEntry<ClientSessionInfo> {
  /** What of its info says whose it is. */
  owner(): SessionOwner;
  /**
   * What its server sessions are made to look like; undefined where they are its own, and tell
   * themselves.
   */
  state?(): SessionStateInfo | undefined;
  /**
   * Text of the statement in progress, as far as it is kept and at most `limit` characters;
   * undefined between statements and for commands without text.
   */
  statementText(limit: number): string | undefined;
  /**
   * Ends the statement in progress and leaves the session; nothing to do between statements.
   * Resolves when the server has confirmed. @throws {SluiceError} where no server could be told
   */
  killQuery(): Promise<void>;
  /** Ends one of its server sessions. @returns false where it holds none with this `ss_id` */
  killServer(id: number): boolean;
}

export type ServerEntry = SessionEntry<ServerSessionInfo>;

const SEQUENCE_BITS = 15;
const ISOLATE_BITS = 3;
const SEQUENCES = 1 << SEQUENCE_BITS;

/** Parts of a client session id. */
export interface ClientIdParts {
  readonly proxyId: number;
  readonly isolate: number;
  readonly sequence: number;
}

/** Bit 31 is 0, then 13 bits proxy, 3 bits isolate, 15 bits sequence: the owner is computable. */
export function composeClientId({ proxyId, isolate, sequence }: ClientIdParts): number {
  return (proxyId << (SEQUENCE_BITS + ISOLATE_BITS)) | (isolate << SEQUENCE_BITS) | sequence;
}

/** How long a listing works before it pauses, and after how many items it looks at the clock. */
const SLICE_MS = 3;
const CLOCK_ITEMS = 128;

/** Visits each item, in slices between which traffic goes on. */
export async function visitInSlices<Item>(
  items: Iterable<Item>,
  visit: (item: Item) => void,
): Promise<void> {
  let visited = 0;
  let start = performance.now();
  for (const item of items) {
    visit(item);
    if (++visited % CLOCK_ITEMS !== 0 || performance.now() - start < SLICE_MS) continue;
    await pause();
    start = performance.now();
  }
}

/**
 * While V8 marks its heap in steps, the runtime looks at its sockets only once in 61 turns of its
 * event loop, so that a pause of one turn would let nobody in. At other times a turn takes 3 µs.
 */
const TURNS = 64;

function pause(): Promise<void> {
  return new Promise((resolve) => {
    let turns = 0;
    // The timer at the end gives the processor to the programs at the other ends.
    const turn = () => ++turns < TURNS ? setImmediate(turn) : setTimeout(resolve, 0);
    turn();
  });
}

/**
 * Entries in slots, and a map of slot numbers only. A map that entries come to and go from leaves
 * dead tables behind; once those are old they would keep every session that they held, with all its
 * buffers, until the next full collection.
 */
class SessionMap<Info, Entry extends SessionEntry<Info> = SessionEntry<Info>> {
  readonly #slots: (Entry | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #slotOf = new Map<number, number>();

  get size(): number {
    return this.#slotOf.size;
  }

  /** Takes the place of an entry with the same id. */
  add(entry: Entry): void {
    let slot = this.#slotOf.get(entry.id);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#slots.length;
      this.#slotOf.set(entry.id, slot);
    }
    this.#slots[slot] = entry;
  }

  remove(id: number): void {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return;
    this.#slotOf.delete(id);
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  find(id: number): Entry | undefined {
    const slot = this.#slotOf.get(id);
    return slot === undefined ? undefined : this.#slots[slot];
  }

  has(id: number): boolean {
    return this.#slotOf.has(id);
  }

  /** The entries as they come; those that are added meanwhile come too. */
  *values(): IterableIterator<Entry> {
    for (const slot of this.#slotOf.values()) yield this.#slots[slot]!;
  }

  /**
   * The entries of this moment by id, for work that pauses: each as its turn comes, and only if it
   * is still there then.
   */
  *inTurn(): Generator<Entry, void, undefined> {
    // Numbers outside of the heap: what a listing keeps from slice to slice becomes old garbage.
    const ids = new Uint32Array(this.size);
    let count = 0;
    for (const id of this.#slotOf.keys()) ids[count++] = id;
    for (const id of ids.sort()) {
      const entry = this.find(id);
      if (entry !== undefined) yield entry;
    }
  }

  /** Shows one info an entry by id, in slices between which traffic goes on. */
  async visit(look: (info: Info) => void): Promise<void> {
    await visitInSlices(this.inTurn(), (entry) => look(entry.info()));
  }

  /** The same infos as a list, for whoever needs them together. */
  async snapshot(): Promise<Info[]> {
    const infos: Info[] = [];
    await this.visit((info) => infos.push(info));
    return infos;
  }
}

/** Sums over the sessions that have ended; those of living ones are in their infos. */
export interface EndedTotals {
  clients: number;
  servers: number;
  statements: number;
  transactions: number;
  bytesIn: number;
  bytesOut: number;
}

export class SessionManager {
  readonly clients = new SessionMap<ClientSessionInfo, ClientEntry>();
  readonly servers = new SessionMap<ServerSessionInfo>();
  readonly ended: EndedTotals = {
    clients: 0,
    servers: 0,
    statements: 0,
    transactions: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  readonly #proxyId: number;
  readonly #isolate: number;
  #sequence = 0;
  #serverId = 0;

  constructor(options: { proxyId: number; isolate: number }) {
    this.#proxyId = options.proxyId;
    this.#isolate = options.isolate;
  }

  /** A client session is no more: what it has done is kept in the sums. @param info its last */
  endClient(info: ClientSessionInfo): void {
    const { ended } = this;
    this.clients.remove(info.id);
    ended.clients++;
    ended.statements += info.statements;
    ended.transactions += info.transactions;
    ended.bytesIn += info.bytesIn;
    ended.bytesOut += info.bytesOut;
  }

  endServer(id: number): void {
    this.servers.remove(id);
    this.ended.servers++;
  }

  /** A fresh `cs_id`, or undefined when all 32,767 are in use. */
  nextClientId(): number | undefined {
    for (let tries = 0; tries < SEQUENCES; tries++) {
      this.#sequence = (this.#sequence + 1) % SEQUENCES;
      if (this.#sequence === 0) continue;
      const id = composeClientId({
        proxyId: this.#proxyId,
        isolate: this.#isolate,
        sequence: this.#sequence,
      });
      if (!this.clients.has(id)) return id;
    }
    return undefined;
  }

  /** A fresh `ss_id`; 32 bits, and none that is in use. */
  nextServerId(): number {
    do this.#serverId = (this.#serverId % 0xffffffff) + 1; while (this.servers.has(this.#serverId));
    return this.#serverId;
  }
}
