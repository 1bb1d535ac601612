import { describe, expect, it } from 'vitest';
import { hunt } from './plant.js';
import { plantedBugs } from './plantedBugs.js';

/** As many as `npm test` plays of the sound engine. */
const nights = 2000;

describe('a bug planted on purpose is found by the simulation within 2,000 nights', () => {
  it.concurrent.each(plantedBugs)(
    '$name',
    async (bug) => {
      const { exitCode, output } = await hunt(bug, { nights, workers: 1 });
      expect(output).toMatch(new RegExp(`^  \\S+ (${bug.foundBy.join('|')}): `, 'm'));
      expect(exitCode).toBe(1);
    },
    300_000,
  );
});
