/**
 * SHOW of things that a session without a server has none or few of, with MySQL's columns. Some
 * drivers read character sets and collations when they connect.
 */
import type { Column } from "../protocol/resultset.ts";
import type { Row } from "./answer.ts";
import { numberColumn, textColumn } from "./columns.ts";

export interface ShortList {
  /** The ways to say it, behind SHOW. */
  readonly words: readonly string[];
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Whether FROM and the name of a schema may follow. */
  readonly ofSchema?: boolean;
}

function textColumns(...names: readonly string[]): Column[] {
  return names.map(textColumn);
}

const MESSAGE_COLUMNS = [textColumn("Level"), numberColumn("Code"), textColumn("Message")];

export const SHORT_LISTS: readonly ShortList[] = [
  { words: ["DATABASES", "SCHEMAS"], columns: textColumns("Database"), rows: [] },
  { words: ["TABLES"], columns: textColumns("Tables_in_proxysys"), rows: [], ofSchema: true },
  {
    words: ["FULL TABLES"],
    columns: textColumns("Tables_in_proxysys", "Table_type"),
    rows: [],
    ofSchema: true,
  },
  { words: ["WARNINGS"], columns: MESSAGE_COLUMNS, rows: [] },
  { words: ["ERRORS"], columns: MESSAGE_COLUMNS, rows: [] },
  {
    words: ["ENGINES", "STORAGE ENGINES"],
    columns: textColumns("Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"),
    rows: [],
  },
  {
    words: ["PLUGINS"],
    columns: textColumns("Name", "Status", "Type", "Library", "License"),
    rows: [],
  },
  {
    words: ["GRANTS"],
    columns: textColumns("Grants for root@%"),
    rows: [["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`"]],
  },
  {
    words: ["CHARACTER SET", "CHARSET"],
    columns: [
      ...textColumns("Charset", "Description", "Default collation"),
      numberColumn("Maxlen"),
    ],
    rows: [
      ["binary", "Binary pseudo charset", "binary", 1],
      ["latin1", "cp1252 West European", "latin1_swedish_ci", 1],
      ["utf8mb3", "UTF-8 Unicode", "utf8mb3_general_ci", 3],
      ["utf8mb4", "UTF-8 Unicode", "utf8mb4_general_ci", 4],
    ],
  },
  {
    words: ["COLLATION"],
    columns: [
      ...textColumns("Collation", "Charset"),
      numberColumn("Id"),
      ...textColumns("Default", "Compiled"),
      numberColumn("Sortlen"),
    ],
    rows: [
      ["latin1_swedish_ci", "latin1", 8, "Yes", "Yes", 1],
      ["utf8mb3_general_ci", "utf8mb3", 33, "Yes", "Yes", 1],
      ["utf8mb4_general_ci", "utf8mb4", 45, "Yes", "Yes", 1],
      ["utf8mb4_bin", "utf8mb4", 46, "", "Yes", 1],
      ["binary", "binary", 63, "Yes", "Yes", 1],
      ["utf8mb4_0900_ai_ci", "utf8mb4", 255, "", "Yes", 0],
    ],
  },
];
