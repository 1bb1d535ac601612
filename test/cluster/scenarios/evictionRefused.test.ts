import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attemptsOn, cordonsOf, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startDenyingWebhook } from '../denyingWebhook.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import type { AuditEntry } from '../auditLog.js';
import type { Pod } from '../objects.js';
import { writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import { evictions, expectExit, installTurnus, phasesOf, turnsOf, turnusRequests, untilTurn } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createAll, createReady } from '../waitForReady.js';
import { barePod, deployment, disruptionBudget, statefulSet } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

/** The host has its update and no boot: these tests are about what comes before. */
const quick = { host: { reboot: { when: 'never' } } };

/** Every eviction that Turnus asked for, accepted or not, dry runs left out. */
async function evictionRequests(namespace: string): Promise<AuditEntry[]> {
  return (await turnusRequests(cluster)).filter(
    (entry) => entry.subresource === 'eviction' && entry.namespace === namespace,
  );
}

async function podsIn(namespace: string): Promise<Pod[]> {
  return await cluster.api.list({ kind: 'Pod', namespace });
}

describe('pods that can never be evicted', () => {
  it('two budgets on a pod and a pod without a controller block their nodes before the cordon', async () => {
    await cluster.createNamespace('torn');
    await createAllOn(cluster, 'node-1', [deployment({ name: 'torn', namespace: 'torn', replicas: 2 })]);
    // Later than the pods: of two budgets over a pod, its changes are counted in one alone.
    await createReady(cluster.api, [
      disruptionBudget({ name: 'one', namespace: 'torn', of: 'torn', maxUnavailable: 1 }),
      disruptionBudget({ name: 'two', namespace: 'torn', of: 'torn', minAvailable: 1 }),
    ]);
    await createReady(cluster.api, [barePod({ name: 'bare', namespace: 'torn', nodes: ['node-2'] })]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'never', nodes: ['node-1', 'node-2'] });
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
    await expectEnd(attempts.start(playbook), 3);
    await watcher.stop();

    expect((await phasesOf(cluster, 'never')).sort()).toEqual(['node-1 Blocked', 'node-2 Blocked']);
    const turns = new Map((await turnsOf(cluster, 'never')).map((turn) => [turn.node, turn]));
    const [conflict] = turns.get('node-1')?.findings ?? [];
    expect(conflict).toMatchObject({ code: 'budget-conflict', severity: 'block' });
    expect(conflict?.objects).toEqual(
      expect.arrayContaining(['PodDisruptionBudget torn/one', 'PodDisruptionBudget torn/two']),
    );
    expect(turns.get('node-2')?.findings?.[0]).toMatchObject({ code: 'unmanaged-pod', objects: ['Pod torn/bare'] });
    expect(watcher.nodes().timeline).toEqual([]);
    expect(await evictionRequests('torn')).toEqual([]);
    expect(await podsIn('torn')).toHaveLength(3);
    expect(await hosts.host('node-1').counter('updates')).toBe(0);
    await cluster.api.delete({ kind: 'Namespace', name: 'torn' });
  });
});

describe('an admission webhook', () => {
  it.each([
    [403, 'not tonight'],
    [429, 'ask again later'],
  ])(
    'that denies evictions with %i is told by its name and asked again until the timeout; the drain is undone',
    async (code, message) => {
      const namespace = `guarded-${String(code)}`;
      const name = `deny-${String(code)}.example.com`;
      await cluster.createNamespace(namespace);
      await createAllOn(cluster, 'node-3', [deployment({ name: 'guarded', namespace, replicas: 1 })]);
      const [pod] = await podsIn(namespace);
      const webhook = await startDenyingWebhook({
        cluster,
        name,
        namespace,
        pod: pod?.metadata.name ?? '',
        code,
        message,
      });
      const playbook = await writePlaybook({
        cluster,
        hosts,
        name: `denied-${String(code)}`,
        nodes: ['node-3'],
        spec: { ...quick, drain: { timeout: '4s', attempts: 1 } },
      });
      const updates = await hosts.host('node-3').counter('updates');
      const watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
      await expectEnd(attempts.start(playbook), 3);
      await waitFor({ what: 'the watcher to see it', probe: () => cordonsOf(watcher, 'node-3').length === 2 });
      await watcher.stop();

      const [turn] = await turnsOf(cluster, `denied-${String(code)}`);
      expect(turn).toMatchObject({ phase: 'Deferred', attempts: 1 });
      expect(turn?.message).toContain(`${name} refuses the eviction of Pod ${namespace}/${pod?.metadata.name ?? ''}`);
      expect(turn?.message).toContain(message);
      expect(cordonsOf(watcher, 'node-3')).toEqual(['cordoned', 'uncordoned']);
      const answers = (await evictionRequests(namespace)).map((entry) => entry.code);
      expect(answers.length).toBeGreaterThanOrEqual(2);
      expect(new Set(answers)).toEqual(new Set([code]));
      expect((await podsIn(namespace)).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
      expect(await hosts.host('node-3').counter('updates')).toBe(updates);

      webhook.relent();
      await expectEnd(attempts.start(playbook), 0);
      expect(await phasesOf(cluster, `denied-${String(code)}`)).toEqual(['node-3 Done']);
      await cluster.api.delete({ kind: 'Namespace', name: namespace });
    },
  );
});

describe('an admission webhook that gives no answer', () => {
  it('is told by its name, asked again until the timeout, and where it is gone the turn is done', async () => {
    const [namespace, name] = ['fallen', 'fallen.example.com'];
    await cluster.createNamespace(namespace);
    await createAllOn(cluster, 'node-1', [deployment({ name: 'guarded', namespace, replicas: 1 })]);
    const [pod] = await podsIn(namespace);
    const podName = pod?.metadata.name ?? '';
    const webhook = await startDenyingWebhook({ cluster, name, namespace, pod: podName, code: 403, message: 'no' });
    await webhook.fall();
    const spec = { ...quick, drain: { timeout: '4s', attempts: 1 } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'fallen', nodes: ['node-1'], spec });
    await expectEnd(attempts.start(playbook), 3);

    const [turn] = await turnsOf(cluster, 'fallen');
    expect(turn).toMatchObject({ phase: 'Deferred', attempts: 1 });
    expect(turn?.message).toContain(
      `Admission webhook ${name} cannot be asked, so the API server refuses the eviction of Pod ${namespace}/${podName}`,
    );
    const answers = (await evictionRequests(namespace)).map((entry) => entry.code);
    expect(answers.length).toBeGreaterThanOrEqual(2);
    expect(new Set(answers)).toEqual(new Set([500]));

    await cluster.api.delete({ kind: 'ValidatingWebhookConfiguration', name });
    await waitFor({
      what: 'the API server to ask nobody',
      probe: async () => (await cluster.api.evict({ namespace, name: podName, dryRun: true })).status === 201,
    });
    await expectEnd(attempts.start(playbook), 0);
    await cluster.api.delete({ kind: 'Namespace', name: namespace });
  });
});

describe('a budget that an operator runs', () => {
  const managed = {
    ...quick,
    gates: { managedBudgets: [{ namespaces: { 'kubernetes.io/metadata.name': 'storage' }, selector: 'part=engine' }] },
  };
  const engine = deployment({ name: 'engine', namespace: 'storage', replicas: 2 });
  const closed = {
    ...disruptionBudget({ name: 'engine', namespace: 'storage', maxUnavailable: 0 }),
    metadata: { name: 'engine', namespace: 'storage', labels: { part: 'engine' } },
  };

  beforeAll(async () => {
    await cluster.createNamespace('storage');
    await createAllOn(cluster, 'node-4', [
      engine,
      closed,
      deployment({ name: 'user', namespace: 'storage', replicas: 3, stopMs: 1500 }),
    ]);
  });

  /** Plays the operator: opens the budget as soon as no user of the storage is left on the node. */
  async function openWhenUsersHaveLeft(signal: AbortSignal): Promise<Date> {
    const users = { kind: 'Pod', namespace: 'storage', labelSelector: 'app=user' } as const;
    const onNode = new Set<string>();
    const { items, resourceVersion } = await cluster.api.listWithVersion(users);
    const see = ({ metadata, spec }: Pod, isThere: boolean): void => {
      if (spec.nodeName !== 'node-4') return;
      if (isThere) onNode.add(metadata.name);
      else onNode.delete(metadata.name);
    };
    for (const pod of items) see(pod, true);
    return await new Promise<Date>((resolve, reject) => {
      cluster.api
        .watch({ ...users, resourceVersion, signal }, ({ type, object }) => {
          see(object, type !== 'DELETED');
          if (onNode.size > 0) return;
          const open = { kind: 'PodDisruptionBudget', namespace: 'storage', name: 'engine' } as const;
          cluster.api.patch(open, { body: { spec: { maxUnavailable: 1 } } }).then(() => {
            resolve(new Date());
          }, reject);
        })
        .catch((error: unknown) => {
          if (!signal.aborted) reject(error instanceof Error ? error : new Error(String(error)));
        });
    });
  }

  it('never blocks; its pods leave last, when it has opened', async () => {
    const playbook = await writePlaybook({ cluster, hosts, name: 'operator', nodes: ['node-4'], spec: managed });
    const plan = await runTurnus(['plan', '-f', playbook, '-o', 'json'], { kubeconfig: cluster.kubeconfigPath });
    expectExit(plan, 0);
    const { nodes } = JSON.parse(plan.stdout) as { nodes: { findings: { code: string; severity: string }[] }[] };
    expect(nodes[0]?.findings.filter(({ code }) => code.startsWith('budget-'))).toEqual([
      expect.objectContaining({
        code: 'budget-managed',
        severity: 'caution',
        objects: ['PodDisruptionBudget storage/engine'],
      }),
    ]);

    const watching = new AbortController();
    const opening = openWhenUsersHaveLeft(watching.signal);
    await expectEnd(attempts.start(playbook), 0);
    const openedAt = await opening;
    watching.abort();
    expect(await phasesOf(cluster, 'operator')).toEqual(['node-4 Done']);
    const requests = await evictionRequests('storage');
    const users = requests.filter(({ name }) => name.startsWith('user-'));
    const engines = requests.filter(({ name }) => name.startsWith('engine-'));
    expect(users).toHaveLength(3);
    // Accepted by the server each time: asked for one after the other, none before the budget had opened.
    expect(engines.map(({ code }) => code)).toEqual([201, 201]);
    for (const { time } of users) expect(time.getTime()).toBeLessThan(openedAt.getTime());
  });

  it('that never opens is waited for until the timeout; then the drain is undone', async () => {
    const budget = { kind: 'PodDisruptionBudget', namespace: 'storage', name: 'engine' } as const;
    await cluster.api.patch(budget, { body: { spec: { maxUnavailable: 0 } } });
    const node = (await podsIn('storage')).find(({ metadata }) => metadata.name.startsWith('engine-'))?.spec.nodeName;
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name: 'asleep',
      nodes: [node ?? ''],
      spec: { ...managed, drain: { timeout: '6s', attempts: 1 } },
    });
    const before = (await evictionRequests('storage')).length;
    await expectEnd(attempts.start(playbook), 3);
    const [turn] = await turnsOf(cluster, 'asleep');
    expect(turn).toMatchObject({ node, phase: 'Deferred' });
    expect(turn?.message).toContain('PodDisruptionBudget storage/engine allows no eviction yet');
    const asked = (await evictionRequests('storage')).slice(before);
    expect(asked.filter(({ name }) => name.startsWith('engine-'))).toEqual([]);
    expect((await cluster.api.get({ kind: 'Node', name: node ?? '' })).spec.unschedulable ?? false).toBe(false);
    await cluster.api.delete(budget);
  });

  it('and whose pod is recreated elsewhere under its name by a person: the namesake is never evicted', async () => {
    const moved = statefulSet({ name: 'moved', namespace: 'storage', replicas: 1 });
    const budget = {
      ...disruptionBudget({ name: 'moved', namespace: 'storage', maxUnavailable: 0 }),
      metadata: { name: 'moved', namespace: 'storage', labels: { part: 'engine' } },
    };
    await createAllOn(cluster, 'node-2', [moved]);
    await createAll(cluster.api, [budget]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'namesake', nodes: ['node-2'], spec: managed });
    const turnus = attempts.start(playbook);
    await untilTurn(
      { cluster, playbook: 'namesake', node: 'node-2', what: 'waiting for the budget' },
      ({ waitingFor }) => (waitingFor?.what ?? '').includes('PodDisruptionBudget storage/moved'),
    );
    await cluster.api.delete({ kind: 'Pod', namespace: 'storage', name: 'moved-0' });
    await expectEnd(turnus, 0);
    expect(await phasesOf(cluster, 'namesake')).toEqual(['node-2 Done']);
    const namesake = await cluster.api.get({ kind: 'Pod', namespace: 'storage', name: 'moved-0' });
    expect(namesake.spec.nodeName).not.toBe('node-2');
    expect((await evictionRequests('storage')).filter(({ name }) => name === 'moved-0')).toEqual([]);
    expect((await evictions(cluster)).map(({ pod }) => pod)).not.toContain('storage/moved-0');
  });
});
