/** Figures that tests measure on their way: shown, never asserted. */
export function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}
