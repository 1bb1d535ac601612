import { describe, expect, it } from 'vitest';
import { nextInZone } from '../../src/run/nextInZone.js';
import { clusterView, node } from '../drain/clusterFixtures.js';

const view = clusterView({
  nodes: ['a1', 'a2', 'a3', 'b1', 'n1', 'n2'].map((name) =>
    node(name, { labels: name.startsWith('n') ? {} : { 'topology.kubernetes.io/zone': name.charAt(0) } }),
  ),
});

function next(inWork: readonly string[], toCome: readonly string[]): readonly string[] {
  return nextInZone({ view, inWork: new Set(inWork), toCome });
}

describe('the next ones in the zone of those in work', () => {
  it('end where the order goes to another zone', () => {
    expect(next(['a1'], ['a2', 'b1', 'a3'])).toEqual(['a2']);
    expect(next(['a1'], ['b1', 'a2'])).toEqual([]);
    expect(next(['a1', 'a2'], ['a3'])).toEqual(['a3']);
  });

  it('are those without a zone where those in work have none', () => {
    expect(next(['n1'], ['n2', 'a1'])).toEqual(['n2']);
    expect(next(['n1'], ['a1'])).toEqual([]);
  });

  it('are none while turns of two zones are in work', () => {
    expect(next(['a1', 'b1'], ['a2', 'b1'])).toEqual([]);
  });

  it('may be gone', () => {
    expect(next(['a1'], ['gone', 'a2'])).toEqual(['gone', 'a2']);
  });
});
