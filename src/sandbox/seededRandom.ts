/** Chance that is the same again for the same seed. */
export interface SeededRandom {
  /** In [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of them; throws on an empty list. */
  pick<T>(choices: readonly T[]): T;
  /** In the form of a UUID (RFC 9562, version 4). */
  uuid(): string;
  /** A stream of its own: what is drawn from it does not move this one. */
  fork(): SeededRandom;
}

/** The generator mulberry32: 32 bits of state, enough for nights that differ. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const hexDigits = (count: number): string => {
    let digits = '';
    while (digits.length < count) digits += Math.floor(next() * 16).toString(16);
    return digits;
  };
  return {
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick(choices) {
      const choice = choices[Math.floor(next() * choices.length)];
      if (choice === undefined) throw new Error('there is nothing to pick from');
      return choice;
    },
    uuid: () => `${hexDigits(8)}-${hexDigits(4)}-4${hexDigits(3)}-a${hexDigits(3)}-${hexDigits(12)}`,
    fork: () => seededRandom(Math.floor(next() * 2 ** 32)),
  };
}
