/** Tables of expectations as people read them. */

/**
 * The rows of a table in columns, each under a head of one word.
 * @returns one record a row, by head; an empty place is an empty text
 */
export function textTable(text: string): Record<string, string>[] {
  const [head, ...rows] = text.trim().split("\n");
  const columns = [...head!.matchAll(/(\S+) */g)];
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ 0: whole, 1: name, index }, at) => {
      const end = at === columns.length - 1 ? undefined : index + whole.length;
      if (index > 0 && row.length > index && row[index - 1] !== " ") {
        throw new Error(`Cannot read table: nothing separates ${name} in ${row}`);
      }
      return [name!, row.slice(index, end).trim()];
    }))
  );
}
