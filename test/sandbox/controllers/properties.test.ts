import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberOf, recordOf } from '../../../src/cluster/json.js';
import { tolerates } from '../../../src/cluster/taints.js';
import { nodeRecord, podRecord, type PodRecord } from '../../../src/sandbox/controllers/records.js';
import { tolerationsOf } from '../../../src/sandbox/controllers/tolerations.js';
import { daemonSet, deployment, disruptionBudget, statefulSet } from '../../cluster/workloads.js';
import { conditionStatus, playedCluster, statusOf, taintsOf, type PlayedCluster } from './playedCluster.js';

const minute = 60_000;
const nodes = ['node-1', 'node-2', 'node-3', 'node-4'];

const apps = fc.array(
  fc.record({
    kind: fc.constantFrom('Deployment', 'StatefulSet'),
    replicas: fc.integer({ min: 1, max: 3 }),
    onePerNode: fc.boolean(),
    spread: fc.constantFrom(undefined, { over: 'zone' as const, mode: 'require' as const }),
    hostPort: fc.constantFrom(undefined, 443),
    cpu: fc.constantFrom('100m', '500m'),
    maxUnavailable: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 3 },
);

const deeds = fc.array(
  fc.record({
    what: fc.constantFrom(
      'cordon',
      'uncordon',
      'evict',
      'delete-pod',
      'go-down',
      'boot',
      'silence',
      'be-heard',
      'restart',
      'scale',
      'replace-node',
    ),
    which: fc.nat(100),
    afterMs: fc.integer({ min: 0, max: 30_000 }),
  }),
  { maxLength: 15 },
);

interface Story {
  readonly seed: number;
  readonly apps: readonly (typeof apps extends fc.Arbitrary<readonly (infer App)[]> ? App : never)[];
  readonly deeds: readonly (typeof deeds extends fc.Arbitrary<readonly (infer Deed)[]> ? Deed : never)[];
}

const stories: fc.Arbitrary<Story> = fc.record({ seed: fc.nat(), apps, deeds });

function begin(story: Story): PlayedCluster {
  const cluster = playedCluster({ seed: story.seed, nodes });
  cluster.add(daemonSet({ name: 'agent' }));
  story.apps.forEach((app, place) => {
    const name = nameOf(place);
    const options = {
      name,
      replicas: app.replicas,
      onePerNode: app.onePerNode,
      cpu: app.cpu,
      ...(app.spread === undefined ? {} : { spread: app.spread }),
      // One app alone, so that all have a place at the end.
      ...(app.hostPort === undefined || place > 0 ? {} : { hostPort: app.hostPort }),
    };
    cluster.add(app.kind === 'Deployment' ? deployment(options) : statefulSet(options));
    cluster.add(disruptionBudget({ name, maxUnavailable: app.maxUnavailable }));
  });
  return cluster;
}

function nameOf(place: number): string {
  return `app-${String(place)}`;
}

function play(cluster: PlayedCluster, story: Story): void {
  for (const { what, which, afterMs } of story.deeds) {
    cluster.timeline.advance(afterMs);
    const node = nodes[which % nodes.length] ?? '';
    const pods = cluster.pods();
    const pod = pods[which % Math.max(1, pods.length)];
    const place = which % story.apps.length;
    const kind = story.apps[place]?.kind ?? '';
    switch (what) {
      case 'cordon':
      case 'uncordon':
        cluster.cordon(node, what === 'cordon');
        break;
      case 'evict':
        if (pod !== undefined) cluster.evict(pod.name);
        break;
      case 'delete-pod':
        if (pod !== undefined) cluster.remove('Pod', pod.name);
        break;
      case 'go-down':
        cluster.machine(node).goDown();
        break;
      case 'boot':
        cluster.machine(node).boot({ bootId: `boot-${String(which)}` });
        break;
      case 'silence':
      case 'be-heard':
        cluster.machine(node).silence(what === 'silence');
        break;
      case 'restart': {
        const annotations = { restarted: String(which) };
        cluster.patch(kind, nameOf(place), { spec: { template: { metadata: { annotations } } } });
        break;
      }
      case 'scale':
        cluster.patch(kind, nameOf(place), { spec: { replicas: which % 4 } });
        break;
      case 'replace-node':
        cluster.remove('Node', node);
        cluster.timeline.advance(afterMs);
        cluster.addNode({ name: node, zone: `zone-${'abc'[nodes.indexOf(node) % 3] ?? ''}` });
        break;
    }
  }
}

/** Everything is repaired, and there is time for all to settle. */
function settle(cluster: PlayedCluster): void {
  for (const node of nodes) {
    cluster.cordon(node, false);
    const machine = cluster.machine(node);
    machine.silence(false);
    if (!machine.isUp) machine.boot({ bootId: `last-${node}` });
  }
  cluster.timeline.advance(10 * minute);
}

/** Watches every pod that gets a node; answers the hard rules that were broken. */
function brokenRules(cluster: PlayedCluster): string[] {
  const broken: string[] = [];
  cluster.api.observe(({ resource, object, before, by }) => {
    if (resource.plural !== 'pods' || by !== 'system:kube-scheduler' || before === undefined) return;
    const pod = podRecord(object);
    if (pod.nodeName === undefined || podRecord(before).nodeName !== undefined) return;
    const node = nodeRecord(cluster.get('Node', pod.nodeName));
    const others = cluster.pods().filter((other) => other.nodeName === node.name && other.uid !== pod.uid);
    const say = (rule: string) => broken.push(`${pod.name} on ${node.name}: ${rule}`);
    const isOfDaemonSet = pod.controller?.kind === 'DaemonSet';
    if (node.unschedulable && !isOfDaemonSet) say('cordoned');
    if (node.ready !== 'True') say('not Ready');
    if (
      node.taints.some((taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(tolerationsOf(pod.spec), taint))
    ) {
      say('taint');
    }
    const isApart = recordOf(recordOf(pod.spec['affinity'])['podAntiAffinity']);
    if (Object.keys(isApart).length > 0 && others.some(({ labels }) => labels['app'] === pod.labels['app'])) {
      say('anti-affinity');
    }
    if (pod.rules().hostPorts.length > 0 && others.some((other) => other.rules().hostPorts.length > 0))
      say('host port');
    const cpu = [pod, ...others].reduce((sum, other) => sum + other.rules().milliCpu, 0);
    if (cpu > node.allocatable.milliCpu) say('cpu');
    if (pod.rules().hardSpread.length > 0 && skewOf(cluster, pod) > 1) say('spread');
  });
  return broken;
}

/** How much more pods of the app there are in the pod's zone than in the zone with the fewest. */
function skewOf(cluster: PlayedCluster, pod: PodRecord): number {
  const zoneOf = (name: string | undefined) =>
    cluster.find('Node', name ?? '')?.metadata.labels?.['topology.kubernetes.io/zone'];
  const zones = new Map(nodes.flatMap((node) => (zoneOf(node) === undefined ? [] : [[zoneOf(node), 0]])));
  for (const other of cluster.pods(pod.labels['app'])) {
    const zone = zoneOf(other.nodeName);
    if (zone !== undefined && !other.terminating && !other.finished) zones.set(zone, (zones.get(zone) ?? 0) + 1);
  }
  return (zones.get(zoneOf(pod.nodeName)) ?? 0) - Math.min(...zones.values());
}

describe('the controllers, whatever happens to the cluster', () => {
  it('bring every workload back to what it wants, and every node into service', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const cluster = begin(story);
        play(cluster, story);
        settle(cluster);
        for (const node of nodes) {
          expect(conditionStatus(cluster.get('Node', node), 'Ready')).toBe('True');
          expect(taintsOf(cluster.get('Node', node))).toEqual([]);
        }
        expect(cluster.pods().filter(({ ready, terminating }) => !ready || terminating)).toEqual([]);
        story.apps.forEach(({ kind }, place) => {
          const owner = cluster.get(kind, nameOf(place));
          const replicas = numberOf(recordOf(owner['spec'])['replicas']) ?? 0;
          const pods = cluster.pods(nameOf(place));
          expect(pods).toHaveLength(replicas);
          if (replicas > 0) expect(statusOf(owner)).toMatchObject({ replicas, readyReplicas: replicas });
          if (kind === 'StatefulSet') {
            const names = pods.map(({ name }) => name).sort();
            expect(names).toEqual(names.map((_, ordinal) => `${nameOf(place)}-${String(ordinal)}`));
          }
          const budget = statusOf(cluster.get('PodDisruptionBudget', nameOf(place)));
          expect(budget).toMatchObject({ currentHealthy: replicas, expectedPods: replicas });
        });
        expect(
          cluster
            .pods('agent')
            .map(({ nodeName }) => nodeName)
            .sort(),
        ).toEqual(nodes);
      }),
      { numRuns: 40 },
    );
  });

  it('never give a pod a node against a hard rule', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const cluster = begin(story);
        const broken = brokenRules(cluster);
        play(cluster, story);
        cluster.timeline.advance(minute);
        expect(broken).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('write the same history again for the same seed', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const [first, second] = [begin(story), begin(story)];
        play(first, story);
        play(second, story);
        expect(first.history.join('\n')).toBe(second.history.join('\n'));
      }),
      { numRuns: 15 },
    );
  });

  it('do nothing any more once they are stopped', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const cluster = begin(story);
        play(cluster, story);
        cluster.stop();
        const { length } = cluster.history;
        cluster.timeline.advance(10 * minute);
        expect(cluster.history).toHaveLength(length);
      }),
      { numRuns: 10 },
    );
  });
});
