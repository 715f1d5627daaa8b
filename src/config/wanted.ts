import { formatCapacity } from "./capacity.ts";
import { formatDuration } from "./duration.ts";
import type { KeyRow } from "./key_row.ts";
import { enumerate, quote } from "./problems.ts";
import type { SectionRow } from "./schema.ts";

/** `[proxy]` or `[[users]]`. */
export function headerOf(section: SectionRow): string {
  return section.repeated ? `[[${section.name}]]` : `[${section.name}]`;
}

/** One item of the key's value in words: "a whole number between 0 and 8191". */
export function wantedItem(row: KeyRow): string {
  const { min = 0, max = 65535 } = row;
  switch (row.type) {
    case "text":
      return "text in quotes";
    case "name":
      return `a name${
        row.without === undefined
          ? ""
          : ` without ${enumerate(row.without.split("").map(quote), "and")}`
      }`;
    case "version":
      return 'a version such as "8.0.36"';
    case "path":
      return "the path of a file in quotes";
    case "integer":
      return `a whole number between ${min} and ${max}`;
    case "duration":
      return `a duration such as "10s" between ${formatDuration(min)} and ${formatDuration(max)}`;
    case "boolean":
      return "true or false";
    case "capacity":
      return `a size such as "16M" between ${formatCapacity(min)} and ${formatCapacity(max)}`;
    case "choice":
      return enumerate((row.choices ?? []).map(quote), "or");
    case "address":
      return `"host:port" with a port between ${min} and 65535`;
    case "server":
      return `"host:port" with a port between ${min} and 65535 or a table with address`;
    case "secret":
      return "text in quotes";
    case "hash":
      return 'text in quotes: "*" and 40 hex digits';
    case "environment":
      return 'the name of an environment variable such as "APP_PASSWORD"';
  }
}

/** The whole value in words. */
export function wantedValue(row: KeyRow): string {
  if (row.list === undefined) return wantedItem(row);
  return `a list in brackets, each item ${wantedItem(row)}`;
}
