import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { isTrue } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { installTurnus, turnsOf, untilTurn } from '../runReport.js';
import { troubleOn } from '../trouble.js';
import type { LeftBehind, Trouble } from '../trouble.js';
import type { RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 7, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [
    deployment({ name: 'web', replicas: 7, spread: { over: 'node', mode: 'prefer' } }),
    daemonSet({ name: 'agent' }),
  ]);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

/** A played kubelet sends a heartbeat every two seconds: three passes take six seconds of Ready. */
async function checksOf(name: string, nodes: [string, string], consecutive: number): Promise<Trouble> {
  const spec = { health: { consecutive, interval: '250ms', timeout: '14s' } };
  return await troubleOn({ cluster, hosts, attempts }, { name, nodes, spec });
}

/** The host has booted and was asked nothing more; its node stays cordoned. */
const leftVerifying: Omit<LeftBehind, 'says'> = {
  code: 'not-healthy',
  phase: 'Verifying',
  node: 'cordoned',
  host: 'touched',
  boots: 2,
};

async function untilVerifying(playbook: string, node: string): Promise<void> {
  await untilTurn({ cluster, playbook, node, what: 'Verifying' }, ({ phase }) => phase === 'Verifying');
}

/** The kubelet reports that its node is not Ready, until {@link letBeReady}. */
async function makeNotReady(name: string): Promise<void> {
  await annotate(name, 'sandbox.turnus.dev/hold-down', 'true');
  const condition = { type: 'Ready', status: 'False', reason: 'NetworkPluginNotReady', message: 'cni is not ready' };
  await cluster.api.patch(
    { kind: 'Node', name },
    { body: { status: { conditions: [condition] } }, type: 'strategic', subresource: 'status' },
  );
}

async function letBeReady(name: string): Promise<void> {
  await annotate(name, 'sandbox.turnus.dev/hold-down', null);
  await cluster.untilNodeReady(name);
}

async function annotate(name: string, key: string, value: string | null): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name }, { body: { metadata: { annotations: { [key]: value } } } });
}

/** Waits until one check of the node has passed, then takes its readiness away and gives it back. */
async function flapOnce(node: string, turnus: RunningTurnus): Promise<void> {
  const passed = (): number => turnus.stderr().split('1 of 3 checks in a row passed').length;
  const before = passed();
  await waitFor({ what: `a check of ${node}`, probe: () => passed() > before || !turnus.isRunning() });
  await makeNotReady(node);
  await waitFor({
    what: `${node} not Ready`,
    probe: async () => !isTrue(await cluster.api.get({ kind: 'Node', name: node }), 'Ready'),
  });
  await letBeReady(node);
}

/** Until the run has ended; answers how often. */
async function flapUntilEnd(node: string, turnus: RunningTurnus): Promise<number> {
  let times = 0;
  for (; turnus.isRunning(); times += 1) await flapOnce(node, turnus);
  return times;
}

describe('a node after the boot of its host', () => {
  it('that is not Ready is left cordoned; once a person has rebooted it, retry checks it anew and finishes', async () => {
    const trouble = await checksOf('unready', ['node-1', 'node-2'], 2);
    const turnus = trouble.start();
    await untilVerifying('unready', 'node-1');
    await makeNotReady('node-1');
    await trouble.expectFailed(turnus, { ...leftVerifying, says: /node-1 is not Ready.*cni is not ready/ });

    await trouble.host.powerCut();
    await trouble.host.powerOn();
    await cluster.untilNodeReady('node-1');
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 3 });
    expect((await trouble.turn()).bootIdAfter).toBe(trouble.host.bootId);
  });

  it('that is Ready again and again, but never for long enough, is left cordoned', async () => {
    const trouble = await checksOf('flapping', ['node-3', 'node-4'], 3);
    const turnus = trouble.start();
    await untilVerifying('flapping', 'node-3');
    const times = await flapUntilEnd('node-3', turnus);
    expect(times).toBeGreaterThanOrEqual(2);
    await trouble.expectFailed(turnus, {
      ...leftVerifying,
      says: /node-3 is not Ready.*comes and goes: at most \d of 3 checks in a row/,
    });

    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });

  it('that flaps and then calms down has its turn', async () => {
    const spec = { health: { consecutive: 3, interval: '250ms', timeout: '1m' } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'calm', nodes: ['node-5'], spec });
    const turnus = attempts.start(playbook);
    await untilVerifying('calm', 'node-5');
    await flapOnce('node-5', turnus);
    await flapOnce('node-5', turnus);
    const calmSince = Date.now();
    await expectEnd(turnus, 0);
    const [turn] = await turnsOf(cluster, 'calm');
    expect(turn?.phase).toBe('Done');
    const uncordoning = turn?.steps?.find(({ phase }) => phase === 'Uncordoning');
    expect(Date.parse(uncordoning?.startedAt ?? '')).toBeGreaterThan(calmSince);
    expect(await hosts.host('node-5').counter('updates')).toBe(1);
    expect(hosts.host('node-5').bootIds).toHaveLength(2);
  });

  it('whose DaemonSet pod does not come back is left cordoned, with the pod named; retry finishes once it is', async () => {
    const pod = await agentOn('node-6');
    const trouble = await checksOf('agent', ['node-6', 'node-7'], 2);
    await annotatePod(pod, 'its volume is broken');
    await trouble.expectFailed(trouble.start(), {
      ...leftVerifying,
      says: new RegExp(`default/${pod} is not Ready`),
    });

    await annotatePod(pod, null);
    await trouble.retry();
    await trouble.expectFinished({ updates: 1, boots: 2 });
  });
});

async function agentOn(node: string): Promise<string> {
  const pods = await cluster.api.list({
    kind: 'Pod',
    namespace: 'default',
    labelSelector: 'app=agent',
    fieldSelector: `spec.nodeName=${node}`,
  });
  return pods[0]?.metadata.name ?? '';
}

/** A pod with this annotation loses its readiness with its host, and does not get it back. */
async function annotatePod(name: string, reason: string | null): Promise<void> {
  const body = { metadata: { annotations: { 'sandbox.turnus.dev/unready': reason } } };
  await cluster.api.patch({ kind: 'Pod', namespace: 'default', name }, { body });
}
