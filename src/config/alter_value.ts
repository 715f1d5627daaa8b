import { createHash } from "node:crypto";
import type { KeyRow } from "./key_row.ts";
import type { TomlNode } from "./toml_document.ts";

/** A setting as it goes into the overlay: the key that it is written under, and its value. */
export interface Setting {
  readonly row: Pick<KeyRow, "section" | "key">;
  readonly node: TomlNode;
}

const SWITCHES: Readonly<Record<string, boolean>> = {
  "true": true,
  "on": true,
  "1": true,
  "false": false,
  "off": false,
  "0": false,
};

/** Names that ODP's levels of `syslog_level` have here. */
const ODP_LEVELS: Readonly<Record<string, string>> = {
  "trace": "debug",
  "warn": "warning",
  "wdiag": "warning",
  "ediag": "error",
};

/**
 * The text of an ALTER PROXYCONFIG as the value that the same key has in a file; whether it is a
 * right one is not asked here. Of a password only the hash that the servers keep too is left.
 */
export function settingOf(text: string, row: KeyRow): Setting {
  if (row.type !== "secret") return { row, node: nodeOf(text, row) };
  return { row: { section: row.section, key: `${row.key}_hash` }, node: textNode(hashOf(text)) };
}

function nodeOf(text: string, row: KeyRow): TomlNode {
  if (row.list !== undefined) {
    const items = text.split(/[;,]/).map((item) => textNode(item.trim()));
    return { kind: "list", line: 0, items, byHeaders: false };
  }
  const lower = text.toLowerCase();
  switch (row.type) {
    case "integer":
      if (!/^[+-]?\d{1,20}$/.test(text)) break;
      return { kind: "integer", line: 0, value: Number(text) };
    case "boolean":
      if (!Object.hasOwn(SWITCHES, lower)) break;
      return { kind: "boolean", line: 0, value: SWITCHES[lower]! };
    case "choice": {
      const level = row.section === "log" && row.key === "level" ? ODP_LEVELS[lower] : undefined;
      const meant = level ?? lower;
      return textNode(row.choices?.includes(meant) ? meant : text);
    }
  }
  return textNode(text);
}

function textNode(value: string): TomlNode {
  return { kind: "text", line: 0, value };
}

/** `*` and SHA1(SHA1(password)) in hex, as MySQL keeps it. */
function hashOf(password: string): string {
  const stage1 = createHash("sha1").update(password).digest();
  return `*${createHash("sha1").update(stage1).digest("hex").toUpperCase()}`;
}
