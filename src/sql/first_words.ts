/** Texts that are looked at from their begin, without a whole reading of what they say. */

const COMMENTS = /^(?:\s+|\/\*(?!M?!)[^]*?\*\/|(?:--(?=\s)|#)[^\n]*\n)+/;

/** The text behind comments that are no code, hints among them. */
export function behindComments(text: string): string {
  return text.replace(COMMENTS, "");
}
