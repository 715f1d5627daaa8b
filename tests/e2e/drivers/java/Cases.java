import java.io.ByteArrayInputStream;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The cases by name. Each opens connections of its own and returns the detail. */
final class Cases {
  private static final Program.Job job = Program.job;
  private static final String[] PREPARED = {"useServerPrepStmts", "true"};
  private static final String[] TEXT = {"useServerPrepStmts", "false"};

  private Cases() {}

  static Map<String, Program.Body> all() {
    return Map.ofEntries(
        Map.entry("connect", SessionCases::connect),
        Map.entry("types_text", () -> types(TEXT)),
        Map.entry("types_prepared", () -> types(PREPARED)),
        Map.entry("prepared_reuse", Cases::preparedReuse),
        Map.entry("wide", Cases::wide),
        Map.entry("charset", SessionCases::charset),
        Map.entry("transactions", SessionCases::transactions),
        Map.entry("session_state", SessionCases::sessionState),
        Map.entry("multi_statements", Cases::multiStatements),
        Map.entry("procedures", Cases::procedures),
        Map.entry("streaming", Cases::streaming),
        Map.entry("batch", Cases::batch),
        Map.entry("big_values", Cases::bigValues),
        Map.entry("load_data_local", Cases::loadDataLocal),
        Map.entry("errors", Cases::errors),
        Map.entry("insert_id", Cases::insertId),
        Map.entry("warnings", Cases::warnings),
        Map.entry("many_statements", Cases::manyStatements),
        Map.entry("ping", SessionCases::ping),
        Map.entry("reset_connection", SessionCases::resetConnection),
        Map.entry("change_user", SessionCases::changeUser),
        Map.entry("reconnect", SessionCases::reconnect),
        Map.entry("parallel", SessionCases::parallel),
        Map.entry("accounts", SessionCases::accounts),
        Map.entry("wrong_password", SessionCases::wrongPassword),
        Map.entry("unknown_database", SessionCases::unknownDatabase));
  }

  private static String types(String... options) throws SQLException {
    try (Connection connection = Program.open(options)) {
      Program.run(connection, "SET time_zone = '+00:00'");
      Program.run(connection, "DELETE FROM types");
      for (String sql : job.insertTypes()) {
        Program.same(Program.run(connection, sql), 1, "inserted rows");
      }
      String select = "SELECT * FROM types WHERE id > ? ORDER BY id";
      String detail;
      try (PreparedStatement statement = connection.prepareStatement(select)) {
        statement.setInt(1, 0);
        detail = Program.checkTypes(statement.executeQuery());
        Program.run(connection, "DELETE FROM types");
        Program.insertTypes(connection);
        Program.checkTypes(statement.executeQuery());
      }
      return detail;
    }
  }

  private static String preparedReuse() throws Exception {
    List<String> seen = new ArrayList<>();
    try (Connection connection = Program.open(PREPARED)) {
      Object[][] values = {
        {1, "x", "y"},
        {null, null, null},
        {"text", 1.5, "z"},
        {9007199254740993L, true, "\uD83D\uDE00"},
      };
      String sql = "SELECT ? AS a, ? AS b, CONCAT(?, '!') AS c";
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        for (Object[] row : values) {
          for (int at = 0; at < 3; at++) statement.setObject(at + 1, row[at]);
          try (ResultSet rows = statement.executeQuery()) {
            rows.next();
            for (int at = 1; at <= 3; at++) seen.add(rows.getString(at));
          }
        }
      }
      Program.same(seen.get(0), "1", "number");
      Program.same(seen.get(2), "y!", "text");
      Program.same(seen.subList(3, 6), Arrays.asList(null, null, null), "nulls");
      Program.same(seen.get(9), "9007199254740993", "big number");
      Program.same(seen.get(11), "\uD83D\uDE00!", "emoji");
      SQLException bad = Program.failure(() -> {
        try (PreparedStatement statement =
            connection.prepareStatement("SELECT ? FROM missing_table")) {
          statement.setInt(1, 1);
          statement.executeQuery();
        }
      });
      Program.same(bad.getErrorCode(), 1146, "code");
      return seen + " " + Program.show(bad);
    }
  }

  private static String wide() throws SQLException {
    String text = IntStream.range(0, 500).mapToObj(n -> n + " AS column_" + n)
        .collect(Collectors.joining(", "));
    String marks = IntStream.range(0, 500).mapToObj(n -> "? AS column_" + n)
        .collect(Collectors.joining(", "));
    try (Connection connection = Program.open(PREPARED);
        Statement statement = connection.createStatement();
        PreparedStatement prepared = connection.prepareStatement("SELECT " + marks)) {
      for (int n = 0; n < 500; n++) prepared.setInt(n + 1, n);
      for (ResultSet rows :
          List.of(statement.executeQuery("SELECT " + text), prepared.executeQuery())) {
        rows.next();
        for (int n = 0; n < 500; n++) Program.same(rows.getInt("column_" + n), n, "column");
      }
    }
    return "500 columns";
  }

  /** Rows as text, or the number of affected rows, of each result. */
  private static List<String> results(Statement statement, boolean isResultSet) throws SQLException {
    List<String> seen = new ArrayList<>();
    boolean isRows = isResultSet;
    while (true) {
      if (isRows) {
        ResultSet rows = statement.getResultSet();
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
          StringBuilder row = new StringBuilder("row");
          for (int at = 1; at <= columns; at++) row.append(' ').append(rows.getString(at));
          seen.add(row.toString());
        }
      } else {
        int count = statement.getUpdateCount();
        if (count == -1) return seen;
        seen.add("count " + count);
      }
      isRows = statement.getMoreResults();
    }
  }

  private static String multiStatements() throws Exception {
    try (Connection connection = Program.open();
        Statement statement = connection.createStatement()) {
      boolean isRows = statement.execute(
          "SELECT 1 AS a; INSERT INTO multi VALUES (1), (2); SELECT 'x' AS b, NULL AS c; "
              + "UPDATE multi SET id = id + 10; SELECT COUNT(*) AS n FROM multi WHERE id > 10");
      List<String> seen = results(statement, isRows);
      Program.same(seen, List.of("row 1", "count 2", "row x null", "count 2", "row 2"), "results");
      SQLException bad = Program.failure(() -> results(
          statement, statement.execute("SELECT 1; SELECT * FROM missing_table; SELECT 2")));
      Program.same(bad.getErrorCode(), 1146, "code");
      Program.same(Program.scalar(connection, "SELECT 7"), "7", "next statement");
      return seen + " " + Program.show(bad);
    }
  }

  private static String procedures() throws Exception {
    List<String> details = new ArrayList<>();
    for (String[] options : new String[][] {TEXT, PREPARED}) {
      try (Connection connection = Program.open(options)) {
        // seekdb ends the OUT parameters of a prepared call without the OK that MariaDB's driver
        // waits for; this driver prepares every call.
        boolean hasOut = !(Program.isMariadb && job.engine().equals("seekdb"));
        if (hasOut) details.add(callWithOut(connection));
        try (CallableStatement call = connection.prepareCall("{call p_results(?)}")) {
          call.setInt(1, 5);
          List<String> seen = results(call, call.execute());
          List<String> rows = seen.stream().filter(text -> text.startsWith("row")).toList();
          Program.same(rows, List.of("row 5", "row 6 two", "row 7 null"), "results");
          details.add(seen.toString());
        }
        SQLException bad = Program.failure(() -> {
          try (CallableStatement call = connection.prepareCall("{call p_error(?)}")) {
            call.setInt(1, 1);
            results(call, call.execute());
          }
        });
        Program.same(bad.getErrorCode(), 1644, "code");
        Program.same(bad.getSQLState(), "45000", "state");
        details.add(Program.show(bad));
      }
    }
    return details.toString();
  }

  private static String callWithOut(Connection connection) throws SQLException {
    try (CallableStatement call = connection.prepareCall("{call p_out(?, ?, ?)}")) {
      call.setInt(1, 2);
      call.setInt(2, 40);
      call.registerOutParameter(2, Types.INTEGER);
      call.registerOutParameter(3, Types.VARCHAR);
      call.execute();
      Program.same(call.getInt(2), 42, "INOUT parameter");
      Program.same(call.getString(3), "got 2", "OUT parameter");
      return call.getInt(2) + " " + call.getString(3);
    }
  }

  private static String streaming() throws SQLException {
    // Connector/J: the least number streams a text result, a cursor fetches 300 rows at a time.
    String[] text = Program.isMariadb ? TEXT : new String[] {"useCursorFetch", "false"};
    String[] cursor = Program.isMariadb ? PREPARED : new String[] {"useCursorFetch", "true"};
    for (String[] options : List.of(text, cursor)) {
      try (Connection connection = Program.open(options);
          PreparedStatement statement = connection.prepareStatement("SELECT id, note FROM stream")) {
        boolean isWhole = !Program.isMariadb && options == text;
        statement.setFetchSize(isWhole ? Integer.MIN_VALUE : 300);
        long sum = 0;
        long characters = 0;
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            sum += rows.getInt(1);
            characters += rows.getString(2).length();
          }
        }
        Program.same(List.of(sum, characters), List.of(49_995_000L, 990_000L), "sums");
      }
    }
    return "49995000 990000";
  }

  private static String batch() throws SQLException {
    String option = Program.isMariadb ? "useBulkStmts" : "rewriteBatchedStatements";
    try (Connection connection = Program.open(option, "true");
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO batch (id, note) VALUES (?, ?)")) {
      for (int id = 0; id < 500; id++) {
        insert.setInt(1, id);
        insert.setString(2, id % 7 == 0 ? null : "note " + id);
        insert.addBatch();
      }
      Program.same(insert.executeBatch().length, 500, "results");
      String counts = Program.scalar(
          connection, "SELECT CONCAT(COUNT(*), ' ', COUNT(note), ' ', SUM(id)) FROM batch");
      Program.same(counts, "500 428 124750", "rows");
      for (int id : new int[] {1000, 1}) {
        insert.setInt(1, id);
        insert.setString(2, "again");
        insert.addBatch();
      }
      try {
        insert.executeBatch();
      } catch (BatchUpdateException error) {
        Program.same(error.getErrorCode(), 1062, "code");
        return counts + " " + Program.show(error);
      }
      throw new AssertionError("no error was thrown");
    }
  }

  private static String bigValues() throws Exception {
    byte[] data = Program.bigData(job.bigBytes());
    byte[] small = Arrays.copyOf(data, job.bigTextBytes());
    String sql = "INSERT INTO big VALUES (?, ?)";
    try (Connection prepared = Program.open(PREPARED);
        Connection text = Program.open(TEXT);
        PreparedStatement whole = prepared.prepareStatement(sql);
        PreparedStatement stream = prepared.prepareStatement(sql);
        PreparedStatement inText = text.prepareStatement(sql)) {
      whole.setInt(1, 1);
      whole.setBytes(2, data);
      whole.executeUpdate();
      // Sent ahead as long data.
      stream.setInt(1, 2);
      stream.setBinaryStream(2, new ByteArrayInputStream(data), data.length);
      stream.executeUpdate();
      inText.setInt(1, 3);
      inText.setBytes(2, small);
      inText.executeUpdate();
      List<String> details = new ArrayList<>();
      for (Connection connection : List.of(prepared, text)) {
        for (int id = 1; id <= 3; id++) {
          byte[] wanted = id == 3 ? small : data;
          try (PreparedStatement select =
              connection.prepareStatement("SELECT data, SHA2(data, 256) FROM big WHERE id = ?")) {
            select.setInt(1, id);
            ResultSet rows = select.executeQuery();
            rows.next();
            Program.same(rows.getString(2), Program.sha256(wanted), "checksum on the server");
            Program.equal(rows.getBytes(1), wanted, "column");
            details.add(wanted.length + " " + rows.getString(2));
          }
        }
      }
      return details.toString();
    }
  }

  private static String loadDataLocal() throws SQLException {
    try (Connection connection = Program.open()) {
      String sql = "LOAD DATA LOCAL INFILE '%s' INTO TABLE loaded CHARACTER SET utf8mb4";
      Program.same(Program.run(connection, sql.formatted(job.localFile())), 5000, "rows");
      Program.same(Program.run(connection, sql.formatted(job.emptyFile())), 0, "empty file");
      String note = Program.scalar(connection, "SELECT note FROM loaded WHERE id = 4999");
      Program.same(note, "note 4999 \uD83D\uDE00", "note");
      return "5000 and 0 rows";
    }
  }

  private static String errors() throws Exception {
    String[][] table = {
      {"1062", "23000", "INSERT INTO errors VALUES (1, 1)"},
      {"1064", "42000", "SELEC 1"},
      {"1146", "42S02", "SELECT * FROM missing_table"},
      {"1054", "42S22", "SELECT missing_column FROM errors"},
      {"1048", "23000", "INSERT INTO errors VALUES (2, NULL)"},
      {"1264", "22003", "INSERT INTO errors VALUES (3, 1000)"},
    };
    List<String> seen = new ArrayList<>();
    for (String[] options : new String[][] {TEXT, PREPARED}) {
      try (Connection connection = Program.open(options)) {
        for (String[] wanted : table) {
          SQLException bad = Program.failure(() -> {
            try (PreparedStatement statement = connection.prepareStatement(wanted[2])) {
              statement.execute();
            }
          });
          // The drivers have codes of their own for values that do not fit.
          boolean isOwn = wanted[0].equals("1264") && !Program.isMariadb;
          if (!isOwn) Program.same(Integer.toString(bad.getErrorCode()), wanted[0], "code");
          Program.same(bad.getSQLState(), isOwn ? bad.getSQLState() : wanted[1], "state");
          seen.add(Program.show(bad));
          Program.same(Program.scalar(connection, "SELECT 5"), "5", "next statement");
        }
      }
    }
    return seen.toString();
  }

  private static String insertId() throws SQLException {
    List<String> seen = new ArrayList<>();
    try (Connection connection = Program.open();
        Statement statement = connection.createStatement()) {
      for (String sql : List.of(
          "INSERT INTO auto (note) VALUES ('one')",
          "INSERT INTO auto (note) VALUES ('two'), ('three'), ('four')",
          "INSERT INTO auto VALUES (9007199254740993, 'big')",
          "INSERT INTO auto (note) VALUES ('after big')",
          "UPDATE auto SET note = 'same' WHERE id <= 3",
          "UPDATE auto SET note = 'same' WHERE id <= 4",
          "DELETE FROM auto WHERE id < 3")) {
        int count = statement.executeUpdate(sql, Statement.RETURN_GENERATED_KEYS);
        ResultSet keys = statement.getGeneratedKeys();
        seen.add(count + " " + (keys.next() ? keys.getString(1) : "none"));
      }
    }
    Program.same(seen.get(0), "1 1", "first id");
    Program.same(seen.get(1), "3 2", "ids of several rows");
    Program.same(seen.get(3), "1 9007199254740994", "big id");
    // Both drivers ask for found rows, so the second update counts all.
    Program.same(seen.get(5).charAt(0), '4', "found rows");
    return seen.toString();
  }

  private static String warnings() throws SQLException {
    List<String> seen = new ArrayList<>();
    try (Connection connection = Program.open();
        Statement statement = connection.createStatement()) {
      for (String sql :
          List.of("DROP TABLE IF EXISTS missing_table", "SELECT CAST('abc' AS SIGNED)")) {
        if (statement.execute(sql)) statement.getResultSet().close();
        SQLWarning warning = statement.getWarnings();
        if (warning == null) throw new AssertionError("no warning after " + sql);
        seen.add(warning.getErrorCode() + " " + warning.getMessage());
        ResultSet rows = statement.executeQuery("SHOW WARNINGS");
        while (rows.next()) seen.add(rows.getString("Code") + " " + rows.getString("Message"));
      }
    }
    Program.same(seen.get(0).split(" ")[0], "1051", "code");
    Program.same(seen.get(2).split(" ")[0], "1292", "code");
    return seen.toString();
  }

  private static String manyStatements() throws SQLException {
    long sum = 0;
    try (Connection connection = Program.open(PREPARED);
        Statement statement = connection.createStatement()) {
      for (int n = 0; n < 1000; n++) {
        ResultSet rows = statement.executeQuery("SELECT " + n + ", REPEAT('x', " + n % 50 + ")");
        rows.next();
        Program.same(rows.getString(2).length(), n % 50, "length");
        sum += rows.getInt(1);
      }
      try (PreparedStatement prepared = connection.prepareStatement("SELECT ? + 1")) {
        for (int n = 0; n < 300; n++) {
          prepared.setInt(1, n);
          ResultSet rows = prepared.executeQuery();
          rows.next();
          sum += rows.getInt(1);
        }
      }
    }
    // Statements are closed at once: seekdb keeps at most 50 open.
    String size = Program.isMariadb ? "prepStmtCacheSize" : "cachePrepStmts";
    try (Connection connection =
        Program.open("useServerPrepStmts", "true", size, Program.isMariadb ? "0" : "false")) {
      for (int n = 0; n < 100; n++) {
        sum += Long.parseLong(Program.scalar(connection, "SELECT " + n + " + ?", 0));
      }
    }
    Program.same(sum, 499_500L + 45_150 + 4_950, "sum");
    return Long.toString(sum);
  }
}
