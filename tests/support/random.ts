/** Random numbers that can be had again from their seed. */

/** A generator of numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A seed for this run: the one in the environment, to repeat a run, or a new one. */
export function chooseSeed(): number {
  const given = Deno.env.get("SLUICE_SEED");
  return given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(given);
}

/** How many inputs a test tries: `SLUICE_FUZZ`, for a longer run than usual. */
export function chooseCount(): number {
  return Number(Deno.env.get("SLUICE_FUZZ") ?? 20_000);
}
