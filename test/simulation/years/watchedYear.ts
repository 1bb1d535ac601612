import type { Window } from '../../../src/calendar/windows.js';
import type { Coverage } from '../../../src/run/coverage.js';
import type { WatchedNight } from '../invariants/watchedNight.js';
import type { Invariant, NightScene } from '../witness.js';
import type { CompletedTurn, Passage, Passages } from './passages.js';
import type { Year } from './year.js';

/** What is known of a year while it is played; to invariants that know nights it looks like a long one. */
export interface YearScene extends NightScene {
  readonly year: Year;
  /** Milliseconds since the epoch, as the clocks show them. */
  readonly now: () => number;
}

/** What an invariant of years looks at. */
export interface WatchedYear extends WatchedNight, YearScene {
  readonly passages: Passages;
  /** The names of the actors that are at work. */
  readonly atWork: ReadonlySet<string>;
}

/** What must hold in every year. */
export interface YearInvariant extends Invariant {
  /** A node leaves service because of us, and did not before. */
  begun?(passage: Passage): void;
  /** A node tells of another turn that it had. */
  completed?(turn: CompletedTurn): void;
  /** The window has been closed for {@link closedSinceMs}. */
  closed?(window: Window): void;
  /** What `turnus coverage` answers at this moment. */
  coverageTold?(coverage: Coverage): void;
}

export type MakeYearInvariant = (year: WatchedYear) => YearInvariant;

/** Within this after the close, what is not touched is back in service. */
export const closedSinceMs = 5 * 60_000;
