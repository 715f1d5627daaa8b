/**
 * Whether `text` is of the form `pattern`, in which `%` stands for any characters and `_` for one.
 * Letter case counts and nothing is escaped; no pattern and the empty one fit everything.
 */
export function isLike(text: string, pattern: string | undefined): boolean {
  if (pattern === undefined || pattern === "") return true;
  const wanted = [...pattern];
  const given = [...text];
  let at = 0;
  let next = 0;
  // Where to go on when the last `%` has to swallow one character more.
  let retry: { at: number; next: number } | undefined;
  while (at < given.length) {
    if (wanted[next] === "%") {
      retry = { at, next: ++next };
    } else if (wanted[next] === "_" || wanted[next] === given[at]) {
      at++;
      next++;
    } else if (retry !== undefined) {
      at = ++retry.at;
      next = retry.next;
    } else {
      return false;
    }
  }
  return wanted.slice(next).every((character) => character === "%");
}
