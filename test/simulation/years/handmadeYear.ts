import { stateAt } from '../../../src/calendar/decide.js';
import type { Schedule } from '../../../src/calendar/schedule.js';
import type { Coverage } from '../../../src/run/coverage.js';
import { handmadeNight, type HandmadeNight } from '../invariants/handmadeNight.js';
import { closedSinceMs } from './watchedYear.js';
import type { Year } from './year.js';
import { yearWatch, type YearWatch } from './yearWatch.js';

/** A year that nobody plays: a test tells the invariants what happened, good or bad, and reads what they say. */
export interface HandmadeYear extends HandmadeNight {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Lets time pass until then; milliseconds since the epoch. */
  until(at: number): void;
  coverageTold(coverage: Coverage): void;
  /** Lets time pass until the window that is open has been closed for a while. */
  untilClosed(): void;
}

/** On the second Tuesday of each month from 22:00 to 22:15 UTC. */
export const windowsOfHandmadeYear: Schedule = {
  timeZone: 'UTC',
  windows: [{ kind: 'cron', expression: '0 22 * * 2#2', durationMs: 15 * 60_000 }],
  freezes: [],
};

/** When handmade years begin: an hour before the window of October. */
const beginsAt = Date.UTC(2026, 9, 13, 21);

export function handmadeYear(schedule: Schedule = windowsOfHandmadeYear): HandmadeYear {
  let now = beginsAt;
  let watch: YearWatch | undefined;
  const night = handmadeNight({}, (scene) => {
    const { nodes, workloads, playbook } = scene.night;
    const times = { beginsAt, endsAt: Number.POSITIVE_INFINITY, coverageMs: 40 * 24 * 3_600_000, runHistoryLimit: 13 };
    const year: Year = { seed: 1, nodes, workloads, playbook, schedule, calls: [], troubles: [], ...times };
    watch = yearWatch({ ...scene, year, now: () => now });
    return watch;
  });
  const until = (at: number): void => {
    if (at < now) throw new Error('time does not go back');
    night.wait(at - now);
    now = at;
  };
  return {
    ...night,
    wait(milliseconds) {
      until(now + milliseconds);
    },
    now: () => now,
    until,
    coverageTold(coverage) {
      watch?.coverageTold(coverage);
    },
    untilClosed() {
      const state = stateAt({ schedule, now });
      if (state.kind !== 'open') throw new Error('no window is open that could close');
      until(state.window.closesAt + closedSinceMs);
      watch?.closed(state.window);
    },
  };
}
