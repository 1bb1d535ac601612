import { describe, expect, it } from 'vitest';
import type { PodView } from '../../src/cluster/view.js';
import { isUnwellCanary } from '../../src/run/unwellCanary.js';
import { clusterView, node, workload } from '../drain/clusterFixtures.js';
import { runState } from './runFixtures.js';

const unrecovered = [{ owner: 'shop/Deployment/web', readyBefore: 2 }];
const done = { phase: 'Done', unrecovered };
const here = { on: 'node-1', ready: false };

/** node-1 is the first of the order. */
function asked(
  pods: readonly (Partial<PodView> & { readonly on: string })[],
  {
    canaries = 1,
    status = done,
  }: { canaries?: number; status?: { phase: string; unrecovered?: typeof unrecovered } } = {},
): boolean {
  const view = clusterView({
    nodes: [node('node-1'), node('node-2')],
    workloads: [workload({ name: 'web', desired: 2, pods })],
  });
  const state = runState({ 'node-1': status, 'node-2': 'Pending' });
  return isUnwellCanary(
    { store: { state: () => state }, cache: { view: () => view }, playbook: { nodes: { canaries } } },
    'node-1',
  );
}

describe('a canary', () => {
  it.each([
    ['is unwell where what it took came back to it and is not Ready', asked([here, { on: 'node-2' }]), true],
    ['is well where that is missing on another node', asked([{ on: 'node-1' }, { ...here, on: 'node-2' }]), false],
    ['is well where it has left nothing short', asked([here], { status: { phase: 'Done' } }), false],
    ['is none where the playbook has none', asked([here], { canaries: 0 }), false],
  ])('%s', (_what, isUnwell, expected) => {
    expect(isUnwell).toBe(expected);
  });
});
