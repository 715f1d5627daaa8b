import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The proxy's own account by MySQL, MariaDB or OceanBase Connector/J: the job's path, then the start
 * of the URL, such as "jdbc:mysql:". See ../../own_account.ts for the cases.
 */
final class OwnAccount {
  private static final Gson GSON = new Gson();

  private static Connection connection;

  private OwnAccount() {}

  public static void main(String[] args) throws Exception {
    JsonObject job = GSON.fromJson(Files.readString(Path.of(args[0])), JsonObject.class);
    String text = "%s//%s:%d/?%s&allowPublicKeyRetrieval=true&useServerPrepStmts=true";
    // The older drivers know the first of these, the others the second one.
    String noTls = args[1].contains("oceanbase") ? "useSSL=false" : "sslMode=DISABLED";
    String url =
        text.formatted(args[1], job.get("host").getAsString(), job.get("port").getAsInt(), noTls);
    String user = job.get("user").getAsString();
    connection = DriverManager.getConnection(url, user, job.get("password").getAsString());
    JsonArray cases = job.getAsJsonArray("cases");
    for (JsonElement name : cases) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("case", name.getAsString());
      try {
        line.put("detail", run(name.getAsString()));
        line.put("ok", true);
      } catch (Exception failure) {
        line.put("detail", String.valueOf(failure));
        line.put("ok", false);
      }
      System.out.println(GSON.toJson(line));
    }
    connection.close();
  }

  private static String run(String name) throws SQLException {
    switch (name) {
      case "own session":
        try (Statement statement = connection.createStatement()) {
          return ownRow(statement.executeQuery("SHOW PROXYSESSION"));
        }
      case "own session, prepared":
        try (PreparedStatement statement = connection.prepareStatement("SHOW PROXYSESSION")) {
          return ownRow(statement.executeQuery());
        }
      case "parameter":
        return query("SHOW PROXYCONFIG LIKE 'client_max_connections'", "value");
      case "refusal":
        try (Statement statement = connection.createStatement()) {
          statement.execute("KILL 2147483000");
          return "";
        } catch (SQLException error) {
          return String.valueOf(error.getErrorCode());
        }
      case "transaction":
        connection.setAutoCommit(false);
        String one = query("SELECT 1 AS one", "one");
        connection.commit();
        connection.setAutoCommit(true);
        return one;
      case "ping":
        return connection.isValid(5) ? "" : "not valid";
      default:
        throw new IllegalArgumentException(name);
    }
  }

  private static String query(String sql, String column) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      return rows.next() ? rows.getString(column) : null;
    }
  }

  private static String ownRow(ResultSet rows) throws SQLException {
    String id = query("SELECT CONNECTION_ID() AS id", "id");
    String found = "";
    while (rows.next()) {
      if (!rows.getString("Id").equals(id)) continue;
      found += rows.getString("User") + "@" + rows.getString("Tenant");
    }
    return found;
  }
}
