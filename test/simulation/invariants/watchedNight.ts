import type { Violation } from '../night.js';
import type { Invariant, NightScene } from '../witness.js';
import type { Told } from './told.js';
import type { Truth } from './truth.js';

/** What an invariant looks at: the night as it is, and as each actor has been told of it. */
export interface WatchedNight extends NightScene {
  readonly truth: Truth;
  readonly told: Told;
}

export type MakeInvariant = (night: WatchedNight) => Invariant;

/** So many of one kind are enough to know: a night that went wrong goes on being wrong. */
const mostViolations = 5;

/** Takes down what an invariant has to complain about. */
export function complaints(
  invariant: string,
  { elapsedMs }: Pick<NightScene, 'elapsedMs'>,
): { readonly say: (message: string, atMs?: number) => void; readonly violations: () => readonly Violation[] } {
  const found: Violation[] = [];
  return {
    say(message, atMs = elapsedMs()) {
      if (found.length < mostViolations) found.push({ invariant, atMs, message });
    },
    violations: () => found,
  };
}
