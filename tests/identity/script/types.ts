/** Every column type in both protocols, with its extremes and NULL. */
import type { EngineName } from "../../../src/dev/engines/engine.ts";
import { closeStatement, CURSOR, execute, fetch, int, prepare } from "../commands.ts";
import { failsOn, type Line, on } from "../step.ts";

type Column = readonly [name: string, type: string, low: string, high: string];

const COMMON: readonly Column[] = [
  ["c_bool", "BOOLEAN", "FALSE", "TRUE"],
  ["c_tiny", "TINYINT", "-128", "127"],
  ["c_utiny", "TINYINT UNSIGNED", "0", "255"],
  ["c_small", "SMALLINT", "-32768", "32767"],
  ["c_usmall", "SMALLINT UNSIGNED", "0", "65535"],
  ["c_medium", "MEDIUMINT", "-8388608", "8388607"],
  ["c_umedium", "MEDIUMINT UNSIGNED", "0", "16777215"],
  ["c_int", "INT", "-2147483648", "2147483647"],
  ["c_uint", "INT UNSIGNED", "0", "4294967295"],
  ["c_zero", "INT(7) ZEROFILL", "0", "42"],
  ["c_big", "BIGINT", "-9223372036854775808", "9223372036854775807"],
  ["c_ubig", "BIGINT UNSIGNED", "0", "18446744073709551615"],
  ["c_float", "FLOAT", "-1.5", "3.40282e38"],
  ["c_double", "DOUBLE", "-2.2250738585072014e-308", "1.7976931348623157e308"],
  ["c_double2", "DOUBLE(10,2)", "-0.01", "99999999.99"],
  ["c_decimal", "DECIMAL(30,10)", "-12345678901234567890.0123456789", "0.0000000001"],
  ["c_decimal0", "DECIMAL(65,0)", `-${"9".repeat(65)}`, "9".repeat(65)],
  ["c_udecimal", "DECIMAL(5,2) UNSIGNED", "0", "999.99"],
  ["c_year", "YEAR", "1901", "2155"],
  ["c_bit1", "BIT(1)", "b'0'", "b'1'"],
  ["c_bit64", "BIT(64)", "0", "18446744073709551615"],
  ["c_date", "DATE", "'1000-01-01'", "'9999-12-31'"],
  ["c_datetime", "DATETIME", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"],
  ["c_datetime6", "DATETIME(6)", "'2024-02-29 00:00:00'", "'2024-02-29 12:34:56.123456'"],
  ["c_timestamp", "TIMESTAMP NULL", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"],
  ["c_timestamp3", "TIMESTAMP(3) NULL", "'2024-02-29 00:00:00.5'", "'2024-12-31 23:59:59.999'"],
  ["c_time", "TIME", "'-838:59:59'", "'838:59:59'"],
  ["c_time6", "TIME(6)", "'-00:00:00.000001'", "'100:00:00.5'"],
  ["c_char", "CHAR(5)", "''", "'abc'"],
  ["c_varchar", "VARCHAR(200)", "'grüße \u{1F600}'", "REPEAT('v', 200)"],
  ["c_binary", "BINARY(4)", "x'00ff'", "x'fffefdfb'"],
  ["c_varbinary", "VARBINARY(300)", "x''", "REPEAT(x'fb', 251)"],
  ["c_tinytext", "TINYTEXT", "''", "REPEAT('t', 250)"],
  ["c_text", "TEXT", "'text'", "REPEAT('t', 65000)"],
  ["c_mediumtext", "MEDIUMTEXT", "'medium'", "REPEAT('m', 70000)"],
  ["c_longtext", "LONGTEXT", "'long'", "REPEAT('l', 66000)"],
  ["c_tinyblob", "TINYBLOB", "x'00'", "x'ff00'"],
  ["c_blob", "BLOB", "x'fe00fe'", "REPEAT(x'fe', 65535)"],
  ["c_mediumblob", "MEDIUMBLOB", "x''", "REPEAT(x'ff', 65536)"],
  ["c_longblob", "LONGBLOB", "x'00'", "x'0102'"],
  ["c_enum", "ENUM('red', 'green', 'blé')", "'red'", "'blé'"],
  ["c_set", "SET('a', 'b', 'c')", "''", "'a,c'"],
  ["c_json", "JSON", "'[]'", `'{"k": [1, null, "x", 1.5, true]}'`],
];

const OWN: Record<EngineName, readonly Column[]> = {
  mariadb: [
    ["c_point", "POINT", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-1 -2)')"],
    ["c_polygon", "GEOMETRY", "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')", "NULL"],
    [
      "c_uuid",
      "UUID",
      "'00000000-0000-0000-0000-000000000001'",
      "'123e4567-e89b-12d3-a456-426655440000'",
    ],
    ["c_inet6", "INET6", "'::'", "'2001:db8::ff00:42:8329'"],
    ["c_inet4", "INET4", "'0.0.0.0'", "'192.0.2.1'"],
    ["c_compressed", "VARCHAR(100) COMPRESSED", "''", "'compressed'"],
  ],
  mysql: [
    ["c_point", "POINT", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-1 -2)')"],
    ["c_polygon", "GEOMETRY", "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')", "NULL"],
    ["c_vector", "VECTOR(3)", "STRING_TO_VECTOR('[1,2.5,-3]')", "STRING_TO_VECTOR('[0,0,0]')"],
  ],
  seekdb: [
    ["c_point", "POINT", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-1 -2)')"],
    ["c_vector", "VECTOR(3)", "'[1,2.5,-3]'", "'[0,0,0]'"],
  ],
};

const INTRODUCERS = { latin1: "seekdb", utf8mb4: "", gbk: "seekdb", binary: "" };

function creation(engine: EngineName): Line[] {
  const columns = [...COMMON, ...OWN[engine]];
  const declared = columns.map(([name, type]) => `${name} ${type}`).join(", ");
  return [
    `CREATE TABLE all_types (id INT PRIMARY KEY, ${declared})`,
    `INSERT INTO all_types VALUES (1, ${columns.map(([, , low]) => low).join(", ")})`,
    `INSERT INTO all_types VALUES (2, ${columns.map(([, , , high]) => high).join(", ")})`,
    "INSERT INTO all_types (id) VALUES (3)",
    "SELECT * FROM all_types ORDER BY id",
    ...columns.map(([name]) => `SELECT ${name}, id FROM all_types ORDER BY id`),
    prepare("types", "SELECT * FROM all_types ORDER BY id"),
    execute("types"),
    execute("types", [], CURSOR),
    failsOn("seekdb", fetch("types", 1)),
    failsOn("seekdb", fetch("types", 5)),
    closeStatement("types"),
    ...columns.flatMap(([name]) => [
      prepare("type", `SELECT ${name} FROM all_types WHERE id <> ? ORDER BY id`),
      execute("type", [int(0)]),
      closeStatement("type"),
    ]),
  ];
}

export const types: readonly Line[] = [
  on("mariadb", creation("mariadb")),
  on("mysql", creation("mysql")),
  on("seekdb", creation("seekdb")),
  "SELECT NULL",
  "SELECT NULL, 1, -1, 1.5, 1e30, 'x', '', x'00', x'ff', TRUE",
  "SELECT 18446744073709551615, -9223372036854775808, 0.1 + 0.2, 1 / 3, 10 DIV 3, 2e0 / 3",
  "SELECT DATE '2024-02-29', TIME '-12:00:00.5', TIMESTAMP '2024-02-29 01:02:03.000004'",
  "SELECT CAST('1' AS SIGNED), CAST(-1 AS UNSIGNED), CAST(1.5 AS DECIMAL(10, 3)), CAST('a' AS CHAR(3))",
  "SELECT CAST('a' AS BINARY), CAST('2024-02-29' AS DATE), CAST('10:00' AS TIME), b'101', 0xff",
  "SELECT MIN(c_int), MAX(c_ubig), AVG(c_tiny), SUM(c_decimal), COUNT(*), GROUP_CONCAT(id) FROM all_types",
  ...Object.entries(INTRODUCERS).map(([name, refusedBy]) =>
    failsOn(
      refusedBy,
      `SELECT c_varchar, HEX(c_varchar), _${name} 'abc' FROM all_types WHERE id = 1`,
    )
  ),
  "SELECT c_varchar COLLATE utf8mb4_bin AS bin, c_char COLLATE utf8mb4_general_ci AS ci FROM all_types ORDER BY id",
  "SELECT id AS 'spaced name', id AS `grün`, id AS '' FROM all_types ORDER BY id LIMIT 1",
];
