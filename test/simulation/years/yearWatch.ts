import type { Window } from '../../../src/calendar/windows.js';
import type { Coverage } from '../../../src/run/coverage.js';
import { nameOf, truthOf, type Truth } from '../invariants/truth.js';
import { invariants as ofNights, together } from '../invariants/nightWatch.js';
import { told } from '../invariants/told.js';
import type { Invariant } from '../witness.js';
import { coverageTells } from './invariants/coverageTells.js';
import { exitCodesTell } from './invariants/exitCodesTell.js';
import { givenBackAtClose } from './invariants/givenBackAtClose.js';
import { leftGoFirst } from './invariants/leftGoFirst.js';
import { monthsHaveRuns } from './invariants/monthsHaveRuns.js';
import { nothingIsLeftOutside } from './invariants/nothingIsLeftOutside.js';
import { oneTurnARun } from './invariants/oneTurnARun.js';
import { quietOutside } from './invariants/quietOutside.js';
import { turnsStartInWindows } from './invariants/turnsStartInWindows.js';
import { waitsAreCurrent } from './invariants/waitsAreCurrent.js';
import { followPassages, type Passages } from './passages.js';
import { newestRun, turnsOf } from './runsOfYear.js';
import type { MakeYearInvariant, WatchedYear, YearInvariant, YearScene } from './watchedYear.js';

/** What must hold in every year, by the names that violations carry. */
export const yearInvariants: Readonly<Record<string, MakeYearInvariant>> = {
  'coverage-tells': coverageTells,
  'exit-codes-tell': exitCodesTell,
  'given-back-at-close': givenBackAtClose,
  'left-go-first': leftGoFirst,
  'months-have-runs': monthsHaveRuns,
  'nothing-is-left-outside': nothingIsLeftOutside,
  'one-turn-a-run': oneTurnARun,
  'quiet-outside': quietOutside,
  'turns-start-in-windows': turnsStartInWindows,
  'waits-are-current': waitsAreCurrent,
};

/** Invariants of nights that hold over many runs as well. */
const alsoInYears = [
  'done-once',
  'during-turn-is-restored',
  'evictions-name-their-pod',
  'foreign-stays',
  'jobs-once',
  'journal-verifies',
  'lease-holder-acts',
  'left-comes-back',
  'max-unavailable-holds',
  'one-actor-acts',
  'only-empty-hosts-are-touched',
  'steering-holds',
  'uncordon-after-proof',
  'waits-are-said',
];

/** All of them as one witness. */
export interface YearWatch extends Invariant {
  /** To be called when a window has been closed for a while. */
  closed(window: Window): void;
  coverageTold(coverage: Coverage): void;
  readonly passages: Passages;
}

export function yearWatch(scene: YearScene): YearWatch {
  const known = told(scene.elapsedMs);
  const atWork = new Set<string>();
  const own: YearInvariant[] = [];
  const passages = followPassages({
    now: scene.now,
    begun: (passage) => {
      for (const one of own) one.begun?.(passage);
    },
    completed: (turn) => {
      for (const one of own) one.completed?.(turn);
    },
  });
  const truth = truthOf(scene.api);
  const year: WatchedYear = { ...scene, truth, told: known, passages, atWork };
  own.push(...Object.values(yearInvariants).map((make) => make(year)));
  const night = { ...scene, truth: ofNewestRun(truth), told: known };
  const borrowed = alsoInYears.map((name) => {
    const make = ofNights[name];
    if (make === undefined) throw new Error(`nights have no invariant ${name}`);
    return make(night);
  });
  const facts: Invariant = {
    ...passages,
    actor(event) {
      if (event.what === 'begins') atWork.add(event.actor);
      else atWork.delete(event.actor);
      passages.actor?.(event);
    },
    violations: () => [],
  };
  return {
    ...together(known, [facts, ...borrowed, ...own]),
    closed(window) {
      for (const one of own) one.closed?.(window);
    },
    coverageTold(coverage) {
      for (const one of own) one.coverageTold?.(coverage);
    },
    passages,
  };
}

/** Invariants of nights ask for the turns of the one run that there is. */
function ofNewestRun(truth: Truth): Truth {
  return {
    ...truth,
    turns() {
      const run = newestRun(truth);
      return run === undefined ? [] : turnsOf(truth, nameOf(run));
    },
  };
}
