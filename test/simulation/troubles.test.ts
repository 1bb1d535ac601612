import { describe, expect, it } from 'vitest';
import type { ApiObject, Resource } from '../../src/cluster/clusterPort.js';
import { recordOf, recordsOf } from '../../src/cluster/json.js';
import { resources } from '../../src/cluster/resources.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { createSimulatedCluster } from '../../src/sandbox/createSimulatedCluster.js';
import { seededRandom } from '../../src/sandbox/seededRandom.js';
import { generateNight } from './generateNight.js';
import type { Night, Trouble } from './night.js';
import { nightObjects, resourceOf } from './nightObjects.js';
import { playNight } from './playNight.js';
import { simulatedHosts } from './simulatedHosts.js';
import { applyTroubles, personName } from './troubles.js';
import { VirtualTime } from './virtualTime.js';
import { changingWeather } from './weather.js';
import type { HostEvent } from './witness.js';

const aMinute = 60_000;

describe('the troubles of a night', () => {
  it('change the weather for their time', async () => {
    const { weather, after } = await troubled([
      { id: 'a', kind: 'api-answers', atMs: 10_000, forMs: 20_000, answer: 'throttled', share: 1 },
      { id: 'b', kind: 'watches-lag', atMs: 10_000, forMs: 20_000, byMs: 4000 },
      { id: 'c', kind: 'host-hangs', atMs: 10_000, forMs: 20_000, node: 'node-1' },
      { id: 'd', kind: 'host-loses-answers', atMs: 10_000, forMs: 20_000, node: 'node-2' },
      { id: 'e', kind: 'api-down', atMs: 40_000, forMs: 20_000 },
    ]);
    const looks = async (atMs: number) => {
      await after(atMs);
      const { isApiDown, watchLagMs } = weather;
      const hosts = [weather.hostHangsMs('node-1') > 0, weather.hostLosesAnswers('node-2')];
      return { answer: weather.ofCall(), isApiDown, watchLagMs, hosts };
    };
    const fine = { answer: 'fine', isApiDown: false, watchLagMs: 0, hosts: [false, false] };
    expect(await looks(9000)).toEqual(fine);
    expect(await looks(20_000)).toEqual({
      answer: 'throttled',
      isApiDown: false,
      watchLagMs: 4000,
      hosts: [true, true],
    });
    expect(await looks(35_000)).toEqual(fine);
    expect(await looks(50_000)).toEqual({ ...fine, answer: 'unreachable', isApiDown: true });
    expect(await looks(65_000)).toEqual(fine);
  });

  it('break every watch, and let the server forget its history', async () => {
    const { weather, cluster, after } = await troubled([
      { id: 'a', kind: 'watches-break', atMs: 10_000, how: 'end' },
      { id: 'b', kind: 'history-lost', atMs: 20_000 },
    ]);
    const breaks: string[] = [];
    weather.whenWatchesBreak((how) => breaks.push(how));
    const resourceVersion = cluster.api.version();
    await after(15_000);
    cluster.machine('node-1').goDown();
    await after(90_000);
    expect(breaks).toEqual(['end']);
    const watched = cluster.api.watch({ resource: resources.nodes, resourceVersion }, () => undefined);
    expect(watched).toMatchObject({ kind: 'refused', status: { code: 410 } });
  });

  it('are people who cordon, uncordon and hold nodes', async () => {
    const { read, after, by } = await troubled([
      { id: 'a', kind: 'cordon', atMs: 10_000, node: 'node-1' },
      { id: 'b', kind: 'hold', atMs: 10_000, forMs: 20_000, node: 'node-2' },
      { id: 'c', kind: 'uncordon', atMs: 40_000, node: 'node-1' },
    ]);
    const held = () => read(resources.nodes, 'node-2')?.metadata.annotations?.['turnus.dev/hold'];
    const cordoned = () => recordOf(read(resources.nodes, 'node-1')?.['spec'])['unschedulable'];
    await after(20_000);
    expect([cordoned(), held()]).toEqual([true, 'somebody looks at it']);
    await after(50_000);
    expect([cordoned(), held()]).toEqual([undefined, undefined]);
    expect(by).toContain(personName);
  });

  it('are people who edit budgets, scale workloads, delete and add nodes', async () => {
    const { read, after } = await troubled([
      { id: 'a', kind: 'budget-edited', atMs: 1000, workload: 'web', maxUnavailable: 0 },
      { id: 'b', kind: 'scaled', atMs: 1000, workload: 'web', replicas: 1 },
      { id: 'c', kind: 'node-deleted', atMs: 1000, node: 'node-2' },
      { id: 'd', kind: 'node-added', atMs: 1000, node: 'node-9' },
    ]);
    await after(aMinute);
    expect(recordOf(read(resources.budgets, 'web', 'shop')?.['spec'])).toMatchObject({ maxUnavailable: 0 });
    expect(recordOf(read(resources.budgets, 'web', 'shop')?.['spec'])['minAvailable']).toBeUndefined();
    expect(read(resources.deployments, 'web', 'shop')).toMatchObject({ spec: { replicas: 1 } });
    expect(read(resources.nodes, 'node-2')).toBeUndefined();
    expect(readyOf(read(resources.nodes, 'node-9'))).toBe('True');
  });

  it('make a pod unready for a while', async () => {
    const { cluster, after } = await troubled([
      { id: 'a', kind: 'pod-unready', atMs: 1000, workload: 'web', forMs: 30_000 },
    ]);
    const readyPods = () => {
      const pods = cluster.api.list({ resource: resources.pods, namespace: 'shop' });
      return pods.kind === 'ok' ? pods.value.items.filter((pod) => readyOf(pod) === 'True').length : 0;
    };
    expect(readyPods()).toBe(3);
    await after(20_000);
    expect(readyPods()).toBe(2);
    await after(aMinute);
    expect(readyPods()).toBe(3);
  });

  it('keep new pods of a workload from becoming Ready for a while, and leave the others alone', async () => {
    const { cluster, after } = await troubled([
      { id: 'a', kind: 'never-ready', atMs: 1000, workload: 'web', forMs: 2 * aMinute },
    ]);
    const pods = () => {
      const found = cluster.api.list({ resource: resources.pods, namespace: 'shop' });
      return found.kind === 'ok' ? found.value.items : [];
    };
    await after(2000);
    const [first] = pods();
    cluster.api.delete({ resource: resources.pods, namespace: 'shop', name: first?.metadata.name ?? '' }, 'person');
    await after(aMinute);
    expect(pods().filter((pod) => readyOf(pod) === 'True')).toHaveLength(2);
    await after(4 * aMinute);
    expect(pods().map(readyOf)).toEqual(['True', 'True', 'True']);
  });

  it('let kubelets fall silent and machines reboot', async () => {
    const { read, after, hostEvents } = await troubled([
      { id: 'a', kind: 'kubelet-silent', atMs: 1000, forMs: 2 * aMinute, node: 'node-1' },
      { id: 'b', kind: 'boot-never-returns', node: 'node-2', mendedAfterMs: 5 * aMinute },
      { id: 'c', kind: 'host-reboots', atMs: 1000, node: 'node-2' },
    ]);
    const ready = () => [readyOf(read(resources.nodes, 'node-1')), readyOf(read(resources.nodes, 'node-2'))];
    await after(1.9 * aMinute);
    expect(ready()).not.toContain('True');
    await after(4 * aMinute);
    expect(ready()).toEqual(['True', 'Unknown']);
    await after(7 * aMinute);
    expect(ready()).toEqual(['True', 'True']);
    expect(hostEvents).toMatchObject([{ kind: 'went-down', asked: false }, { kind: 'booted' }]);
  });

  it('do nothing to what is not there', async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { troubles } = generateNight(seed);
      const { after, errors } = await troubled(troubles, { nodes: [], workloads: [] });
      await after(aMinute);
      expect(errors).toEqual([]);
    }
  });

  it.each(['pause', 'abort', 'abort-now'] as const)(
    'are people who %s the run and let it go on later',
    async (kind) => {
      const asked: unknown[] = [];
      const night = { ...quietNight, troubles: [{ id: 'a', kind, atMs: 20_000, resumedAfterMs: 3 * aMinute }] };
      const end = await playNight(night, {
        witnesses: [
          {
            changed: ({ by, object }) => {
              if (by === personName && object.kind === 'MaintenanceRun')
                asked.push(recordOf(object['spec'])['desired']);
            },
          },
        ],
      });
      const state = { pause: 'Pause', abort: 'Abort', 'abort-now': 'AbortNow' }[kind];
      expect(asked).toMatchObject([{ state }, { state: 'Run' }]);
      expect(end.violations).toEqual([]);
    },
  );
});

const quietNight: Night = {
  seed: 11,
  nodes: [{ name: 'node-1' }, { name: 'node-2' }],
  workloads: [
    {
      name: 'web',
      namespace: 'shop',
      kind: 'Deployment',
      replicas: 3,
      startMs: 2000,
      stopMs: 1000,
      budget: { minAvailable: 2 },
    },
  ],
  playbook: {
    maxUnavailable: 1,
    concurrency: 1,
    stopAfterFailures: 1,
    reboot: 'always',
    stages: ['update'],
    drainTimeoutMs: 5 * aMinute,
    attempts: 2,
    jobMs: 20_000,
    bootMs: 30_000,
  },
  troubles: [],
};

/** A cluster that has come up, and its troubles beginning now. */
async function troubled(
  troubles: readonly Trouble[],
  { nodes, workloads }: Pick<Night, 'nodes' | 'workloads'> = quietNight,
) {
  const night: Night = { ...quietNight, nodes, workloads, troubles };
  const random = seededRandom(night.seed);
  const time = new VirtualTime(Date.UTC(2026, 9, 14));
  const cluster = createSimulatedCluster({ timeline: time, random: random.fork() });
  const { api } = cluster;
  for (const node of nodes) cluster.addNode(node);
  for (const object of nightObjects(night)) {
    const { namespace } = object.metadata;
    api.create({ resource: resourceOf(object), object, ...(namespace === undefined ? {} : { namespace }) }, 'admin');
  }
  await time.run(() => false, 2 * aMinute);
  const beganAt = time.now();
  const by: string[] = [];
  api.observe((change) => by.push(change.by));
  const weather = changingWeather(time, random.fork());
  const hostEvents: HostEvent[] = [];
  const witnesses = [{ onHost: (event: HostEvent) => hostEvents.push(event) }];
  const hosts = simulatedHosts({ cluster, time, random: random.fork(), playbook: night.playbook, witnesses });
  const errors: unknown[] = [];
  applyTroubles({
    night,
    cluster,
    hosts,
    weather,
    time,
    random: random.fork(),
    person: {
      name: personName,
      cluster: simulatedPort({ api, caller: personName }),
      clock: time.clock,
      namespace: 'turnus-system',
      newId: () => random.uuid(),
      signal: new AbortController().signal,
    },
    onError: (error) => errors.push(error),
  });
  return {
    cluster,
    weather,
    by,
    errors,
    hostEvents,
    /** Until so long after the troubles began. */
    after: (atMs: number) => time.run(() => false, beganAt + atMs - time.now()),
    read: (resource: Resource, name: string, namespace?: string): ApiObject | undefined => {
      const reply = api.get({ resource, name, ...(namespace === undefined ? {} : { namespace }) });
      return reply.kind === 'ok' ? reply.value : undefined;
    },
  };
}

function readyOf(object: ApiObject | undefined): unknown {
  return recordsOf(recordOf(object?.['status'])['conditions']).find(({ type }) => type === 'Ready')?.['status'];
}
