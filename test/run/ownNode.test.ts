import { describe, expect, it } from 'vitest';
import { ownNodeOf, type ThisMachine } from '../../src/run/ownNode.js';
import { node } from '../drain/clusterFixtures.js';

const nodes = ['node-1', 'node-2', 'node-3'].map((name) => node(name));
const onOneKernel = nodes.map((one) => ({ ...one, bootId: 'boot-of-the-laptop' }));

describe('the node that the actor runs on', () => {
  it.each<{ title: string; machine: ThisMachine; cluster?: typeof nodes; own: string | undefined }>([
    {
      title: 'is the one that the environment names',
      machine: { nodeName: 'node-2', bootId: undefined },
      own: 'node-2',
    },
    {
      title: 'is the one that the environment names, whatever the boot id says',
      machine: { nodeName: 'node-2', bootId: 'boot-of-node-3' },
      own: 'node-2',
    },
    {
      title: 'is the one that the environment names, also where all nodes share a kernel',
      machine: { nodeName: 'node-2', bootId: 'boot-of-the-laptop' },
      cluster: onOneKernel,
      own: 'node-2',
    },
    {
      title: 'is the one that reports the boot of this machine',
      machine: { nodeName: undefined, bootId: 'boot-of-node-3' },
      own: 'node-3',
    },
    {
      title: 'is found by the boot id where the environment names a node of another cluster',
      machine: { nodeName: 'elsewhere', bootId: 'boot-of-node-3' },
      own: 'node-3',
    },
    {
      title: 'is unknown where this machine is no node',
      machine: { nodeName: undefined, bootId: 'boot-of-a-jump-host' },
      own: undefined,
    },
    {
      title: 'is unknown where several nodes report the boot of this machine',
      machine: { nodeName: undefined, bootId: 'boot-of-the-laptop' },
      cluster: onOneKernel,
      own: undefined,
    },
    {
      title: 'is unknown where neither is known',
      machine: { nodeName: undefined, bootId: undefined },
      own: undefined,
    },
    {
      title: 'is not a node that has not reported a boot yet',
      machine: { nodeName: undefined, bootId: '' },
      cluster: [node('node-1', { bootId: '' }), node('node-2')],
      own: undefined,
    },
  ])('$title', ({ machine, cluster = nodes, own }) => {
    expect(ownNodeOf(cluster, machine)).toBe(own);
  });
});
