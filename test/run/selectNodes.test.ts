import { describe, expect, it } from 'vitest';
import type { NodesPolicy } from '../../src/playbook/playbook.js';
import { selectNodes } from '../../src/run/selectNodes.js';
import { clusterView, node, pod } from '../drain/clusterFixtures.js';
import { nodesPolicy } from './runFixtures.js';

const view = clusterView({
  nodes: [
    node('worker-2', { labels: { pool: 'general' } }),
    node('worker-1', { labels: { pool: 'general', 'turnus.dev/exclude': '' } }),
    node('worker-3', { labels: { pool: 'storage' } }),
    node('labelled', { labels: { pool: 'general', 'node-role.kubernetes.io/control-plane': '' } }),
    node('etcd-only', { labels: { 'node-role.kubernetes.io/etcd': 'true' } }),
    node('unlabelled', { labels: { pool: 'general' } }),
    node('bare', { labels: {} }),
  ],
  pods: [
    pod('kube-apiserver-unlabelled', { namespace: 'kube-system', nodeName: 'unlabelled', mirror: true }),
    // A pod of that name that is not static proves nothing.
    pod('etcd-bare', { nodeName: 'bare', mirror: false }),
  ],
});

function selected(changes: Partial<NodesPolicy>): string[] {
  return selectNodes(view, { ...nodesPolicy, ...changes }).map(({ name }) => name);
}

describe('the nodes of a playbook', () => {
  it.each<{ title: string; policy: Partial<NodesPolicy>; names: string[] }>([
    {
      title: 'are all but control plane and excluded ones where the selector is empty',
      policy: {},
      names: ['bare', 'worker-2', 'worker-3'],
    },
    {
      title: 'are those that the selector matches',
      policy: { selector: 'pool=storage' },
      names: ['worker-3'],
    },
    {
      title: 'include control plane nodes that a selector matches, so that the gate can refuse them by name',
      policy: { selector: 'pool=general' },
      names: ['labelled', 'unlabelled', 'worker-2'],
    },
    {
      title: 'follow the whole syntax of selectors',
      policy: { selector: 'pool in (general, storage), !node-role.kubernetes.io/control-plane' },
      names: ['unlabelled', 'worker-2', 'worker-3'],
    },
    {
      title: 'leave out what carries another exclude label, whatever its value',
      policy: { exclude: 'pool' },
      names: ['bare'],
    },
    { title: 'are none where the selector matches none', policy: { selector: 'pool=gpu' }, names: [] },
    { title: 'are none where the selector cannot be read', policy: { selector: 'pool in' }, names: [] },
  ])('$title', ({ policy, names }) => {
    expect(selected(policy)).toEqual(names);
  });
});
