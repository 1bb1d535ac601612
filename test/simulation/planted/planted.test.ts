import { describe, expect, it } from 'vitest';
import { hunt } from './plant.js';
import { plantedBugs } from './plantedBugs.js';

/** As many as `npm test` plays of the sound engine. */
const nights = 2000;
/** `npm test` plays fewer, so as to stay short; whoever changes the calendar or the run plays some hundreds. */
const years = 100;

/** Years take longer: bugs that need them are hunted where PLANTED_YEARS is set. */
const hunted = plantedBugs.filter(({ needs }) => needs !== 'years' || process.env['PLANTED_YEARS'] !== undefined);

describe('a bug planted on purpose is found by the simulation within 2,000 nights or 100 years', () => {
  it.concurrent.each(hunted)(
    '$name',
    async (bug) => {
      const { exitCode, output } = await hunt(bug, { nights, years, workers: 1 });
      expect(output).toMatch(new RegExp(`^  \\S.*? (${bug.foundBy.join('|')}): `, 'm'));
      expect(exitCode).toBe(1);
    },
    900_000,
  );
});
