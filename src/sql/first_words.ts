/** Texts that are looked at from their begin, without a whole reading of what they say. */

/** As the lexer has them. Nothing follows that could fail, so that no comment is looked at twice. */
const COMMENTS = /^(?:\s+|\/\*(?!M?!)[^]*?\*\/|(?:--(?=[\s\p{Cc}]|$)|#)[^\n\0]*(?:[\n\0]|$))+/u;

/** The text behind comments that are no code, hints among them. */
export function behindComments(text: string): string {
  return text.replace(COMMENTS, "");
}
