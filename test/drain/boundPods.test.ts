import { describe, expect, it } from 'vitest';
import { boundPods } from '../../src/drain/boundPods.js';
import { clusterView, node, pod } from './clusterFixtures.js';

const controller = { apiVersion: 'example.com/v1', kind: 'Flock', name: 'agent', uid: 'uid-of-agent' };
const first = pod('agent-1', { uid: 'first', controller });
const second = pod('agent-1', { uid: 'second', controller });
const viewOf = (...pods: (typeof first)[]) => clusterView({ nodes: [node('node-1', { unschedulable: true })], pods });

describe('pods that return to a cordoned node', () => {
  it('are known once another pod of the same controller is there', () => {
    const bound = boundPods('node-1');
    bound.evicting(first, viewOf(first));
    bound.observe(viewOf(first));
    expect(bound.controllers()).toEqual(new Set());
    bound.observe(viewOf(second));
    expect(bound.controllers()).toEqual(new Set(['uid-of-agent']));
    expect(bound.evictedControllers()).toEqual(['uid-of-agent']);
  });

  it('are known at once where an earlier drain of the turn had evicted what their controller had', () => {
    const bound = boundPods('node-1', new Set(), new Set(['uid-of-agent']));
    bound.observe(viewOf(second));
    expect(bound.controllers()).toEqual(new Set(['uid-of-agent']));
    expect(bound.pods(viewOf(second))).toEqual(['shop/agent-1']);
  });

  it('are not looked for on a node that takes pods', () => {
    const bound = boundPods('node-1', new Set(), new Set(['uid-of-agent']));
    bound.observe(clusterView({ nodes: [node('node-1')], pods: [second] }));
    expect(bound.controllers()).toEqual(new Set());
  });
});
