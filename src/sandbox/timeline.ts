/**
 * When things happen in the sandbox. Everything in it that takes time is a callback on a timeline: with virtual time the
 * same night is played again from the same seed, with the machine's clock people watch it.
 */
export interface Timeline {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Calls `act` after the delay; the answer takes the call back. */
  after(delayMs: number, act: () => void): () => void;
}
