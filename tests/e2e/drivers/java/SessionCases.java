import com.mysql.cj.jdbc.JdbcConnection;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The cases about connections and sessions. */
final class SessionCases {
  private static final Program.Job job = Program.job;

  private SessionCases() {}

  static String connect() throws SQLException {
    try (Connection connection = Program.open()) {
      String version = Program.scalar(connection, "SELECT VERSION()");
      if (!version.contains(job.version())) throw new AssertionError(version);
      Program.same(Program.scalar(connection, "SELECT DATABASE()"), job.database(), "database");
      String user = Program.scalar(connection, "SELECT USER()").split("@")[0];
      Program.same(user, job.user(), "user");
      String collation = Program.scalar(connection, "SELECT @@collation_connection");
      DatabaseMetaData data = connection.getMetaData();
      int columns = 0;
      try (ResultSet rows = data.getColumns(job.database(), null, "types", "%")) {
        while (rows.next()) columns++;
      }
      Program.same(columns, job.columns().size() + 1, "columns");
      return String.join(", ", version, data.getDatabaseProductVersion(), collation);
    }
  }

  static String charset() throws SQLException {
    String note = "\u00e4\u20ac\uD83D\uDE00";
    try (Connection connection = Program.open();
        PreparedStatement insert = connection.prepareStatement("INSERT INTO charset VALUES (1, ?)");
        Statement statement = connection.createStatement()) {
      insert.setString(1, note);
      insert.executeUpdate();
      ResultSet rows = statement.executeQuery("SELECT note, HEX(note), CHAR_LENGTH(note) FROM charset");
      rows.next();
      Program.same(rows.getString(1), note, "note");
      Program.same(rows.getString(2), Program.hex(note), "stored bytes");
      Program.same(rows.getInt(3), 3, "length");
    }
    if (Program.isMariadb) return "the driver has UTF-8 only";
    Program.OtherCharset other = job.otherCharset();
    String encoding = other.name().equals("latin1") ? "Cp1252" : "UTF-8";
    try (Connection connection = Program.open("characterEncoding", encoding)) {
      String sent = Program.scalar(connection, "SELECT HEX('" + other.text() + "')");
      Program.same(sent, other.hex(), "sent bytes");
      String got = Program.scalar(connection, "SELECT '" + other.text() + "'");
      Program.same(got, other.text(), "got text");
      return Program.scalar(connection, "SELECT @@character_set_client");
    }
  }

  static String transactions() throws SQLException {
    List<String> counts = new ArrayList<>();
    try (Connection writer = Program.open();
        Connection reader = Program.open()) {
      String count = "SELECT COUNT(*) FROM tx";
      writer.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      writer.setAutoCommit(false);
      Program.run(writer, "INSERT INTO tx VALUES (1, 'commit')");
      counts.add(Program.scalar(reader, count));
      writer.commit();
      counts.add(Program.scalar(reader, count));
      Program.run(writer, "INSERT INTO tx VALUES (2, 'rollback')");
      writer.rollback();
      counts.add(Program.scalar(reader, count));
      Program.run(writer, "INSERT INTO tx VALUES (4, 'commit')");
      counts.add(Program.scalar(reader, count));
      // Commits.
      writer.setAutoCommit(true);
      counts.add(Program.scalar(reader, count));
      writer.setAutoCommit(false);
      Program.run(writer, "INSERT INTO tx VALUES (5, 'kept')");
      Savepoint here = writer.setSavepoint("here");
      Program.run(writer, "INSERT INTO tx VALUES (6, 'undone')");
      writer.rollback(here);
      writer.commit();
      counts.add(Program.scalar(reader, count));
      writer.setReadOnly(true);
      counts.add(Program.scalar(writer, count));
      writer.rollback();
    }
    Program.same(counts, List.of("0", "1", "1", "1", "2", "3", "3"), "counts");
    return counts.toString();
  }

  static String sessionState() throws SQLException {
    try (Connection connection = Program.open()) {
      Program.run(connection, "SET @e2e = 'kept', SESSION group_concat_max_len = 12345");
      connection.setCatalog(job.otherDatabase());
      Program.same(connection.getCatalog(), job.otherDatabase(), "catalog");
      String state =
          Program.scalar(connection, "SELECT CONCAT(@e2e, @@group_concat_max_len, DATABASE())");
      Program.same(state, "kept12345" + job.otherDatabase(), "state");
      String lock = job.database() + "_lock";
      Program.same(Program.scalar(connection, "SELECT GET_LOCK(?, 0)", lock), "1", "lock");
      Program.same(Program.scalar(connection, "SELECT RELEASE_LOCK(?)", lock), "1", "release");
      return state;
    }
  }

  static String ping() throws SQLException {
    try (Connection connection = Program.open()) {
      Program.same(connection.isValid(5), true, "first ping");
      Program.same(Program.scalar(connection, "SELECT 1"), "1", "value");
      Program.same(connection.isValid(5), true, "second ping");
    }
    return "2 pings";
  }

  static String resetConnection() throws SQLException {
    if (Program.isMariadb && !job.engine().equals("mariadb")) {
      throw new Program.Skip("the driver resets connections to MariaDB only");
    }
    try (Connection connection = Program.open("useResetConnection", "true")) {
      Program.run(connection, "SET @kept = 1");
      if (Program.isMariadb) connection.unwrap(org.mariadb.jdbc.Connection.class).reset();
      else connection.unwrap(JdbcConnection.class).resetServerState();
      Program.same(Program.scalar(connection, "SELECT @kept"), null, "user variable");
      return "user variable is gone";
    }
  }

  static String changeUser() throws Exception {
    if (Program.isMariadb) throw new Program.Skip("the driver has no change of user");
    Program.Account other = job.accounts().get(0);
    try (Connection connection = Program.open()) {
      JdbcConnection mysql = connection.unwrap(JdbcConnection.class);
      Program.run(connection, "SET @kept = 1");
      mysql.changeUser(other.user(), other.password());
      String name = Program.scalar(connection, "SELECT CURRENT_USER()");
      Program.same(name, other.currentUser(), "other user");
      Program.same(Program.scalar(connection, "SELECT @kept"), null, "user variable");
      mysql.changeUser(job.user(), job.password());
      String back = Program.scalar(connection, "SELECT CONCAT(CURRENT_USER(), DATABASE())");
      SQLException bad = Program.failure(() -> mysql.changeUser(job.user(), "wrong"));
      Program.same(bad.getErrorCode(), 1045, "code");
      return name + " " + back + " " + bad.getErrorCode();
    }
  }

  static String reconnect() throws Exception {
    try (Connection connection = Program.open();
        Connection killer = Program.open()) {
      String id = Program.scalar(connection, "SELECT CONNECTION_ID()");
      Program.run(killer, "KILL " + id);
      try {
        while (true) Program.scalar(connection, "SELECT 1");
      } catch (SQLException lost) {
        Program.same(connection.isValid(5), false, "validity of the lost connection");
      }
    }
    try (Connection connection = Program.open()) {
      Program.same(Program.scalar(connection, "SELECT 3"), "3", "value");
    }
    return "new connection works";
  }

  static String parallel() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<Integer>> work = new ArrayList<>();
    for (int thread = 0; thread < 8; thread++) {
      int start = thread * 40;
      work.add(threads.submit(() -> {
        int sum = 0;
        try (Connection connection = Program.open("useServerPrepStmts", "true")) {
          for (int n = start; n < start + 40; n++) {
            sum += Integer.parseInt(Program.scalar(connection, "SELECT ? * 2", n));
          }
        }
        return sum;
      }));
    }
    int sum = 0;
    for (Future<Integer> part : work) sum += part.get();
    threads.shutdown();
    Program.same(sum, 320 * 319, "sum");
    return "320 statements";
  }

  static String accounts() throws SQLException {
    List<String> seen = new ArrayList<>();
    for (Program.Account account : job.accounts()) {
      try (Connection connection =
          Program.open("user", account.user(), "password", account.password())) {
        String name = Program.scalar(connection, "SELECT CURRENT_USER()");
        Program.same(name, account.currentUser(), "user");
        seen.add(name);
      }
    }
    return seen.toString();
  }

  static String wrongPassword() throws Exception {
    String[][] logins = {{"password", "wrong"}, {"password", ""}, {"user", "nobody_like_this"}};
    for (String[] login : logins) {
      SQLException bad = Program.failure(() -> Program.open(login).close());
      // MySQL may ask for sha256_password, of which MariaDB's driver says that it is unknown.
      boolean isOwn = Program.isMariadb && bad.getErrorCode() == 1251;
      if (!isOwn) Program.same(bad.getErrorCode(), 1045, Program.show(bad));
    }
    return "refused three times";
  }

  static String unknownDatabase() throws Exception {
    SQLException bad =
        Program.failure(() -> Program.open("database", "no_such_database").close());
    Program.same(bad.getErrorCode(), 1049, Program.show(bad));
    return Program.show(bad);
  }
}
