/**
 * Knows where in the reply to a command a server session is, from the heads of its packets.
 *
 * The relay feeds it what it has read, packet boundaries or not; it answers how much of that may go
 * to the client. Packets that fit the relay's buffer pass whole, so that a lost server leaves the
 * client at a packet boundary, where an ERR can still be put; larger ones pass in parts.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */
import { ProtocolError } from "../errors.ts";
import { MAX_PAYLOAD, PacketReader } from "./bytes.ts";
import { shortenPacket } from "./packet_edit.ts";
import { Capability, Head, MariaDbCapability, Status } from "./constants.ts";
import { FIRST_PLACE, OUT_PARAMETERS, Place, PLACE_NAMES } from "./reply_places.ts";
import type { CommandRow } from "./replies.ts";
import { decodeErr, decodeOk, withoutSessionTrack, withStatementId } from "./response.ts";
import type { ClientTurn, TrackerOptions } from "./tracker_options.ts";

export type { ClientTurn, TrackerOptions } from "./tracker_options.ts";

export class ReplyTracker {
  /** Status flags of the last OK or EOF. */
  status: number = Status.AUTOCOMMIT;
  /** Code of the ERR that ended the last reply; 0 where none did. */
  errorCode = 0;
  /** Of the last OK or EOF: what SHOW WARNINGS would show. */
  warnings = 0;
  /** Whether any OK or EOF of the reply has counted some. */
  hasWarned = false;
  /** What ROW_COUNT() would tell: the changed rows of the last OK, or -1 where it ended rows. */
  rowCount: number | bigint = 0;
  /** The last one that the reply had; 0 where it had none. */
  lastInsertId: number | bigint = 0;
  /** Rows of the last result set. */
  rows = 0;
  /** Whether the reply had a result set, so that `rows` is its count. */
  hasRows = false;
  /** What a server said of what was prepared last: its id there, and counts. */
  statementId = 0;
  parameters = 0;
  columns = 0;
  /**
   * End of the bytes in the fed buffer: less than what was fed where session-track data was taken
   * out, after which the bytes behind it were moved up.
   */
  end = 0;
  /** Bytes that a packet needs which is larger than `wholeUpTo` and yet must be seen whole; or 0. */
  needed = 0;
  clientTurn: ClientTurn = "waits";

  readonly #options: TrackerOptions;
  readonly #deprecatesEof: boolean;
  #place: Place = Place.DONE;
  /** Sequence number that the next packet must have. */
  #sequence = 0;
  /** Bytes still to pass of a packet that passes in parts. */
  #skip = 0;
  /** Whether the next packet goes on with a message of 16 MiB and more, and so has no head. */
  #continues = false;
  /** Column or parameter definitions to come. */
  #definitions = 0;
  /** Columns that follow the parameters of a prepared statement. */
  #columnsAfter = 0;
  /** Whether the definitions of a prepared statement are left out. */
  #leavesOut = false;
  #mayOpenCursor = false;
  /** Whether the EOF before the rows has said that an OK comes behind them. */
  #hasOkBehind = false;
  /** Added to the packet numbers on their way to the client, whose command has had replies before. */
  #shift = 0;
  /** Whether the client shall expect one more reply behind this one. */
  #isFollowed = false;
  /** The id that the client is told for a statement in place of the server's; 0: the server's. */
  #toldStatementId = 0;
  #toldWarnings: number | undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#deprecatesEof = (options.capabilities & Capability.DEPRECATE_EOF) !== 0;
  }

  get done(): boolean {
    return this.#place === Place.DONE && this.#skip === 0;
  }

  /** Whether nothing of a packet has passed without its rest, so that an ERR may follow. */
  get atBoundary(): boolean {
    return this.#skip === 0 && !this.#continues;
  }

  /** Sequence number of the packet that the client expects next. */
  get nextSequence(): number {
    return (this.#sequence + this.#shift) & 0xff;
  }

  /**
   * @param sequence the last one that the command's packets used
   * @param mayOpenCursor whether the command asks for a cursor, so that its rows may come later
   */
  begin(row: CommandRow, sequence: number, mayOpenCursor = true): void {
    this.#place = FIRST_PLACE[row.shape];
    this.#mayOpenCursor = mayOpenCursor;
    this.#hasOkBehind = false;
    this.#sequence = (sequence + 1) & 0xff;
    this.#shift = 0;
    this.#isFollowed = false;
    this.#toldStatementId = 0;
    this.#toldWarnings = undefined;
    this.errorCode = 0;
    this.lastInsertId = 0;
    this.hasWarned = this.hasRows = false;
    this.clientTurn = this.#place >= Place.AUTH ? "talks" : "waits";
  }

  /**
   * Makes the reply that begins one of several to the client's command: packets are numbered on
   * from `sequence`, and unless it is the last one its end says that more results follow. Both are
   * written into what is fed.
   */
  join(sequence: number, isFollowed: boolean): void {
    this.#shift = (sequence - this.#sequence) & 0xff;
    this.#isFollowed = isFollowed;
  }

  /**
   * The id that the client knows the statement by that this reply is about. An error has it in
   * place of `NO_STATEMENT`.
   */
  tellStatementId(id: number): void {
    this.#toldStatementId = id;
  }

  /** What OK packets count in place of what another client has left. */
  tellWarnings(count: number): void {
    this.#toldWarnings = count;
  }

  /** What is to be added to numbers of the client's packets for the server. */
  get clientShift(): number {
    return -this.#shift & 0xff;
  }

  /** The client has ended its file, or its part of a talk, with the packet of this number. */
  resume(sequence: number): void {
    this.#sequence = (sequence + 1 - this.#shift) & 0xff;
    if (this.clientTurn === "sends_file") this.clientTurn = "waits";
  }

  /**
   * Walks `bytes` from `from`, where its last walk ended, to `end`.
   * @returns up to where the bytes may go to the client; `end` of the tracker says up to where
   *   there are bytes
   * @throws {ProtocolError} where this is no reply to the command
   */
  feed(bytes: Uint8Array, from: number, end: number): number {
    this.end = end;
    this.needed = 0;
    let at = from;
    if (this.#skip > 0) {
      const part = Math.min(this.#skip, end - at);
      this.#skip -= part;
      at += part;
    }
    while (this.#place !== Place.DONE && this.#place !== Place.TUNNEL && this.end - at >= 4) {
      const length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      const next = at + 4 + length;
      if (bytes[at + 3] !== this.#sequence && this.#place !== Place.STREAM) {
        throw new ProtocolError(
          `Cannot follow the reply: expected packet number ${this.#sequence}, got ${bytes[at + 3]}`,
        );
      }
      if (next > this.end) return this.#feedPart(bytes, at, length);
      this.#number(bytes, at);
      if (this.#continues) {
        this.#continues = length === MAX_PAYLOAD;
      } else if (this.#isRow(bytes, at, length)) {
        this.rows++;
        this.#continues = length === MAX_PAYLOAD;
      } else {
        const shrunk = this.#packet(bytes, at, length);
        this.#continues = length === MAX_PAYLOAD;
        at = next - shrunk;
        continue;
      }
      at = next;
    }
    return this.#place === Place.TUNNEL ? this.end : at;
  }

  /** The last packet of what was read is not all there: it waits, or passes in parts. */
  #feedPart(bytes: Uint8Array, at: number, length: number): number {
    const total = length + 4;
    const have = this.end - at;
    if (total <= this.#options.wholeUpTo || have < 5) return at;
    const isRow = !this.#continues && this.#isRow(bytes, at, length);
    const isHead = !this.#continues && !isRow;
    if (isHead && this.#isControl(bytes[at + 4]!)) {
      this.needed = total;
      return at;
    }
    this.#number(bytes, at);
    if (isRow) this.rows++;
    if (isHead) this.#packet(bytes, at, length);
    this.#continues = length === MAX_PAYLOAD;
    this.#skip = total - have;
    return this.end;
  }

  /** A packet begins to pass: counts it, and gives it the number that the client expects. */
  #number(bytes: Uint8Array, at: number): void {
    if (this.#shift !== 0) bytes[at + 3] = this.nextSequence;
    this.#sequence = (this.#sequence + 1) & 0xff;
  }

  /** The hot case: a row of a result set, which nobody looks into. */
  #isRow(bytes: Uint8Array, at: number, length: number): boolean {
    if (this.#place !== Place.ROWS) return false;
    const head = bytes[at + 4]!;
    if (head < Head.EOF || length === 0) return true;
    if (head === Head.ERR) return false;
    // A row may begin with 0xfe too: the length of a column of 16 MiB and more.
    return this.#deprecatesEof ? length === MAX_PAYLOAD : length >= 9;
  }

  /** Whether a packet with this head carries status that must be read, and so be there whole. */
  #isControl(head: number): boolean {
    switch (this.#place) {
      case Place.RESULT:
      case Place.STATUS:
      case Place.AUTH:
      case Place.PREPARED:
        return true;
      default:
        return head >= Head.EOF;
    }
  }

  /** Advances by one whole packet. @returns by how many bytes it was made shorter */
  #packet(bytes: Uint8Array, at: number, length: number): number {
    const head = length > 0 ? bytes[at + 4]! : -1;
    if (head === Head.ERR && length >= 3 && this.#place !== Place.STREAM) {
      return this.#error(bytes, at, length);
    }
    switch (this.#place) {
      case Place.RESULT:
        if (head === Head.OK) return this.#ok(bytes, at, length, true);
        if (head === Head.EOF && length < 9) return this.#eof(bytes, at, length, true);
        if (head === Head.LOCAL_INFILE) {
          this.clientTurn = "sends_file";
          return 0;
        }
        return this.#columnCount(bytes, at, length);
      case Place.COLUMNS:
        return this.#definition(
          head,
          this.#deprecatesEof ? Place.ROWS : Place.COLUMNS_END,
        );
      case Place.COLUMNS_END:
        this.#readEof(bytes, at, length);
        this.#hasOkBehind = (this.status & OUT_PARAMETERS) === OUT_PARAMETERS;
        this.#place = this.hasOpenedCursor ? Place.DONE : Place.ROWS;
        return 0;
      case Place.ROWS:
      case Place.COLUMN_LIST:
        if (head !== Head.EOF) return 0;
        return this.#deprecatesEof
          ? this.#ok(bytes, at, length, true)
          : this.#eof(bytes, at, length, true);
      case Place.STATUS:
        if (head === Head.OK) return this.#ok(bytes, at, length, false);
        if (head !== Head.EOF) return this.#unexpected(head);
        return length < 7
          ? this.#eof(bytes, at, length, false)
          : this.#ok(bytes, at, length, false);
      case Place.TEXT:
        this.#place = Place.DONE;
        return 0;
      case Place.PREPARED:
        return this.#prepared(bytes, at, length);
      case Place.PARAMETERS:
        return this.#definition(
          head,
          this.#deprecatesEof ? this.#afterParameters() : Place.PARAMETERS_END,
        );
      case Place.PARAMETERS_END:
        this.#readEof(bytes, at, length);
        this.#place = this.#afterParameters();
        this.#definitions = this.#columnsAfter;
        return 0;
      case Place.PREPARED_COLUMNS:
        return this.#definition(
          head,
          this.#deprecatesEof ? Place.DONE : Place.PREPARED_COLUMNS_END,
        );
      case Place.PREPARED_COLUMNS_END:
        return this.#eof(bytes, at, length, false);
      case Place.AUTH:
        if (head === Head.OK) return this.#ok(bytes, at, length, false);
        return head === Head.EOF || head === Head.MORE_DATA ? 0 : this.#unexpected(head);
      case Place.STREAM:
        if (head === Head.ERR && length >= 3) return this.#error(bytes, at, length);
        if (head === Head.EOF && length < 9) this.#end();
        return 0;
      case Place.OPENING:
        // Refused with ERR above; anything else is the other protocol's first word.
        this.#place = Place.TUNNEL;
        return 0;
      default:
        return this.#unexpected(head);
    }
  }

  #end(): void {
    this.#place = Place.DONE;
    this.clientTurn = "waits";
  }

  #unexpected(head: number): never {
    const found = head < 0 ? "an empty packet" : `a packet that begins with 0x${head.toString(16)}`;
    throw new ProtocolError(
      `Cannot follow the reply: expected its ${PLACE_NAMES[this.#place]}, got ${found}`,
    );
  }

  #error(bytes: Uint8Array, at: number, length: number): number {
    const code = bytes[at + 5]! | (bytes[at + 6]! << 8);
    // MariaDB's progress reports look like an ERR and end nothing.
    // https://mariadb.com/kb/en/progress-reporting/
    if (
      code === 0xffff &&
      (this.#options.extendedCapabilities & MariaDbCapability.PROGRESS) !== 0
    ) return 0;
    const payload = bytes.subarray(at + 4, at + 4 + length);
    this.errorCode = decodeErr(payload).code;
    this.#end();
    if (this.#toldStatementId === 0) return 0;
    return this.#shorten(bytes, at, withStatementId(payload, this.#toldStatementId));
  }

  #ok(bytes: Uint8Array, at: number, length: number, mayGoOn: boolean): number {
    const payload = bytes.subarray(at + 4, at + 4 + length);
    const reader = new PacketReader(payload, "OK packet");
    const isRowsEnd = reader.u8() === Head.EOF;
    const affectedRows = reader.lenencInt();
    const lastInsertId = reader.lenencInt();
    if (!isRowsEnd) {
      this.rowCount = affectedRows;
      if (lastInsertId !== 0) this.lastInsertId = lastInsertId;
    }
    const statusAt = at + 4 + length - reader.remaining;
    this.#setStatus(reader.u16(), mayGoOn);
    this.#markFollowed(bytes, statusAt);
    this.#readWarnings(bytes, statusAt + 2);
    reader.skip(2);
    if ((this.#options.capabilities & Capability.SESSION_TRACK) === 0) return 0;
    const { hidesSessionTrack, isOceanBase = false } = this.#options;
    if (reader.remaining === 0 && !hidesSessionTrack) return 0;
    const isChanged = (this.status & Status.SESSION_STATE_CHANGED) !== 0;
    if (isChanged) {
      this.#options.onSessionTrack(decodeOk(payload, this.#options.capabilities));
      this.status &= ~Status.SESSION_STATE_CHANGED;
    }
    const hasToHide = isChanged || (isOceanBase && reader.remaining > 0);
    if (!hidesSessionTrack || !hasToHide) return 0;
    return this.#shorten(bytes, at, withoutSessionTrack(payload, isOceanBase));
  }

  /** Rewrites a packet in its place. */
  #shorten(bytes: Uint8Array, at: number, shorter: Uint8Array): number {
    const saved = shortenPacket(bytes, { at, end: this.end }, shorter);
    this.end -= saved;
    return saved;
  }

  #readWarnings(bytes: Uint8Array, at: number): void {
    if (this.#toldWarnings !== undefined) {
      bytes[at] = this.#toldWarnings;
      bytes[at + 1] = this.#toldWarnings >>> 8;
    }
    this.warnings = bytes[at]! | (bytes[at + 1]! << 8);
    this.hasWarned ||= this.warnings > 0;
  }

  #readEof(bytes: Uint8Array, at: number, length: number): void {
    if (length < 5 || bytes[at + 4] !== Head.EOF) {
      this.#unexpected(length > 0 ? bytes[at + 4]! : -1);
    }
    this.#readWarnings(bytes, at + 5);
    this.status = bytes[at + 7]! | (bytes[at + 8]! << 8);
  }

  #eof(bytes: Uint8Array, at: number, length: number, mayGoOn: boolean): number {
    this.#readEof(bytes, at, length);
    this.#setStatus(this.status, mayGoOn);
    this.#markFollowed(bytes, at + 7);
    return 0;
  }

  /** The last status of the reply, where another reply to the same command comes behind it. */
  #markFollowed(bytes: Uint8Array, statusAt: number): void {
    if (!this.#isFollowed || this.#place !== Place.DONE) return;
    bytes[statusAt] = bytes[statusAt]! | Status.MORE_RESULTS_EXISTS;
  }

  #setStatus(status: number, mayGoOn: boolean): void {
    this.status = status;
    const isFollowed = this.#hasOkBehind || (status & Status.MORE_RESULTS_EXISTS) !== 0;
    this.#hasOkBehind = false;
    this.#end();
    if (mayGoOn && isFollowed) this.#place = Place.RESULT;
  }

  #columnCount(bytes: Uint8Array, at: number, length: number): number {
    const reader: PacketReader = new PacketReader(
      bytes.subarray(at + 4, at + 4 + length),
      "column count",
    );
    const count = reader.lenencInt();
    if (count === 0 || typeof count === "bigint" || count > 0xffff) {
      reader.fail(`expected a count of columns, got ${count}`);
    }
    let hasDefinitions = true;
    if (this.#metadataIsOptional && reader.remaining > 0) hasDefinitions = reader.u8() !== 0;
    this.#definitions = count;
    this.rows = 0;
    this.rowCount = -1;
    this.hasRows = true;
    if (hasDefinitions) this.#place = Place.COLUMNS;
    else this.#place = this.#deprecatesEof ? Place.ROWS : Place.COLUMNS_END;
    return 0;
  }

  /**
   * Whether the rows come with COM_STMT_FETCH. MariaDB sets the flag also while a stored program
   * has a cursor of its own open, and then the rows follow at once, as does one more result.
   */
  get hasOpenedCursor(): boolean {
    return this.#mayOpenCursor && (this.status & Status.CURSOR_EXISTS) !== 0 &&
      (this.status & Status.MORE_RESULTS_EXISTS) === 0;
  }

  get #metadataIsOptional(): boolean {
    const { capabilities, extendedCapabilities } = this.#options;
    return (capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0 ||
      (extendedCapabilities & MariaDbCapability.CACHE_METADATA) !== 0;
  }

  #definition(head: number, next: Place): number {
    if (head < 0 || head >= Head.EOF) this.#unexpected(head);
    if (--this.#definitions === 0) {
      this.#place = next;
      if (next === Place.PREPARED_COLUMNS) this.#definitions = this.#columnsAfter;
    }
    return 0;
  }

  #afterParameters(): Place {
    return this.#columnsAfter > 0
      ? this.#group(Place.PREPARED_COLUMNS, Place.PREPARED_COLUMNS_END)
      : Place.DONE;
  }

  /** Where a group of definitions begins. Those that are left out leave their EOF behind. */
  #group(definitions: Place, end: Place): Place {
    if (!this.#leavesOut) return definitions;
    return this.#deprecatesEof ? Place.DONE : end;
  }

  #prepared(bytes: Uint8Array, at: number, length: number): number {
    const reader = new PacketReader(bytes.subarray(at + 4, at + 4 + length), "prepare reply");
    const head = reader.u8();
    if (head !== Head.OK) this.#unexpected(head);
    this.statementId = reader.u32();
    if (this.#toldStatementId !== 0) {
      new DataView(bytes.buffer, bytes.byteOffset + at + 5).setUint32(
        0,
        this.#toldStatementId,
        true,
      );
    }
    const columns = reader.u16();
    const parameters = reader.u16();
    reader.skip(reader.remaining >= 3 ? 3 : 0);
    this.#leavesOut = (this.#options.capabilities & Capability.OPTIONAL_RESULTSET_METADATA) !== 0 &&
      reader.remaining > 0 && reader.u8() === 0;
    this.columns = this.#columnsAfter = columns;
    this.parameters = this.#definitions = parameters;
    this.#place = parameters > 0 ? this.#group(Place.PARAMETERS, Place.PARAMETERS_END) : Place.DONE;
    if (this.#place === Place.DONE) {
      this.#place = this.#afterParameters();
      this.#definitions = columns;
    }
    return 0;
  }
}
