import { describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/cluster/view.js';
import { nodesToSteerAwayFrom } from '../../src/run/steering.js';
import { clusterView, node } from '../drain/clusterFixtures.js';
import { runState } from './runFixtures.js';

/** A node `a1` is in zone a, a node `1` in none. */
function zoned(name: string, changes: Partial<NodeView> = {}): NodeView {
  const zone = name.replace(/\d+$/, '');
  return node(name, { labels: zone === '' ? {} : { 'topology.kubernetes.io/zone': zone }, ...changes });
}

const noZone = { labels: {} };

function away(
  phases: Readonly<Record<string, string>>,
  options: { readonly toCome?: readonly string[]; readonly nodes?: Readonly<Record<string, Partial<NodeView>>> } = {},
): string[] {
  const toCome = options.toCome ?? Object.keys(phases).filter((name) => phases[name] === 'Pending');
  const nodes = Object.keys(phases).map((name) => zoned(name, options.nodes?.[name]));
  return [...nodesToSteerAwayFrom({ view: clusterView({ nodes }), state: runState(phases), toCome })];
}

describe('pods are turned away from', () => {
  it('no node while none is done', () => {
    expect(away({ a1: 'Pending', b1: 'Pending', c1: 'Pending' })).toEqual([]);
  });

  it('all nodes to come once two zones have a node that is done', () => {
    expect(away({ a1: 'Done', b1: 'Done', c1: 'Pending', a2: 'Pending' })).toEqual(['c1', 'a2']);
  });

  it('no node that a gate has blocked', () => {
    const phases = { a1: 'Done', b1: 'Done', c1: 'Pending', a2: 'Blocked' };
    expect(away(phases, { toCome: ['c1', 'a2'] })).toEqual(['c1']);
  });

  it('all nodes to come once two are done where there is one zone, or none', () => {
    expect(away({ a1: 'Done', a2: 'Done', a3: 'Pending' })).toEqual(['a3']);
    expect(away({ n: 'Done', m: 'Done', l: 'Pending' }, { nodes: { n: noZone, m: noZone, l: noZone } })).toEqual(['l']);
  });

  it('all but the last in another zone while one is done', () => {
    const phases = {
      a1: 'Done',
      b1: 'Draining',
      c1: 'Pending',
      a2: 'Pending',
      b2: 'Pending',
      c2: 'Pending',
      a3: 'Pending',
    };
    expect(away(phases)).toEqual(['c1', 'a2', 'b2', 'a3']);
  });

  it('all but as many in other zones as are done in one zone alone', () => {
    const phases = {
      a1: 'Done',
      a2: 'Done',
      b1: 'Draining',
      b2: 'Pending',
      c1: 'Pending',
      c2: 'Pending',
      a3: 'Pending',
    };
    expect(away(phases)).toEqual(['b2', 'a3']);
    expect(away({ a1: 'Done', a2: 'Done', b1: 'Pending' })).toEqual([]);
  });

  it('all but the last while one is done where there is one zone', () => {
    expect(away({ a1: 'Done', a2: 'Draining', a3: 'Pending', a4: 'Pending' })).toEqual(['a3']);
  });

  it('only those that may still begin their turn', () => {
    const phases = { a1: 'Done', b1: 'Done', c1: 'Draining', a2: 'Pending', b2: 'Failed', c2: 'Deferred' };
    expect(away(phases, { toCome: ['a2', 'c2', 'gone'] })).toEqual(['a2', 'c2']);
  });

  it.each([
    ['cordoned', { unschedulable: true }],
    ['not Ready', { ready: false }],
    ['registered again', { uid: 'another' }],
  ])('no node where the one that is done is %s', (_, change) => {
    expect(away({ a1: 'Done', b1: 'Pending', c1: 'Pending' }, { nodes: { a1: change } })).toEqual([]);
  });

  it('no node that is cordoned: no pods come to it', () => {
    const phases = { a1: 'Done', b1: 'Done', c1: 'Pending', a2: 'Pending' };
    expect(away(phases, { nodes: { c1: { unschedulable: true } } })).toEqual(['a2']);
  });
});
