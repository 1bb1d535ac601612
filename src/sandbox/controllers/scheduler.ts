import { stringOf } from '../../cluster/json.js';
import { selectsNode } from '../../cluster/nodeSelector.js';
import { resources } from '../../cluster/resources.js';
import { tolerates } from '../../cluster/taints.js';
import { nodeFit, nodeUsage, podsPerDomain, type NodeUsage } from './nodeFit.js';
import { conditionOf, withCondition, type NodeRecord, type PodRecord } from './records.js';
import { bindClaims } from './volumes.js';
import { workQueue } from './workQueue.js';
import { writerAs } from './writer.js';
import type { World } from './world.js';

const by = 'system:kube-scheduler';

/**
 * Gives pods a node: the best of those that they fit on. One that fits nowhere is looked at again when a node changes or
 * a pod goes, later each time. There is no preemption.
 */
export function runScheduler(world: World): void {
  const { api, state, timeline, pace } = world;
  const random = world.random.fork();
  const write = writerAs(api, by);
  const repelling = new Map<string, PodRecord>();
  const usages = new Map<string, { readonly of: readonly PodRecord[]; readonly usage: NodeUsage }>();
  const usageOf = (node: string): NodeUsage => {
    const pods = state.podsOnNode(node);
    const known = usages.get(node);
    if (known?.of === pods) return known.usage;
    const usage = nodeUsage(pods);
    usages.set(node, { of: pods, usage });
    return usage;
  };
  const lore = { usageOf, repelling: () => repelling.values() };
  /** Pods that found no place: how often, and when they may be looked at again. */
  const homeless = new Map<string, { readonly tries: number; readonly againAt: number }>();

  const queue = workQueue(world, pace.schedulerMs, (key) => {
    const pod = state.pods.get(key);
    if (pod === undefined || !waits(pod)) return;
    const fit = nodeFit(state, pod, lore);
    const obstacles = new Map<string, number>();
    const homes: NodeRecord[] = [];
    for (const node of state.nodes.values()) {
      const obstacle = fit(node);
      if (obstacle === undefined) homes.push(node);
      else obstacles.set(obstacle, (obstacles.get(obstacle) ?? 0) + 1);
    }
    if (homes.length === 0) refuse(pod, obstacles);
    else bind(pod, random.pick(bestOf(world, pod, homes)));
  });

  const bind = (pod: PodRecord, node: NodeRecord): void => {
    homeless.delete(pod.key);
    bindClaims(world, write, pod, { claims: pod.rules().claims, node });
    const target = { apiVersion: 'v1', kind: 'Node', name: node.name };
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod.name, namespace: pod.namespace },
      target,
    };
    const where = { resource: resources.pods, namespace: pod.namespace, subresource: 'binding' };
    api.create({ ...where, object: binding }, by);
    const bound = state.pods.get(pod.key);
    if (bound === undefined || conditionOf(bound.status, 'PodScheduled')?.['status'] !== 'False') return;
    const scheduled = { type: 'PodScheduled', status: 'True' };
    const conditions = withCondition(bound.status, scheduled, timeline.now());
    write.status(resources.pods, bound.object, { ...bound.status, conditions });
  };
  const refuse = (pod: PodRecord, obstacles: ReadonlyMap<string, number>): void => {
    const tries = (homeless.get(pod.key)?.tries ?? 0) + 1;
    const { least, most } = pace.schedulerBackOffMs;
    homeless.set(pod.key, { tries, againAt: timeline.now() + Math.min(most, least * 2 ** (tries - 1)) });
    const counted = [...obstacles].map(([obstacle, count]) => `${String(count)} ${obstacle}`).sort();
    const total = String(state.nodes.size);
    const message = `0/${total} nodes are available${counted.length === 0 ? '' : `: ${counted.join(', ')}`}.`;
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const conditions = withCondition(pod.status, condition, timeline.now());
    write.status(resources.pods, pod.object, { ...pod.status, phase: 'Pending', conditions });
  };
  const lookAgain = (): void => {
    for (const [key, { againAt }] of homeless)
      queue.add(key, Math.max(againAt - timeline.now(), pace.schedulerMs.least));
  };

  state.onPod((now, before) => {
    const pod = now ?? before;
    if (pod === undefined) return;
    if (now !== undefined && !now.finished && now.rules().antiAffinity.length > 0) repelling.set(pod.key, now);
    else repelling.delete(pod.key);
    if (now === undefined || !waits(now)) homeless.delete(pod.key);
    else if (before?.uid !== now.uid) queue.add(now.key);
    if (before?.nodeName !== undefined && (now === undefined || now.finished || now.terminating)) lookAgain();
  });
  state.onNode((now, before) => {
    if (now !== undefined && (before === undefined || isRoomier(now, before))) lookAgain();
  });
  for (const plural of [resources.claims.plural, resources.volumes.plural]) state.on(plural, lookAgain);
}

function waits(pod: PodRecord): boolean {
  const scheduler = stringOf(pod.spec['schedulerName']) ?? 'default-scheduler';
  return pod.nodeName === undefined && !pod.terminating && !pod.finished && scheduler === 'default-scheduler';
}

/** Whether a change of a node may have made room. */
function isRoomier(now: NodeRecord, before: NodeRecord): boolean {
  return (
    now.spec !== before.spec ||
    now.ready !== before.ready ||
    now.object.metadata.labels !== before.object.metadata.labels ||
    now.status['allocatable'] !== before.status['allocatable']
  );
}

/**
 * The nodes with the best score (the Score plugins with their default weights): taints and affinities first, then few
 * pods of the same owner or constraint, then few pods.
 */
function bestOf({ state }: World, pod: PodRecord, homes: readonly NodeRecord[]): readonly NodeRecord[] {
  if (homes.length === 1) return homes;
  const rules = pod.rules();
  const spreads = rules.softSpread.map(({ topologyKey, selector }) => {
    const pods = state.podsMatching(pod.namespace, selector).filter((other) => !other.terminating);
    const counts = podsPerDomain(state, topologyKey, { pods, counts: () => true });
    return (node: NodeRecord) => counts.get(node.labels[topologyKey] ?? '') ?? 0;
  });
  const siblings = new Map<string, number>();
  for (const { nodeName, terminating } of state.podsOf(pod.controller?.uid ?? '')) {
    if (nodeName !== undefined && !terminating) siblings.set(nodeName, (siblings.get(nodeName) ?? 0) + 1);
  }
  const criteria: readonly { readonly weight: number; readonly value: (node: NodeRecord) => number }[] = [
    {
      weight: -3,
      value: ({ taints }) =>
        taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(rules.tolerations, taint)).length,
    },
    {
      weight: 2,
      value: (node) =>
        rules.preferredNodes.reduce(
          (sum, { weight, term }) => sum + (term !== undefined && selectsNode([term], node) ? weight : 0),
          0,
        ),
    },
    ...spreads.map((value) => ({ weight: -2, value })),
    { weight: -2, value: (node) => siblings.get(node.name) ?? 0 },
    { weight: -1, value: (node) => state.podsOnNode(node.name).length },
  ];
  const scores = homes.map(() => 0);
  for (const { weight, value } of criteria) {
    const values = homes.map(value);
    const most = Math.max(...values);
    if (most > 0) values.forEach((one, place) => (scores[place] = (scores[place] ?? 0) + (weight * one) / most));
  }
  const best = Math.max(...scores);
  return homes.filter((_, place) => (scores[place] ?? 0) > best - 1e-9);
}
