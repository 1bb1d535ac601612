import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView } from '../../src/cluster/view.js';
import { clusterHealthGate } from '../../src/gates/clusterHealthGate.js';
import { controlPlaneGate } from '../../src/gates/controlPlaneGate.js';
import type { Finding } from '../../src/gates/finding.js';
import { hostGate, type HostInspection } from '../../src/gates/hostGate.js';
import { nodeGate } from '../../src/gates/nodeGate.js';
import { unavailableGate, unavailableLimit } from '../../src/gates/unavailableGate.js';
import { clusterView, node, pod, workload } from '../drain/clusterFixtures.js';

const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);

describe('the gate for control-plane nodes', () => {
  const asked = (view: ClusterView, one: NodeView) => codes(controlPlaneGate({ view, node: one }));

  it.each(['control-plane', 'master', 'etcd'])('refuses a node with the role %s, whatever the value', (role) => {
    const one = node('node-1', { labels: { [`node-role.kubernetes.io/${role}`]: '' } });
    expect(asked(clusterView({}), one)).toEqual(['control-plane-node']);
  });

  it.each(['kube-apiserver-node-1', 'etcd-node-1'])('refuses a node with the static pod %s', (name) => {
    const view = clusterView({ pods: [pod(name, { mirror: true, namespace: 'kube-system' })] });
    expect(asked(view, node('node-1'))).toEqual(['control-plane-node']);
    expect(asked(view, node('node-2'))).toEqual([]);
  });

  it('takes a worker, also one with an ordinary pod called etcd-browser', () => {
    expect(asked(clusterView({ pods: [pod('etcd-browser-1')] }), node('node-1'))).toEqual([]);
  });
});

describe('the gate for the node itself', () => {
  it.each([
    ['a Ready node', {}, []],
    ['a held node', { annotations: { 'turnus.dev/hold': 'disk on order' } }, ['node-held']],
    ['a cordoned node without a mark', { unschedulable: true }, ['already-cordoned']],
    [
      'a node of another run',
      { unschedulable: true, annotations: { 'turnus.dev/cordoned-by': 'weekly-2026-11' } },
      ['already-cordoned'],
    ],
    ['our own cordon', { unschedulable: true, annotations: { 'turnus.dev/cordoned-by': 'monthly-2026-11' } }, []],
    ['a node that is not Ready', { ready: false, notReadyReason: 'kubelet stopped' }, ['node-not-ready']],
  ] as const)('says of %s what is meant', (_, changes, expected) => {
    expect(codes(nodeGate({ node: node('node-1', changes), run: 'monthly-2026-11' }))).toEqual(expected);
  });

  it('does not take a cordon without a mark for its own where there is no run', () => {
    expect(codes(nodeGate({ node: node('node-1', { unschedulable: true }), run: undefined }))).toEqual([
      'already-cordoned',
    ]);
  });

  it.each([
    [undefined, 'Node node-1 is cordoned by somebody else;', 'when that is done: kubectl uncordon node-1'],
    [
      'weekly-2026-11',
      'Node node-1 is cordoned by run weekly-2026-11 (annotation turnus.dev/cordoned-by);',
      'If the run was deleted, look at the machine first, then: kubectl uncordon node-1 && kubectl annotate node node-1 turnus.dev/cordoned-by-',
    ],
    [
      'drain/anna',
      'Node node-1 is cordoned by turnus drain of anna;',
      'When anna is done with it: kubectl uncordon node-1 && kubectl annotate node node-1 turnus.dev/cordoned-by-',
    ],
  ])('names who has cordoned it (mark %o) and the way out', (mark, message, hint) => {
    const annotations = mark === undefined ? {} : { 'turnus.dev/cordoned-by': mark };
    const [finding] = nodeGate({ node: node('node-1', { unschedulable: true, annotations }), run: 'monthly-2026-11' });
    expect(finding?.message).toContain(message);
    expect(finding?.hint).toContain(hint);
  });

  it('repeats the words of the person who holds the node', () => {
    const held = node('node-1', { annotations: { 'turnus.dev/hold': 'disk on order' } });
    expect(nodeGate({ node: held, run: undefined })[0]).toMatchObject({
      message: 'Node node-1 is held by a person: disk on order.',
      hint: 'When it may go on: kubectl annotate node node-1 turnus.dev/hold-',
    });
  });
});

describe('the gate for nodes out of service', () => {
  const fine = ['a', 'b', 'c', 'd'].map((name) => node(name));

  it.each([
    [1, 10, 1],
    [3, 10, 3],
    ['10%', 10, 1],
    ['25%', 10, 2],
    ['29%', 10, 2],
    ['5%', 10, 1],
    ['100%', 10, 10],
  ] as const)('reads maxUnavailable %s of %i nodes as %i', (maxUnavailable, nodes, limit) => {
    expect(unavailableLimit(maxUnavailable, nodes)).toBe(limit);
  });

  it('passes while nobody else is out', () => {
    const selection = [...fine, node('self', { unschedulable: true, ready: false })];
    expect(unavailableGate({ node: 'self', selection, maxUnavailable: 1 })).toEqual([]);
  });

  it('counts nodes that are not Ready or cordoned, and names them with the ways out', () => {
    const selection = [
      ...fine,
      node('down', { ready: false, notReadyReason: 'kubelet stopped' }),
      node('cordoned', { unschedulable: true }),
    ];
    expect(unavailableGate({ node: 'a', selection, maxUnavailable: 2 })).toEqual([
      {
        code: 'no-room',
        severity: 'block',
        node: 'a',
        objects: ['Node cordoned', 'Node down'],
        message:
          '2 of 6 nodes are out of service already (cordoned: cordoned, down: not Ready, kubelet stopped), and spec.nodes.maxUnavailable allows 2.',
        hint: 'Bring them back (repair, kubectl uncordon), label them turnus.dev/exclude, or raise spec.nodes.maxUnavailable.',
      },
    ]);
    expect(unavailableGate({ node: 'a', selection, maxUnavailable: 3 })).toEqual([]);
  });
});

describe('the gate for the health of the cluster', () => {
  const ready = { ready: true, message: '' };

  it('blocks while the API server does not report itself ready', () => {
    const api = { ready: false, message: 'etcd failed' };
    expect(clusterHealthGate({ view: clusterView({}), api, node: 'node-1' })).toMatchObject([
      { code: 'api-not-ready', message: 'The API server does not report itself ready: etcd failed' },
    ]);
  });

  it('blocks while an owner in kube-system lacks a Ready replica, and names it with its numbers', () => {
    const dns = workload({
      name: 'coredns',
      pods: [{ namespace: 'kube-system' }, { namespace: 'kube-system', ready: false }],
    });
    const system = { ...dns, owner: { ...dns.owner, namespace: 'kube-system' } };
    const elsewhere = workload({ name: 'web', pods: [{ ready: false }] });
    expect(
      clusterHealthGate({ view: clusterView({ workloads: [system, elsewhere] }), api: ready, node: 'node-1' }),
    ).toMatchObject([
      { code: 'system-owner-short', message: 'Deployment kube-system/coredns has 1 of 2 replicas Ready.' },
    ]);
  });

  it('passes where kube-system has more than it wants', () => {
    const dns = workload({
      name: 'coredns',
      desired: 1,
      pods: [{ namespace: 'kube-system' }, { namespace: 'kube-system' }],
    });
    const system = { ...dns, owner: { ...dns.owner, namespace: 'kube-system' } };
    expect(clusterHealthGate({ view: clusterView({ workloads: [system] }), api: ready, node: 'node-1' })).toEqual([]);
  });
});

describe('the gate for the host', () => {
  const ssh = { address: 'InternalIP', user: 'maintenance' };
  const facts = {
    bootId: 'boot-of-node-1',
    user: 'root',
    root: true,
    hostKeyFingerprint: 'SHA256:abc',
    systemd: true,
    kernel: '6.1',
    freeBytes: 1,
    automaticReboot: undefined,
  };
  const asked = (answer: HostInspection['answer'], address: string | undefined = '127.0.1.1') =>
    hostGate({ node: node('node-1'), host: { address, answer, ssh } });

  it('passes a reachable host whose boot is the node’s and where commands run as root', () => {
    expect(asked({ kind: 'ok', value: facts })).toEqual([]);
  });

  it.each([
    ['unreachable', 'host-unreachable'],
    ['lost', 'host-unreachable'],
    ['config-refused', 'host-ssh-config'],
    ['login-refused', 'host-login-refused'],
    ['sudo-refused', 'host-sudo-refused'],
    ['command-failed', 'host-not-usable'],
  ] as const)('says for %s: %s', (kind, code) => {
    expect(asked({ kind, message: 'so it is' })).toMatchObject([
      { code, severity: 'block', message: 'The host of Node node-1 (127.0.1.1): so it is' },
    ]);
  });

  it.each(['host-key-unknown', 'host-key-mismatch', 'host-key-revoked'] as const)(
    'says for %s the same code',
    (kind) => {
      expect(codes(asked({ kind, message: 'so it is', fingerprint: 'SHA256:xyz' }))).toEqual([kind]);
    },
  );

  it('blocks where the host has another boot id than the node reports, and shows both', () => {
    const [finding] = asked({ kind: 'ok', value: { ...facts, bootId: 'boot-of-another' } });
    expect(finding?.code).toBe('host-is-not-node');
    expect(finding?.message).toContain('boot-of-another');
    expect(finding?.message).toContain('boot-of-node-1');
  });

  it('blocks where commands do not run as root', () => {
    expect(codes(asked({ kind: 'ok', value: { ...facts, user: 'maintenance', root: false } }))).toEqual([
      'host-sudo-refused',
    ]);
  });

  it('blocks where the node has no address of the type asked for', () => {
    const host = { address: undefined, answer: undefined, ssh: { ...ssh, address: 'ExternalIP' } };
    expect(hostGate({ node: node('node-1'), host })).toMatchObject([
      { code: 'no-host-address', message: 'Node node-1 has no address of type ExternalIP; it has InternalIP.' },
    ]);
  });
});
