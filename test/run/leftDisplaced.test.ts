import { describe, expect, it } from 'vitest';
import { leftDisplaced, leftShortFor, type LeavingTurn } from '../../src/run/leftDisplaced.js';

const displaced = [{ owner: 'shop/Deployment/web', readyBefore: 3 }];
const unrecovered = [{ owner: 'shop/Deployment/api', readyBefore: 2 }];

function turn(node: string, phase: string, changes: Partial<LeavingTurn['status']> = {}): LeavingTurn {
  return { node, status: { phase, displaced, ...changes } };
}

describe('what turns have left behind', () => {
  it.each([
    ['Done', {}],
    ['Done', { unrecovered }, 'api', 2],
    ['Deferred', {}, 'web', 3],
    ['Blocked', {}, 'web', 3],
    ['Failed', { cordoned: true }, 'web', 3],
    ['Skipped', {}, 'web', 3],
    ['Draining', { cordoned: true }],
    ['Settling', {}],
    ['Undoing', { cordoned: true }, 'web', 3],
  ] as const)('%s %o: %s', (phase, changes, name?: string, readyBefore?: number) => {
    const expected = name === undefined ? [] : [[`shop/Deployment/${name}`, readyBefore]];
    expect([...leftDisplaced([turn('n1', phase, changes)])]).toEqual(expected);
  });

  it('is the most that an owner had Ready before one of them', () => {
    const more = turn('n2', 'Deferred', { displaced: [{ owner: 'shop/Deployment/web', readyBefore: 5 }] });
    expect([...leftDisplaced([turn('n1', 'Skipped'), more, turn('n3', 'Deferred')])]).toEqual([
      ['shop/Deployment/web', 5],
    ]);
  });

  it('is, for a node, also what its own former attempt took, until it is cordoned again', () => {
    const short = (turns: LeavingTurn[], node: string) => {
      const { displaced, byItself } = leftShortFor(turns, node);
      return { displaced: [...displaced.keys()], byItself: [...byItself] };
    };
    const web = ['shop/Deployment/web'];
    const other = turn('n2', 'Deferred');
    expect(short([turn('n1', 'Checking')], 'n1')).toEqual({ displaced: web, byItself: web });
    expect(short([other], 'n1')).toEqual({ displaced: web, byItself: [] });
    expect(short([turn('n1', 'Checking'), other], 'n1')).toEqual({ displaced: web, byItself: web });
    expect(short([turn('n1', 'Draining', { cordoned: true })], 'n1')).toEqual({ displaced: [], byItself: [] });
    expect(short([turn('n1', 'Checking')], 'n2')).toEqual({ displaced: [], byItself: [] });
    expect(short([turn('n1', 'Done')], 'n1')).toEqual({ displaced: [], byItself: [] });
    expect(short([], 'n1')).toEqual({ displaced: [], byItself: [] });
  });
});
