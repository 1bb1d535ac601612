import { describe, expect, it } from 'vitest';
import type { MachineHealthCheck, Rebooters } from '../../src/cluster/rebooters.js';
import type { ClusterView } from '../../src/cluster/view.js';
import { evaluateNode, type NodeToEvaluate } from '../../src/gates/evaluateNode.js';
import type { Finding } from '../../src/gates/finding.js';
import type { HostInspection } from '../../src/gates/hostGate.js';
import { otherRebooterGate } from '../../src/gates/otherRebooterGate.js';
import { ownNodeGate } from '../../src/gates/ownNodeGate.js';
import { clusterView, node, pod, workload } from '../drain/clusterFixtures.js';
import { gateQuestion } from './gateQuestion.js';

const nothing: Rebooters = { upgradePlans: [], machineHealthChecks: [], unread: [] };
const thirtyMinutes = { when: 'required', timeoutMs: 1_800_000 } as const;
const workers = node('node-1', { labels: { pool: 'workers' } });

function asked(changes: {
  view?: ClusterView;
  host?: HostInspection;
  rebooters?: Partial<Rebooters>;
  reboot?: Parameters<typeof otherRebooterGate>[0]['reboot'];
}): readonly Finding[] {
  const { view = clusterView({}), host, rebooters = {}, reboot = thirtyMinutes } = changes;
  return otherRebooterGate({ view, node: workers, host, rebooters: { ...nothing, ...rebooters }, reboot });
}

const summary = (findings: readonly Finding[]) =>
  findings.map(({ code, severity, node: of, objects }) => `${severity} ${code} ${of ?? ''}: ${objects.join()}`);

describe('the gate for the own node', () => {
  it('blocks the node that the actor runs on, and says how it can have its turn', () => {
    expect(ownNodeGate({ node: node('node-1'), ownNode: 'node-1' })).toEqual([
      {
        code: 'own-node',
        severity: 'block',
        node: 'node-1',
        objects: ['Node node-1'],
        message: 'Turnus itself runs on node node-1, and there is no other actor to hand over to.',
        hint: 'Start the same command from another machine, with --node node-1; with turnus serve, see that a second replica runs on another node.',
      },
    ]);
  });

  it('passes every other node, and all of them where the own one is unknown', () => {
    expect(ownNodeGate({ node: node('node-1'), ownNode: 'node-2' })).toEqual([]);
    expect(ownNodeGate({ node: node('node-1'), ownNode: undefined })).toEqual([]);
  });
});

describe('the gate for others that take nodes down', () => {
  it('passes where there are none', () => {
    const view = clusterView({ workloads: [workload({ name: 'web', pods: [{}] })], pods: [pod('bare-0')] });
    expect(asked({ view })).toEqual([]);
  });

  it.each(['kured', 'nightly-kured', 'kured-workers'])('knows kured by a DaemonSet called %s', (name) => {
    const view = clusterView({ workloads: [workload({ name, kind: 'DaemonSet', desired: null, pods: [{}] })] });
    expect(summary(asked({ view }))).toEqual([`caution other-rebooter node-1: DaemonSet shop/${name}`]);
  });

  it.each(['name', 'app.kubernetes.io/name'])('knows kured by the label %s of its pods', (label) => {
    const labels = { [label]: 'kured' };
    const pods = [{ labels }, { labels, on: 'node-2' }];
    const view = clusterView({ workloads: [workload({ name: 'reboots', kind: 'DaemonSet', desired: null, pods })] });
    expect(summary(asked({ view }))).toEqual(['caution other-rebooter node-1: DaemonSet shop/reboots']);
  });

  it('does not take a Deployment, or a name that only contains the letters, for kured', () => {
    const view = clusterView({
      workloads: [
        workload({ name: 'kured', pods: [{ labels: { name: 'kured' } }] }),
        workload({ name: 'cured-meats', kind: 'DaemonSet', desired: null, pods: [{}] }),
        workload({ name: 'obscured', kind: 'DaemonSet', desired: null, pods: [{}] }),
      ],
    });
    expect(asked({ view })).toEqual([]);
  });

  it('names the command that stops kured', () => {
    const view = clusterView({ workloads: [workload({ name: 'kured', kind: 'DaemonSet', desired: null, pods: [] })] });
    expect(asked({ view })[0]?.hint).toContain(
      `kubectl -n shop annotate daemonset kured weave.works/kured-node-lock='{"nodeID":"turnus"}'`,
    );
  });

  it('names the upgrade plans that cover this node, and no others', () => {
    const plan = (name: string, matchLabels: Record<string, string>) => ({
      namespace: 'system-upgrade',
      name,
      nodeSelector: { matchLabels, matchExpressions: [] },
    });
    const upgradePlans = [
      plan('agents', { pool: 'workers' }),
      plan('servers', { pool: 'control' }),
      { namespace: 'system-upgrade', name: 'nobody', nodeSelector: undefined },
    ];
    expect(summary(asked({ rebooters: { upgradePlans } }))).toEqual([
      'caution other-rebooter node-1: Plan system-upgrade/agents',
    ]);
  });

  describe('says of a MachineHealthCheck', () => {
    const check: MachineHealthCheck = {
      namespace: 'machines',
      name: 'workers',
      group: 'cluster.x-k8s.io',
      notReadyTimeoutMs: 300_000,
      paused: false,
    };
    const of = (changes: Partial<MachineHealthCheck>) =>
      asked({ rebooters: { machineHealthChecks: [{ ...check, ...changes }] } });

    it('that it is faster than a boot may be, with both times and the ways out', () => {
      expect(of({})).toEqual([
        {
          code: 'other-rebooter',
          severity: 'caution',
          node: 'node-1',
          objects: ['MachineHealthCheck machines/workers'],
          message:
            'MachineHealthCheck machines/workers replaces a machine whose node is not Ready for 5 min, and spec.host.reboot.timeout gives a boot 30 min.',
          hint: 'Pause it for the time of the run: kubectl -n machines annotate machinehealthchecks.cluster.x-k8s.io workers cluster.x-k8s.io/paused=; or make its timeout the longer one.',
        },
      ]);
    });

    it.each<[string, Partial<MachineHealthCheck>]>([
      ['has as much time as a boot', { notReadyTimeoutMs: thirtyMinutes.timeoutMs }],
      ['is paused', { paused: true }],
      ['does not look at Ready', { notReadyTimeoutMs: undefined }],
    ])('nothing where it %s', (_, changes) => {
      expect(of(changes)).toEqual([]);
    });

    it('nothing where the playbook never reboots', () => {
      const reboot = { when: 'never', timeoutMs: 1_800_000 } as const;
      expect(asked({ rebooters: { machineHealthChecks: [check] }, reboot })).toEqual([]);
    });
  });

  it.each([
    [true, ['caution other-rebooter node-1: Node node-1']],
    [false, []],
    [undefined, []],
  ])('reads unattended-upgrades with automatic reboot %o as %j', (automaticReboot, expected) => {
    const facts = {
      bootId: 'boot-of-node-1',
      user: 'root',
      root: true,
      hostKeyFingerprint: 'SHA256:abc',
      systemd: true,
      kernel: '6.1',
      freeBytes: 1,
      automaticReboot,
    };
    const ssh = { address: 'InternalIP', user: 'root' };
    expect(summary(asked({ host: { address: '127.0.1.1', answer: { kind: 'ok', value: facts }, ssh } }))).toEqual(
      expected,
    );
  });

  it('says for the record what it may not look at, and which role lacks', () => {
    const unread = [{ resource: 'plans.upgrade.cattle.io', forbidden: true, message: 'anna cannot list plans' }];
    expect(asked({ rebooters: { unread } })).toMatchObject([
      {
        code: 'other-rebooter',
        severity: 'info',
        message:
          'Whether plans.upgrade.cattle.io take nodes down is not known, because they cannot be listed: anna cannot list plans',
        hint: 'Run `turnus install` of this version, whose ClusterRole allows it, and bind that role to the user.',
      },
    ]);
  });
});

describe('the gates of a node', () => {
  const view = clusterView({
    nodes: [node('node-1'), node('node-2')],
    workloads: [workload({ name: 'kured', kind: 'DaemonSet', desired: null, pods: [] })],
  });
  function codes(changes: Partial<NodeToEvaluate>): string[] {
    return evaluateNode(gateQuestion(view, changes)).findings.map(({ severity, code }) => `${severity} ${code}`);
  }
  const others = { rebooters: nothing, reboot: thirtyMinutes };

  it('block the own node before and after the cordon', () => {
    for (const moment of ['before-cordon', 'after-cordon', 'resumed'] as const)
      expect(codes({ moment, ownNode: 'node-1' })).toEqual(['block own-node']);
    expect(codes({ ownNode: 'node-2' })).toEqual([]);
  });

  it('ask for others that take nodes down before the cordon alone', () => {
    expect(codes({ others })).toEqual(['caution other-rebooter']);
    expect(codes({ others, moment: 'after-cordon' })).toEqual([]);
    expect(codes({})).toEqual([]);
  });
});
