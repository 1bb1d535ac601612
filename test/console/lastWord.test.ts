import { describe, expect, it } from 'vitest';
import { lastWord } from '../../src/console/lastWord.js';
import { runState } from '../run/runFixtures.js';

describe('the last word of a run whose window is over', () => {
  const opensAt = Date.parse('2027-01-12T21:00:00Z');
  it.each([
    [{ n1: 'Done', n2: 'Pending' }, 'The node that is left is carried over'],
    [{ n1: 'Done', n2: 'Pending', n3: 'Deferred' }, 'The 2 nodes that are left are carried over'],
    [{ n1: 'Done', n2: 'Blocked' }, 'What is blocked is carried over'],
  ])('of %j says: %s', (phases, text) => {
    const stop = { kind: 'window' as const, message: 'It is over.', opensAt };
    expect(lastWord(runState(phases), stop)).toContain(`It is over. ${text}: start the same command again`);
  });
});
