import com.google.gson.Gson;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;

/**
 * MySQL Connector/J or MariaDB Connector/J against one server: the job's path, then "mysql" or "mariadb".
 * See ../../spec.ts for the job and the cases.
 */
final class Program {
  record Account(String user, String password, String currentUser) {}

  record Column(String name, String kind, List<String> values) {
    String value(int row) {
      return row < values.size() ? values.get(row) : null;
    }
  }

  record OtherCharset(String name, String text, String hex) {}

  record Job(
      String host,
      int port,
      String user,
      String password,
      String database,
      String otherDatabase,
      String engine,
      String version,
      List<Account> accounts,
      int bigBytes,
      int bigTextBytes,
      OtherCharset otherCharset,
      String localFile,
      String emptyFile,
      List<String> insertTypes,
      List<Column> columns,
      List<String> cases) {}

  interface Body {
    String run() throws Exception;
  }

  interface Work {
    void run() throws Exception;
  }

  @SuppressWarnings("serial")
  static final class Skip extends RuntimeException {
    Skip(String reason) {
      super(reason);
    }
  }

  private static final DateTimeFormatter MOMENT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS");

  static Job job;
  static boolean isMariadb;

  private Program() {}

  public static void main(String[] args) throws IOException {
    Gson gson = new Gson();
    job = gson.fromJson(Files.readString(Path.of(args[0])), Job.class);
    isMariadb = args[1].equals("mariadb");
    Map<String, Body> cases = Cases.all();
    for (String name : job.cases()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", name);
      line.put("ok", true);
      line.put("detail", "");
      try {
        line.put("detail", cases.get(name).run());
      } catch (Skip reason) {
        line.put("skip", reason.getMessage());
      } catch (Exception | AssertionError failure) {
        line.put("ok", false);
        line.put("detail", describe(failure));
      }
      System.out.println(gson.toJson(line));
    }
    System.exit(0);
  }

  private static String describe(Throwable failure) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      text.append(cause).append("\n  ").append(cause.getStackTrace()[0]).append('\n');
    }
    for (StackTraceElement at : failure.getStackTrace()) {
      if (at.getClassName().startsWith("Cases")) text.append("  ").append(at).append('\n');
    }
    return text.toString();
  }

  /** Opens a connection; `options` are names and values in turn, `user` among them. */
  static Connection open(String... options) throws SQLException {
    Properties settings = new Properties();
    settings.setProperty("user", job.user());
    settings.setProperty("password", job.password());
    settings.setProperty("allowPublicKeyRetrieval", "true");
    settings.setProperty("allowMultiQueries", "true");
    settings.setProperty("connectTimeout", "10000");
    settings.setProperty("sslMode", isMariadb ? "disable" : "DISABLED");
    settings.setProperty("yearIsDateType", "false");
    settings.setProperty(isMariadb ? "allowLocalInfile" : "allowLoadLocalInfile", "true");
    String database = job.database();
    for (int at = 0; at < options.length; at += 2) {
      if (options[at].equals("database")) database = options[at + 1];
      else settings.setProperty(options[at], options[at + 1]);
    }
    String scheme = isMariadb ? "mariadb" : "mysql";
    String url = "jdbc:%s://%s:%d/%s".formatted(scheme, job.host(), job.port(), database);
    return DriverManager.getConnection(url, settings);
  }

  static void same(Object got, Object wanted, String what) {
    if (Objects.deepEquals(got, wanted)) return;
    throw new AssertionError("%s: wanted %.300s, got %.300s".formatted(what, wanted, got));
  }

  static int run(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.executeUpdate(sql);
    }
  }

  static String scalar(Connection connection, String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int at = 0; at < values.length; at++) statement.setObject(at + 1, values[at]);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getString(1);
      }
    }
  }

  /** The server's error that `work` ends with. */
  static SQLException failure(Work work) throws Exception {
    try {
      work.run();
    } catch (SQLException error) {
      // Connector/J wraps an error that comes while it opens a connection.
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        if (cause instanceof SQLException inner && inner.getErrorCode() != 0) return inner;
      }
      throw error;
    }
    throw new AssertionError("no error was thrown");
  }

  static String show(SQLException error) {
    return error.getErrorCode() + " " + error.getSQLState() + " "
        + error.getMessage().replaceFirst("^\\(conn=\\d+\\) ", "");
  }

  /** Puts the three rows in with parameters. */
  static void insertTypes(Connection connection) throws SQLException {
    String marks = ", ?".repeat(job.columns().size());
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO types VALUES (?" + marks + ")")) {
      for (int row = 0; row < 3; row++) {
        insert.setInt(1, row + 1);
        for (int at = 0; at < job.columns().size(); at++) {
          Column column = job.columns().get(at);
          setParameter(insert, at + 2, column.kind(), column.value(row));
        }
        same(insert.executeUpdate(), 1, "inserted rows");
      }
    }
  }

  private static void setParameter(PreparedStatement insert, int at, String kind, String text)
      throws SQLException {
    if (text == null) {
      insert.setNull(at, Types.NULL);
      return;
    }
    switch (isText(kind) ? "string" : kind) {
      case "int" -> insert.setLong(at, Long.parseLong(text));
      case "bit", "year" -> insert.setInt(at, Integer.parseInt(text));
      case "uint", "decimal" -> insert.setBigDecimal(at, new BigDecimal(text));
      case "float" -> insert.setFloat(at, Float.parseFloat(text));
      case "double" -> insert.setDouble(at, Double.parseDouble(text));
      case "bytes" -> insert.setBytes(at, HexFormat.of().parseHex(text));
      case "date" -> insert.setObject(at, LocalDate.parse(text));
      case "datetime" -> insert.setObject(at, LocalDateTime.parse(text, MOMENT));
      default -> insert.setString(at, text);
    }
  }

  /** Kinds that a driver sends wrongly, as of 4.0 and 26.10, are given as text. */
  private static boolean isText(String kind) {
    return switch (kind) {
      case "time" -> true;
      // MySQL 9 finds the packet malformed.
      case "date" -> isMariadb;
      // Takes MariaDB's 5.5.5 in the greeting for a server without fractions of seconds.
      case "datetime" -> !isMariadb && job.engine().equals("mariadb");
      default -> false;
    };
  }

  private static Duration duration(String text) {
    boolean isNegative = text.startsWith("-");
    String[] parts = text.substring(isNegative ? 1 : 0).split("[:.]");
    Duration value = Duration.ofHours(Long.parseLong(parts[0]))
        .plusMinutes(Long.parseLong(parts[1]))
        .plusSeconds(Long.parseLong(parts[2]))
        .plusNanos(Long.parseLong(parts[3]) * 1000);
    return isNegative ? value.negated() : value;
  }

  /** Compares the rows of SELECT * FROM types and describes the columns. */
  static String checkTypes(ResultSet rows) throws SQLException {
    int count = 0;
    for (; rows.next(); count++) {
      same(rows.getInt(1), count + 1, "id");
      for (int at = 0; at < job.columns().size(); at++) {
        Column column = job.columns().get(at);
        same(
            canonical(rows, at + 2, column.kind()),
            wanted(column.kind(), column.value(count)),
            "row %d, column %s".formatted(count + 1, column.name()));
      }
    }
    same(count, 3, "rows");
    ResultSetMetaData data = rows.getMetaData();
    StringBuilder detail = new StringBuilder();
    for (int at = 1; at <= data.getColumnCount(); at++) {
      detail.append("%s:%s:%d:%d:%d:%b:%b:%d ".formatted(
          data.getColumnLabel(at), data.getColumnTypeName(at), data.getColumnType(at),
          data.getPrecision(at), data.getScale(at), data.isSigned(at), data.isAutoIncrement(at),
          data.isNullable(at)));
    }
    return detail.toString();
  }

  private static Object canonical(ResultSet rows, int at, String kind) throws SQLException {
    if (rows.getString(at) == null) return null;
    return switch (kind) {
      case "int" -> Long.toString(rows.getLong(at));
      case "uint" -> rows.getBigDecimal(at).toPlainString();
      case "year" -> Integer.toString(rows.getInt(at));
      case "decimal" -> rows.getBigDecimal(at).toPlainString();
      case "float" -> rows.getFloat(at);
      case "double" -> rows.getDouble(at);
      case "bit" -> new BigInteger(1, rows.getBytes(at)).toString();
      case "bytes" -> HexFormat.of().formatHex(rows.getBytes(at));
      case "date" -> rows.getObject(at, LocalDate.class).toString();
      case "datetime" -> rows.getObject(at, LocalDateTime.class).format(MOMENT);
      case "time" -> rows.getObject(at, Duration.class);
      case "json" -> JsonParser.parseString(rows.getString(at));
      default -> rows.getString(at);
    };
  }

  private static Object wanted(String kind, String text) {
    if (text == null) return null;
    return switch (kind) {
      case "float" -> Float.parseFloat(text);
      case "double" -> Double.parseDouble(text);
      case "time" -> duration(text);
      case "json" -> JsonParser.parseString(text);
      default -> text;
    };
  }

  static byte[] bigData(int length) {
    byte[] data = new byte[length];
    for (int i = 0; i < length; i++) data[i] = (byte) (i * 31 + (i >> 8) * 17 + (i >> 16) * 7);
    return data;
  }

  static String sha256(byte[] data) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
  }

  static String hex(String text) {
    return HexFormat.of().withUpperCase().formatHex(text.getBytes(StandardCharsets.UTF_8));
  }

  static void equal(byte[] got, byte[] wanted, String what) {
    if (!Arrays.equals(got, wanted)) throw new AssertionError(what + " differs");
  }
}
