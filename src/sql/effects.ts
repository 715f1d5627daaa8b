/**
 * What statements do to their session, and ask of it. Each row says what ends the effect and what
 * servers report of it, as MariaDB 10.11 and MySQL 9.7 were seen to do it with session tracking of
 * everything (`session_track_system_variables='*'`, schema, state change, transaction
 * characteristics). Only statements that succeed have effects, except where it says otherwise.
 *
 * Effects that no text tells: triggers and views may set user and system variables, take locks and
 * create temporary tables. Servers report variables that SET sets, also inside of them, and flag
 * user variables that SET sets as a state change; `:=`, SELECT … INTO and GET_LOCK go unreported.
 * https://dev.mysql.com/doc/refman/9.0/en/session-state-tracking.html
 * https://mariadb.com/kb/en/server-system-variables/#session_track_system_variables
 */

/** Bits of `Classified.effects`: what a statement may do. */
export const Effect = {
  /**
   * SET @a, `@a :=`, SELECT … INTO @a, CALL p(@a), LOAD DATA … (@a), GET DIAGNOSTICS @a, EXPLAIN
   * INTO @a. Ends with the session. No server reports names or values; a flag of changed state
   * comes for SET only.
   */
  setsUserVariables: 1 << 0,
  /**
   * SET of the session's system variables, SET NAMES, SET CHARACTER SET, SET SESSION TRANSACTION.
   * Ends with the session. Reported with names and values, with the exceptions of
   * {@link setsUnreported}; but SET NAMES, SET CHARACTER SET, character_set_connection and
   * collation_connection change each other and only what was named is reported.
   */
  setsSystemVariables: 1 << 1,
  /**
   * SET TRANSACTION without a scope, and `SET @@transaction_isolation`, `@@transaction_read_only`,
   * which mean the same with one `@@` only. Ends with the next transaction, which is the next
   * statement that uses a table in autocommit, and with COMMIT, ROLLBACK, and SET SESSION of the
   * same. Reported as characteristics: the text of the SET, then an empty one.
   */
  setsNextTransaction: 1 << 2,
  /**
   * SET of insert_id, last_insert_id, timestamp, rand_seed1, pseudo_thread_id … insert_id and the
   * seeds end with the next statement that uses them, the others stay. Reported, but with the old
   * value for `SET timestamp=DEFAULT`, and 0 for seeds on MySQL. `SELECT CONNECTION_ID()` gives
   * pseudo_thread_id.
   */
  setsOneShot: 1 << 3,
  /**
   * LAST_INSERT_ID(expr), SET last_insert_id, SET identity. Ends with the next one and with the next
   * INSERT that generates an id; other statements leave it. Not reported by a SELECT; in the OK of
   * INSERT and UPDATE.
   */
  setsLastInsertId: 1 << 4,
  /**
   * BEGIN, START TRANSACTION, and AND CHAIN. Told by the status flag, which is right everywhere:
   * also in XA transactions and with autocommit=0, where what uses a table begins one. The tracked
   * state is not: on MySQL CREATE TEMPORARY TABLE reports a transaction as ended that goes on.
   */
  beginsTransaction: 1 << 5,
  /**
   * COMMIT, ROLLBACK, SET autocommit=1 after autocommit=0, and whatever commits first, also if it
   * fails then: DDL (ALTER, TRUNCATE, CREATE INDEX and DROP TABLE of a temporary table, too, but
   * not CREATE and DROP TEMPORARY TABLE), accounts, LOCK TABLES, UNLOCK TABLES where tables were
   * locked, FLUSH, BEGIN. Not LOCK INSTANCE, nor `SET autocommit=1` behind BEGIN.
   */
  endsTransaction: 1 << 6,
  /**
   * XA START, END, PREPARE, COMMIT, ROLLBACK. In transaction by the status flag until XA COMMIT or
   * XA ROLLBACK, and on MySQL until XA PREPARE, behind which any session may end it; MariaDB keeps
   * a prepared one in its session, and others get XAER_NOTA.
   */
  xa: 1 << 7,
  /**
   * A system variable is set and what is reported cannot be trusted. MariaDB says nothing of
   * `SET @@name` (not even of autocommit), though all of `SET name`, `SET SESSION name` and
   * `SET @@session.name`; it reports the values of SET STATEMENT … FOR as if they stayed, and
   * those that are back only with a later statement. Read the named ones back. On MySQL that is
   * ALTER DATABASE alone, which sets collation_database where it is the selected schema's.
   */
  setsUnreported: 1 << 8,
  /**
   * CREATE TEMPORARY TABLE or SEQUENCE, and their ALTER TABLE … RENAME. Ends with DROP of all.
   * Survives ROLLBACK and DROP DATABASE of its schema. Flagged as a state change, except CREATE
   * TEMPORARY TABLE … SELECT.
   */
  createsTemporary: 1 << 9,
  /**
   * DROP TEMPORARY TABLE, DROP TABLE (the temporary one first, if there is one of that name), DROP
   * SEQUENCE, and ALTER TABLE … RENAME, of which the name has `renamedTo`. On MariaDB a DROP that
   * fails because of one name has dropped the others, and RENAME TABLE works on temporary tables;
   * on MySQL nothing has been dropped, and RENAME TABLE is for others only.
   */
  dropsTemporary: 1 << 10,
  /**
   * LOCK TABLES, FLUSH TABLES t WITH READ LOCK or FOR EXPORT. Ends with UNLOCK TABLES, with BEGIN
   * or START TRANSACTION, with the next LOCK TABLES, and when DROP TABLE has dropped all of them;
   * not with COMMIT or ROLLBACK. Reported as `L` in the transaction's state, but MySQL takes that
   * back with an ALTER TABLE or CREATE TEMPORARY TABLE that leaves the tables locked.
   */
  locksTables: 1 << 11,
  /** UNLOCK TABLES, LOCK TABLES, BEGIN, START TRANSACTION. */
  unlocksTables: 1 << 12,
  /**
   * FLUSH TABLES WITH READ LOCK (`tables`): ends with UNLOCK TABLES only, not with BEGIN or COMMIT.
   * LOCK INSTANCE FOR BACKUP (`instance`): UNLOCK INSTANCE. BACKUP STAGE (`stage`): BACKUP STAGE
   * END. BACKUP LOCK (`backup`): BACKUP UNLOCK. None is reported.
   */
  locksServer: 1 << 13,
  /** Named like the lock it ends; `tables` also if there was none. */
  unlocksServer: 1 << 14,
  /**
   * GET_LOCK, in an EXPLAIN, too, where it may run. Ends with as many RELEASE_LOCK as it ran, or
   * RELEASE_ALL_LOCKS; not with COMMIT, ROLLBACK, UNLOCK TABLES. Its result says whether it has
   * the lock, and nothing is reported: before a server session is handed on,
   * `IS_USED_LOCK(name) = CONNECTION_ID()` tells. Names in upper and lower case are the same to
   * MySQL, and others to MariaDB.
   */
  getsLock: 1 << 15,
  /**
   * RELEASE_LOCK; RELEASE_ALL_LOCKS with `all`. Neither has `all` or a name where it need not run: in
   * a branch, behind AND, where there may be no row, in an EXPLAIN.
   */
  releasesLock: 1 << 16,
  /**
   * HANDLER t OPEN. Ends with HANDLER CLOSE, and with ALTER, DROP and TRUNCATE of the table (then
   * READ and CLOSE fail with 1109); not with COMMIT, ROLLBACK, UNLOCK TABLES, or FLUSH
   * TABLES, with which those of MySQL lose their position.
   */
  opensHandler: 1 << 17,
  closesHandler: 1 << 18,
  /**
   * SQL_CALC_FOUND_ROWS: FOUND_ROWS() must find it. Ends with the next SELECT (also one of
   * FOUND_ROWS() itself) or SHOW, on MySQL with DO, too, on MariaDB not with SHOW WARNINGS; SET,
   * USE, COMMIT and what changes data leave it.
   */
  calculatesFoundRows: 1 << 19,
  /**
   * PREPARE name. Ends with DEALLOCATE, and with PREPARE of the same name, also if that fails.
   * Names are the same in upper and lower case.
   */
  prepares: 1 << 20,
  /**
   * EXECUTE name: the effects are those of its text. EXECUTE IMMEDIATE has no name here: where its
   * text is a literal its effects are those of that text, else it is `unknown`, too. MariaDB
   * prepares LOCK TABLES and more that MySQL does not.
   */
  executes: 1 << 21,
  deallocates: 1 << 22,
  /** LOAD DATA, LOAD XML: may generate ids, which no reply tells. */
  loadsData: 1 << 23,
  /**
   * CALL, a function that is none of the server's own, a compound statement of MariaDB: does what
   * routines may do, which is everything above but LOCK TABLES (on MariaDB that, too, by EXECUTE)
   * and HANDLER. Flags: a stored function's SET of user variables and CREATE TEMPORARY TABLE are
   * reported as a state change; its SELECT … INTO @v and GET_LOCK are not.
   */
  calls: 1 << 24,
  /** USE. Ends with the session, or DROP DATABASE of it. Reported, DROP DATABASE as empty. */
  usesSchema: 1 << 25,
  /** ALTER USER, SET PASSWORD, RENAME USER, DROP USER, SET DEFAULT ROLE …: matters to later logins. */
  changesAccount: 1 << 26,
  /** SET ROLE, named by its statement. Ends with the session, or SET ROLE. Not reported. */
  setsRole: 1 << 27,
  /**
   * SAVEPOINT. Ends with the transaction, which with autocommit=0 has begun by it, though no flag
   * says so before a table is used.
   */
  setsSavepoint: 1 << 28,
  /**
   * NEXTVAL, NEXT VALUE FOR, SETVAL of MariaDB and OceanBase: the session remembers the value that
   * LASTVAL gives; elsewhere that is NULL. Ends with the session, and matters to who asks only.
   */
  usesSequence: 1 << 29,
  /**
   * Nothing is known of the statement, or it leaves what neither is reported nor can be read back
   * (SET RESOURCE GROUP, BINLOG): it may have done anything. Ends with the session.
   */
  unknown: 1 << 30,
} as const;

/** Bits of `Classified.asks`: what of its session a statement may read. */
export const Ask = {
  /** LAST_INSERT_ID(), @@last_insert_id, @@identity. */
  lastInsertId: 1 << 0,
  /** ROW_COUNT(): of the statement before, whatever it was. */
  rowCount: 1 << 1,
  /** FOUND_ROWS(): see `calculatesFoundRows`. */
  foundRows: 1 << 2,
  /**
   * SHOW WARNINGS, SHOW ERRORS, SHOW COUNT(*) …, @@warning_count, @@error_count, GET DIAGNOSTICS,
   * OceanBase's SHOW TRACE. On MySQL they are of the statement before unless it was one of these;
   * MariaDB keeps them over SET, USE and PREPARE.
   */
  diagnostics: 1 << 3,
  /** `@a`, not where it is only set. */
  userVariables: 1 << 4,
  /** CONNECTION_ID(), @@pseudo_thread_id, IS_USED_LOCK(): the server's id of the session. */
  connectionId: 1 << 5,
  /** LASTVAL, PREVIOUS VALUE FOR: see `usesSequence`. */
  sequence: 1 << 6,
  /** MariaDB's @@last_gtid. */
  lastGtid: 1 << 7,
  /** SHOW PROFILE, SHOW PROFILES: of this session's statements. */
  profiles: 1 << 8,
  /** GET DIAGNOSTICS, beside `diagnostics`. It leaves them, ROW_COUNT() and FOUND_ROWS() there. */
  diagnosticsArea: 1 << 9,
} as const;
