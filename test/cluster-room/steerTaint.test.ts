import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { parseNode } from '../../src/cluster/parseNode.js';
import { isSteeredAway, steerTaint, taintPatch } from '../../src/cluster/steerTaint.js';
import { untoleratedTaint } from '../../src/cluster/taints.js';
import { applyJsonPatch } from '../../src/sandbox/api/jsonPatch.js';

type Taint = Readonly<Record<string, string>>;

const gpu: Taint = { key: 'pool', value: 'gpu', effect: 'NoSchedule' };
const unreachable: Taint = {
  key: 'node.kubernetes.io/unreachable',
  effect: 'NoExecute',
  timeAdded: '2026-11-10T22:00:00Z',
};

function nodeObject(taints: readonly Taint[] | undefined): ApiObject {
  return { metadata: { name: 'node-1', uid: 'uid-1' }, spec: taints === undefined ? {} : { taints } };
}

/** The node after the patch that was made for `seen`; undefined where the patch does not apply. */
function patched(seen: ApiObject, isWanted: boolean, there: ApiObject = seen): ApiObject | undefined {
  const patch = taintPatch(parseNode(seen), isWanted);
  return patch === undefined ? there : applyJsonPatch(there, patch);
}

describe('the steering taint', () => {
  it.each([
    ['is set where there is no taint', undefined, true, [steerTaint]],
    ['is set beside others, which keep when they were added', [gpu, unreachable], true, [gpu, unreachable, steerTaint]],
    ['is removed from among others', [gpu, steerTaint, unreachable], false, [gpu, unreachable]],
    ['is removed with the list where it is the only one', [steerTaint], false, undefined],
    ['is ours whatever value a person has given it', [{ ...steerTaint, value: 'x' }, gpu], false, [gpu]],
    [
      'is another one with another effect',
      [{ ...steerTaint, effect: 'NoSchedule' }],
      false,
      [{ ...steerTaint, effect: 'NoSchedule' }],
    ],
  ])('%s', (_, before, isWanted, after) => {
    expect(patched(nodeObject(before), isWanted)).toEqual(nodeObject(after));
  });

  it('is not written where it is already as wanted', () => {
    expect(taintPatch(parseNode(nodeObject([gpu, steerTaint])), true)).toBeUndefined();
    expect(taintPatch(parseNode(nodeObject([gpu])), false)).toBeUndefined();
  });

  it('is not written over taints that have changed since, nor on another node of the same name', () => {
    expect(patched(nodeObject([gpu]), true, nodeObject([gpu, unreachable]))).toBeUndefined();
    expect(patched(nodeObject([gpu, steerTaint]), false, nodeObject([steerTaint]))).toBeUndefined();
    expect(patched(nodeObject(undefined), true, nodeObject([gpu]))).toBeUndefined();
    const registeredAgain = { ...nodeObject([gpu]), metadata: { name: 'node-1', uid: 'uid-2' } };
    expect(patched(nodeObject([gpu]), true, registeredAgain)).toBeUndefined();
  });

  it('keeps no pod off in the eyes of our own gates', () => {
    expect(untoleratedTaint([], [{ ...steerTaint, value: '' }])).toBeUndefined();
  });

  it('leaves any other taints as they were, in their order', () => {
    const taint = fc.record(
      {
        key: fc.constantFrom('a', 'b', steerTaint.key),
        value: fc.constantFrom('x', 'y'),
        effect: fc.constantFrom('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
        timeAdded: fc.constant('2026-11-10T22:00:00Z'),
      },
      { requiredKeys: ['key', 'effect'] },
    ) as fc.Arbitrary<Taint>;
    fc.assert(
      fc.property(fc.array(taint, { maxLength: 5 }), fc.boolean(), (taints, isWanted) => {
        const after = patched(nodeObject(taints.length === 0 ? undefined : taints), isWanted);
        if (after === undefined) throw new Error('the patch does not apply');
        const node = parseNode(after);
        expect(isSteeredAway(node)).toBe(isWanted);
        const others = (list: readonly Taint[]) =>
          list.filter(({ key, effect }) => key !== steerTaint.key || effect !== steerTaint.effect);
        const spec = after['spec'] as { taints?: readonly Taint[] };
        expect(others(spec.taints ?? [])).toEqual(others(taints));
      }),
    );
  });
});
