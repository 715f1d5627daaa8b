/** Configuration files with something wrong in them, and what they are told. */
import { CLUSTER, USER } from "./config_tools.ts";

export interface WrongFile {
  readonly what: string;
  /** CLUSTER and USER are three lines each. */
  readonly text: string;
  /** Each problem: where it is, and what its sentence must say. */
  readonly problems: readonly (readonly [place: string, ...says: string[]])[];
}

const VALID = CLUSTER + USER;

export const WRONG_FILES: readonly WrongFile[] = [
  {
    what: "an empty file",
    text: "",
    problems: [
      ["config.toml: clusters", "at least one [[clusters]] with name and servers", "got none"],
      ["config.toml: users", "at least one [[users]] with name and a password", "got none"],
    ],
  },
  {
    what: "no user",
    text: CLUSTER,
    problems: [["config.toml: users", "at least one [[users]]", "got none"]],
  },
  {
    what: "an empty list of clusters",
    text: `clusters = []\n${USER}`,
    problems: [["config.toml: clusters", "at least one [[clusters]]", "got none"]],
  },
  {
    what: "a number for a duration",
    text: `${VALID}[proxy]\nlogin_timeout = 5\n`,
    problems: [[
      "config.toml:8: proxy.login_timeout",
      'Expected a duration such as "10s" between 100ms and 10m, got 5',
    ]],
  },
  {
    what: "a duration without unit, one too long and one too short",
    text: `${VALID}[proxy]\nlogin_timeout = "10"\nconnect_timeout = "1h"\nshutdown_grace = "2 h"\n`,
    problems: [
      ["config.toml:8: proxy.login_timeout", "between 100ms and 10m", 'got "10"'],
      ["config.toml:9: proxy.connect_timeout", "between 10ms and 10m", 'got "1h"'],
      ["config.toml:10: proxy.shutdown_grace", "between 0s and 1h", 'got "2 h"'],
    ],
  },
  {
    what: "numbers out of range and of the wrong kind",
    text: `${VALID}[proxy]\nproxy_id = 8192\nclient_max_connections = -1\n`,
    problems: [
      ["config.toml:8: proxy.proxy_id", "a whole number between 0 and 8191", "got 8192"],
      ["config.toml:9: proxy.client_max_connections", "between 0 and 262144", "got -1"],
    ],
  },
  {
    what: "switches and sizes that are none",
    text: `[proxy]\nskip_proxy_sys_private_check = "true"\ninternal_cmd_mem_limited = 16\n` +
      `[proxy.x]\n${VALID}`,
    problems: [
      ["config.toml:2: proxy.skip_proxy_sys_private_check", 'Expected true or false, got "true"'],
      [
        "config.toml:3: proxy.internal_cmd_mem_limited",
        'Expected a size such as "16M" between 0 and 64M, got 16',
      ],
      ["config.toml:4: proxy.x", "Unknown key"],
    ],
  },
  {
    what: "sizes and an id version out of range",
    text: `[proxy]\ninternal_cmd_mem_limited = "65M"\nclient_session_id_version = 3\n${VALID}`,
    problems: [
      ["config.toml:2: proxy.internal_cmd_mem_limited", 'got "65M"'],
      ["config.toml:3: proxy.client_session_id_version", "between 1 and 2", "got 3"],
    ],
  },
  {
    what: "passwords of the proxy's own accounts given twice, and empty",
    text: `[proxy]\nobproxy_sys_password = ""\nobproxy_sys_password_env = "EMPTY"\n` +
      `inspector_password_env = "EMPTY"\n${VALID}`,
    problems: [
      [
        "config.toml:3: proxy.obproxy_sys_password_env",
        "Expected at most one of obproxy_sys_password, obproxy_sys_password_file",
        "got obproxy_sys_password and obproxy_sys_password_env",
      ],
      [
        "config.toml:4: proxy.inspector_password_env",
        'but it is empty; an account without one has inspector_password = ""',
      ],
    ],
  },
  {
    what: "limits of an account and a tenant out of range",
    text: `${CLUSTER}[[clusters.tenants]]\nname = "t"\nmax_connections = -1\n` +
      `${USER}max_connections = 262145\n`,
    problems: [
      ["config.toml:6: clusters.tenants.max_connections", "between 0 and 262144, got -1"],
      ["config.toml:10: users.max_connections", "between 0 and 262144, got 262145"],
    ],
  },
  {
    what: "a fraction and a text for a number",
    text: `[proxy]\nproxy_id = 1.0\nclient_max_connections = "8"\n${VALID}`,
    problems: [
      ["config.toml:2: proxy.proxy_id", "a whole number between 0 and 8191", "got 1.0"],
      ["config.toml:3: proxy.client_max_connections", "a whole number", 'got "8"'],
    ],
  },
  {
    what: "an unknown key near a known one",
    text: `${VALID}\n[proxy]\nlogin_timeot = "5s"\n`,
    problems: [[
      "config.toml:9: proxy.login_timeot",
      "Unknown key (did you mean login_timeout?)",
      "known keys of [proxy]: listen, proxy_id",
    ]],
  },
  {
    what: "the other name of an ODP parameter",
    text: `${VALID}[proxy]\nserver_version = "8.0.30"\n`,
    problems: [[
      "config.toml:8: proxy.server_version",
      "did you mean mysql_version?",
      "known keys of [proxy]",
    ]],
  },
  {
    what: "a key of another section",
    text: `${VALID}[proxy]\nlevel = "info"\n`,
    problems: [["config.toml:8: proxy.level", "Unknown key (did you mean log.level?)"]],
  },
  {
    what: "a key before the first section",
    text: `listen = ["127.0.0.1:1"]\nfoo = 1\n${VALID}`,
    problems: [
      ["config.toml:1: listen", "before the first section (did you mean it for [proxy]?)"],
      ["config.toml:2: foo", "Unknown key before the first section", "known sections: [proxy]"],
    ],
  },
  {
    what: "an unknown section near a known one, and one near none",
    text: `${VALID}[prxoy]\nlisten = 1\n[metrics]\n`,
    problems: [
      ["config.toml:7: prxoy", "Unknown section (did you mean [proxy]?)", "[[clusters]]"],
      ["config.toml:9: metrics", "Unknown section, known sections: [proxy], [log]"],
    ],
  },
  {
    what: "single brackets for a repeated section",
    text: `${CLUSTER}[users]\nname = "app"\npassword = "secret"\n`,
    problems: [["config.toml:4: users", "Expected [[users]] on a line of its own", "got [users]"]],
  },
  {
    what: "double brackets for a single section",
    text: `[[log]]\nlevel = "info"\n${VALID}`,
    problems: [["config.toml:1: log", "Expected [log] on a line of its own, got [[log]]"]],
  },
  {
    what: "a value for a section",
    text: `proxy = 3\n${VALID}`,
    problems: [["config.toml:1: proxy", "Expected [proxy] on a line of its own, got a number"]],
  },
  {
    what: "choices that do not exist",
    text:
      `[log]\nlevel = "warn"\nformat = "xml"\n[proxy]\ndefault_authentication_plugin = "sha256_password"\n${VALID}`,
    problems: [
      ["config.toml:2: log.level", '"debug", "info", "warning" or "error", got "warn"'],
      ["config.toml:3: log.format", 'Expected "logfmt" or "json", got "xml"'],
      [
        "config.toml:5: proxy.default_authentication_plugin",
        'Expected "server", "caching_sha2_password" or "mysql_native_password", got "sha256_password"',
      ],
    ],
  },
  {
    what: "a sharing mode and a kind of a cluster that do not exist",
    text:
      `[[clusters]]\nname = "a"\nkind = "oracle"\nsharing = "statement"\nservers = ["a:1"]\n${USER}`,
    problems: [
      ["config.toml:3: clusters.kind", 'Expected "mysql" or "oceanbase", got "oracle"'],
      [
        "config.toml:4: clusters.sharing",
        'Expected "session" or "transaction", got "statement"',
      ],
    ],
  },
  {
    what: "addresses to listen on that are none",
    text: `[proxy]\nlisten = [\n  "127.0.0.1",\n  "::1:2883", # IPv6\n  "127.0.0.300:1",\n` +
      `  ":2883", "a b:1",\n  "[::g]:1", "host:65536",\n  2883,\n]\n${VALID}`,
    problems: [
      ["config.toml:3: proxy.listen", "port between 0 and 65535", '"127.0.0.1": it has no port'],
      ["config.toml:4: proxy.listen", 'got "::1:2883": an IPv6 address needs brackets'],
      ["config.toml:5: proxy.listen", 'got "127.0.0.300:1": its IPv4 address is not valid'],
      ["config.toml:6: proxy.listen", 'got ":2883": it has no host'],
      ["config.toml:6: proxy.listen", 'got "a b:1": its host is not valid'],
      ["config.toml:7: proxy.listen", 'got "[::g]:1": its IPv6 address is not valid'],
      ["config.toml:7: proxy.listen", 'got "host:65536": its port is not in that range'],
      ["config.toml:8: proxy.listen", 'Expected "host:port"', "got 2883"],
    ],
  },
  {
    what: "a text in place of the list of addresses",
    text: `[proxy]\nlisten = "127.0.0.1:2883"\n${VALID}`,
    problems: [[
      "config.toml:2: proxy.listen",
      'Expected a list in brackets, each item "host:port"',
      'got "127.0.0.1:2883"',
    ]],
  },
  {
    what: "nowhere to listen",
    text: `[proxy]\nlisten = []\n${VALID}`,
    problems: [["config.toml:2: proxy.listen", "Expected a list", "got an empty list"]],
  },
  {
    what: "all addresses of the machine beside one of them",
    text: `[proxy]\nlisten = [\n"127.0.0.1:1",\n"0.0.0.0:1",\n"[::]:2",\n"0.0.0.0:2",\n` +
      `"0.0.0.0:3",\n"127.0.0.1:4",\n"127.0.0.2:4"]\n${VALID}`,
    problems: [
      [
        "config.toml:4: proxy.listen",
        'Expected each port once for all addresses of the machine, got "0.0.0.0:1" beside ' +
        '"127.0.0.1:1"',
      ],
      ["config.toml:6: proxy.listen", 'got "0.0.0.0:2" beside "[::]:2"'],
    ],
  },
  {
    what: "log files that cannot be written",
    text: `${VALID}[log]\nfile = "/run/folder"\n`,
    problems: [[
      "config.toml:8: log.file",
      'Expected a file to add lines to, got it is a folder at "/run/folder"',
    ]],
  },
  {
    what: "a version that is none",
    text: `${VALID}[proxy]\nmysql_version = "8.0"\n`,
    problems: [["config.toml:8: proxy.mysql_version", 'a version such as "8.0.36", got "8.0"']],
  },
  {
    what: "pools that keep more open than they may have",
    text: `${VALID}[proxy]\nsession_pool_default_min_conn = 21\n`,
    problems: [[
      "config.toml:8: proxy.session_pool_default_min_conn",
      "Expected at most 20, which is session_pool_default_max_conn, got 21",
    ]],
  },
  {
    what: "one address to listen on twice, after a wrong one",
    text: `[proxy]\nlisten = ["x", "localhost:2883",\n"LOCALHOST:2883", "h:0", "h:0"]\n${VALID}`,
    problems: [["config.toml:2: proxy.listen", 'got "x": it has no port'], [
      "config.toml:3: proxy.listen",
      'Expected each address once, got "localhost:2883" again (first on line 2)',
    ]],
  },
  {
    what: "an unknown default cluster",
    text: `[proxy]\ndefault_cluster = "mian"\n${VALID}`,
    problems: [[
      "config.toml:2: proxy.default_cluster",
      'Expected a configured cluster ("main"), got "mian" (did you mean "main"?)',
    ]],
  },
  {
    what: "key files that cannot be read or are none",
    text: `[proxy]\nrsa_private_key_file = "key.pem"\n${VALID}`,
    problems: [[
      "config.toml:2: proxy.rsa_private_key_file",
      "Expected a PEM file with an unencrypted private key, got another kind of file at",
    ]],
  },
  {
    what: "a cluster without name and servers",
    text: `\n[[clusters]]\n${USER}`,
    problems: [
      ["config.toml:2: clusters.name", 'Expected a name without "@", "#" and ":", got none'],
      ["config.toml:2: clusters.servers", "Expected a list in brackets", "got none"],
    ],
  },
  {
    what: "a cluster with an empty name and an empty list of servers",
    text: `[[clusters]]\nname = ""\nservers = []\n${USER}`,
    problems: [
      ["config.toml:2: clusters.name", "Expected a name", 'got ""'],
      ["config.toml:3: clusters.servers", "or a table with address", "got an empty list"],
    ],
  },
  {
    what: "a cluster name that no login could carry",
    text: `[[clusters]]\nname = "a#b"\nservers = ["a:1"]\n${USER}`,
    problems: [["config.toml:2: clusters.name", 'without "@", "#" and ":"', 'got "a#b"']],
  },
  {
    what: "two clusters, two servers and two tenants of one name",
    text: `[[clusters]]\nname = "a"\nservers = [\n "h:1",\n "H:1",\n` +
      ` { address = "h:2", name = "x" },\n { address = "h:3", name = "x" },\n]\n` +
      `[[clusters.tenants]]\nname = "t"\n[[clusters.tenants]]\nname = "t"\n` +
      `[[clusters]]\nname = "a"\nservers = ["h:1"]\n${USER}`,
    problems: [
      ["config.toml:5: clusters.servers", 'each server address once, got "h:1" again', "line 4"],
      ["config.toml:7: clusters.servers.name", 'each server name once, got "x" again', "line 6"],
      ["config.toml:12: clusters.tenants.name", 'tenant name once, got "t" again', "line 10"],
      ["config.toml:14: clusters.name", 'each cluster name once, got "a" again', "line 2"],
    ],
  },
  {
    what: "servers with wrong keys and values",
    text: `[[clusters]]\nname = "a"\n` +
      `[[clusters.servers]]\nadress = "h:1"\n` +
      `[[clusters.servers]]\naddress = "h:0"\nrole = "master"\nweight = 1001\nzone = 3\n${USER}`,
    problems: [
      ["config.toml:3: clusters.servers.address", 'Expected "host:port"', "got none"],
      ["config.toml:4: clusters.servers.adress", "did you mean address?", "[[clusters.servers]]"],
      ["config.toml:6: clusters.servers.address", "port between 1 and 65535", 'got "h:0"'],
      ["config.toml:7: clusters.servers.role", '"primary" or "replica", got "master"'],
      ["config.toml:8: clusters.servers.weight", "between 0 and 1000", "got 1001"],
      ["config.toml:9: clusters.servers.zone", "Expected text in quotes", "got 3"],
    ],
  },
  {
    what: "a list of servers beside blocks of servers",
    text: `${CLUSTER}[[clusters.servers]]\naddress = "h:1"\n${USER}`,
    problems: [["config.toml:4: clusters.servers", "Expected once, got it again", "line 3"]],
  },
  {
    what: "a tenant with an unknown server and without name",
    text: `${CLUSTER}[[clusters.tenants]]\nservers = [\n"127.0.0.1:3307"]\n${USER}`,
    problems: [
      ["config.toml:4: clusters.tenants.name", "Expected a name", "got none"],
      [
        "config.toml:6: clusters.tenants.servers",
        'Expected a configured server ("127.0.0.1:3306"), got "127.0.0.1:3307"',
      ],
    ],
  },
  {
    what: "a user with an unknown cluster, and with unknown tenants",
    text: `${CLUSTER}[[clusters.tenants]]\nname = "sales"\n` +
      `[[users]]\nname = "a"\npassword = ""\ncluster = "other"\n` +
      `[[users]]\nname = "b"\npassword = ""\ntenant = "sale"\n`,
    problems: [
      ["config.toml:9: users.cluster", 'Expected a configured cluster ("main"), got "other"'],
      ["config.toml:13: users.tenant", 'tenant ("sales"), got "sale" (did you mean "sales"?)'],
    ],
  },
  {
    what: "one account twice",
    text: `${VALID}[[users]]\nname = "app"\npassword = ""\n[[users]]\nname = "app"\n` +
      `cluster = "main"\npassword = ""\n`,
    problems: [[
      "config.toml:8: users.name",
      'Expected each account (name, tenant and cluster) once, got "app" again (first on line 5)',
    ]],
  },
  {
    what: "blocks of a cluster without the cluster",
    text: `[[clusters.servers]]\naddress = "h:1"\n${USER}`,
    problems: [[
      "config.toml:1: clusters",
      "Expected [[clusters]] on a line of its own before [[clusters.servers]], got none",
    ]],
  },
  {
    what: "password files that are plainly paths, and one that need not be",
    text: `${CLUSTER}[[users]]\nname = "a"\npassword_file = "secrets/app.pw"\n` +
      `[[users]]\nname = "b"\npassword_file = "letmein"\n`,
    problems: [
      ["config.toml:6: users.password_file", 'in the file "secrets/app.pw": no such file'],
      [
        "config.toml:9: users.password_file",
        "in the file that it names beside the configuration: no such file",
      ],
    ],
  },
  {
    what: "an account name with its tenant",
    text: `${CLUSTER}[[users]]\nname = "root@sys"\npassword = ""\n`,
    problems: [["config.toml:5: users.name", 'a name without "@" and "#", got "root@sys"']],
  },
  {
    what: "a user without password",
    text: `${CLUSTER}[[users]]\nname = "app"\n`,
    problems: [[
      "config.toml:4: users.password",
      "exactly one of password, password_file, password_env and password_hash, got none",
    ]],
  },
  {
    what: "a password given twice",
    text: `${VALID}password_env = "APP_PASSWORD"\n`,
    problems: [[
      "config.toml:7: users.password_env",
      "Expected exactly one of password, password_file",
      "got password and password_env",
    ]],
  },
  {
    what: "the same key twice",
    text: `${VALID}password = "other"\n`,
    problems: [["config.toml:7: users.password", "Expected once, got it again (first on line 6)"]],
  },
  {
    what: "password files that cannot be read",
    text: `${CLUSTER}[[users]]\nname = "a"\npassword_file = "/run/none"\n` +
      `[[users]]\nname = "b"\npassword_file = "/run/locked"\n` +
      `[[users]]\nname = "c"\npassword_file = "/run/folder"\n` +
      `[[users]]\nname = "d"\npassword_file = "/run/empty"\n`,
    problems: [
      [
        "config.toml:6: users.password_file",
        "Expected a password in the file",
        '"/run/none": no such file',
      ],
      ["config.toml:9: users.password_file", '"/run/locked": permission denied'],
      ["config.toml:12: users.password_file", '"/run/folder": it is a folder'],
      ["config.toml:15: users.password_file", "Expected a password in the file", "got none"],
    ],
  },
  {
    what: "environment variables that are not set, empty or no names",
    text: `${CLUSTER}[[users]]\nname = "a"\npassword_env = "NONE"\n` +
      `[[users]]\nname = "b"\npassword_env = "EMPTY"\n` +
      `[[users]]\nname = "c"\npassword_env = "$APP"\n`,
    problems: [
      ["config.toml:6: users.password_env", "in the environment variable NONE", "is not set"],
      ["config.toml:9: users.password_env", "in the environment variable EMPTY", "it is empty"],
      ["config.toml:12: users.password_env", 'variable such as "APP_PASSWORD"', "got text"],
    ],
  },
  {
    what: "a broken hash and a password that is no text",
    text: `${CLUSTER}[[users]]\nname = "a"\npassword_hash = "*0123"\n` +
      `[[users]]\nname = "b"\npassword = 12345678\n`,
    problems: [
      ["config.toml:6: users.password_hash", '"*" and 40 hex digits', "got text"],
      ["config.toml:9: users.password", "Expected text in quotes", "got a number"],
    ],
  },
  {
    what: "half an account towards the servers",
    text: `${CLUSTER}[[users]]\nname = "a"\npassword = ""\nserver_user = "s"\n` +
      `[[users]]\nname = "b"\npassword = ""\nserver_password = "p"\n`,
    problems: [
      [
        "config.toml:4: users.server_password",
        "exactly one of server_password, server_password_file and server_password_env, got none",
      ],
      ["config.toml:11: users.server_password", "Expected server_user beside it, got none"],
    ],
  },
  {
    what: "a section twice",
    text: `[log]\nlevel = "info"\n[proxy]\n[log]\nformat = "json"\n${VALID}`,
    problems: [["config.toml:4: log", "Expected once, got it again (first on line 1)"]],
  },
  {
    what: "text without quotes",
    text: `${VALID}[proxy]\nlogin_timeout = 5s\n`,
    problems: [["config.toml:8", "Cannot read TOML", 'a value such as "text" in quotes']],
  },
  {
    what: "quotes that are not closed",
    text: `${CLUSTER}[[users]]\nname = "app\npassword = "secret"\n`,
    problems: [["config.toml:5", "Cannot read TOML", "quotes to be closed on the same line"]],
  },
  {
    what: "a list that is not closed",
    text: `[proxy]\nlisten = ["a:1"\n${VALID}`,
    problems: [["config.toml:2", "Cannot read TOML", 'Expected "," or "]" in the list']],
  },
  {
    what: "a section that is not closed",
    text: `[proxy\n${VALID}`,
    problems: [["config.toml:1", "Cannot read TOML", 'Expected "]" after the name']],
  },
  {
    what: "two values on one line",
    text: `${VALID}[proxy]\nproxy_id = 1 proxy_id = 2\n`,
    problems: [["config.toml:8", "Cannot read TOML", "Expected the end of the line"]],
  },
  {
    what: "a key without value",
    text: `${VALID}\n# nothing\n[proxy]\nlisten\n`,
    problems: [["config.toml:10", "Cannot read TOML", 'Expected "=" and a value']],
  },
  {
    what: "a backslash of a Windows path in double quotes",
    text: `${VALID}[log]\nfile = "C:\\sluice.log"\n`,
    problems: [["config.toml:8", "Cannot read TOML", "in single quotes a backslash is no escape"]],
  },
];
