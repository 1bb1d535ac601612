import { seededRandom, type SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { NodeDescription } from '../../src/sandbox/simulatedCluster.js';
import { generateOverrides } from './generateOverrides.js';
import { withSingletons } from './generateSingletons.js';
import { generateTroubles } from './generateTroubles.js';
import { generateWorkloads, namespaces, roughTurnMs } from './generateWorkloads.js';
import type { Night, NightPlaybook, Trouble } from './night.js';
import { turnLabel } from './troubles.js';

const second = 1000;
const minute = 60 * second;

/** The night of this seed: nodes, workloads, playbook and troubles. About one night in five has no trouble at all. */
export function generateNight(seed: number): Night {
  const random = seededRandom(seed);
  const isQuiet = random.chance(0.2);
  const isSet = random.chance(0.2);
  const nodes = generateNodes(random.fork(), isSet);
  const plainWorkloads = generateWorkloads({ nodes, random: random.fork() });
  const plainPlaybook = generatePlaybook({ isQuiet, isSet, random: random.fork() });
  const troubles = isQuiet
    ? []
    : generateTroubles({ nodes, workloads: plainWorkloads, playbook: plainPlaybook, random: random.fork() });
  // Drawn after everything else, so that a seed stays the night that it was but for them.
  const { workloads, playbook } = generateOverrides({
    workloads: plainWorkloads,
    playbook: plainPlaybook,
    random: random.fork(),
  });
  const night = withSingletons({ seed, nodes, workloads, playbook, troubles }, random.fork());
  return withStages(night, random.fork());
}

/** Some nights have more of what happens around the turn: its scripts, one of which may fail, and what nodes carry. */
function withStages(night: Night, random: SeededRandom): Night {
  const { playbook, nodes, troubles } = night;
  const added = random.chance(0.25)
    ? random.pick([['prepare'], ['leave', 'join'], ['leave', 'join'], ['prepare', 'leave', 'join']] as const)
    : [];
  const stages = (['prepare', 'leave', 'update', 'join'] as const).filter((stage) =>
    [...playbook.stages, ...added].includes(stage),
  );
  const duringTurn = {
    annotations: { 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' },
    labels: { [turnLabel]: 'yes' },
  };
  const isMarked = random.chance(0.3);
  const extra: Trouble[] = [];
  const atMs = random.between(0, nodes.length * roughTurnMs(playbook));
  const node = random.pick(nodes).name;
  if (added.length > 0 && troubles.length > 0 && random.chance(0.5)) {
    extra.push({ id: 't7', kind: 'script-fails', node, stage: random.pick(added), changed: random.chance(0.5) });
  }
  if (isMarked && troubles.length > 0 && random.chance(0.4)) {
    extra.push({ id: 't8', kind: 'relabelled', atMs, node, value: random.pick(['mine', null]) });
  }
  const isLabelled = isMarked && random.chance(0.5);
  return {
    ...night,
    nodes: isLabelled ? nodes.map((one) => ({ ...one, labels: { ...one.labels, [turnLabel]: 'no' } })) : nodes,
    playbook: { ...playbook, stages, ...(isMarked ? { duringTurn } : {}) },
    troubles: [...troubles, ...extra],
  };
}

/** A large cluster without any trouble, for figures: about ten pods a node, most of them with a budget. */
export function bigNight(nodes: number): Night {
  const apps = Array.from({ length: Math.ceil(nodes / 2) }, (_, number) => number + 1);
  return {
    seed: nodes,
    nodes: Array.from({ length: nodes }, (_, number) => ({
      name: `node-${number + 1}`,
      zone: zones[number % zones.length] ?? 'a',
    })),
    workloads: [
      ...apps.map((number) => ({
        name: `w${number}`,
        namespace: namespaces[number % namespaces.length] ?? 'shop',
        kind: number % 5 === 0 ? ('StatefulSet' as const) : ('Deployment' as const),
        replicas: number % 5 === 0 ? 3 : 20,
        startMs: 5 * second,
        stopMs: 2 * second,
        ...(number % 3 === 0 ? {} : { budget: { maxUnavailable: number % 5 === 0 ? 1 : '25%' } }),
      })),
      { name: 'agent', namespace: 'shop', kind: 'DaemonSet', replicas: 0, startMs: 2 * second, stopMs: second },
    ],
    playbook: {
      maxUnavailable: 1,
      concurrency: 1,
      stopAfterFailures: 1,
      reboot: 'always',
      stages: ['update'],
      drainTimeoutMs: 15 * minute,
      attempts: 1,
      jobMs: 30 * second,
      bootMs: 40 * second,
    },
    troubles: [],
  };
}

const zones = ['a', 'b', 'c'];

function generateNodes(random: SeededRandom, isSet: boolean): readonly NodeDescription[] {
  const count = random.pick(isSet ? [3, 3, 3, 4, 5] : [2, 2, 2, 2, 3, 3, 3, 4]);
  const zoneCount = random.between(1, Math.min(3, count));
  // Where all but one are tainted, what does not tolerate that is tied to the one.
  const tainted = random.chance(0.25) ? random.between(1, count - 1) : 0;
  return Array.from({ length: count }, (_, number) => ({
    name: `node-${number + 1}`,
    zone: zones[number % zoneCount] ?? 'a',
    ...(number < count - tainted ? {} : { taints: [{ key: 'pool', value: 'gpu', effect: 'NoSchedule' }] }),
  }));
}

function generatePlaybook({
  isQuiet,
  isSet,
  random,
}: {
  readonly isQuiet: boolean;
  /** Several turns may be in work, also more of them than nodes may be out of service. */
  readonly isSet: boolean;
  readonly random: SeededRandom;
}): NightPlaybook {
  const concurrency = isSet ? random.between(2, 3) : 1;
  const stages: NightPlaybook['stages'] = [
    ...(random.chance(0.15) ? (['prepare'] as const) : []),
    ...(random.chance(0.15) ? (['leave'] as const) : []),
    ...(random.chance(0.85) ? (['update'] as const) : []),
    ...(random.chance(0.15) ? (['join'] as const) : []),
  ];
  const reboot = random.pick(['required', 'required', 'always', 'always', 'never'] as const);
  return {
    maxUnavailable: isSet ? random.between(1, concurrency + 1) : random.pick([1, 1, 1, 2]),
    concurrency,
    stopAfterFailures: random.pick([1, 1, 2, 3]),
    // Only the update script answers whether a reboot is required.
    reboot: reboot === 'required' && !stages.includes('update') ? 'always' : reboot,
    stages,
    drainTimeoutMs: isQuiet ? 20 * minute : random.pick([minute, 3 * minute, 15 * minute, 15 * minute]),
    attempts: random.between(1, 3),
    jobMs: random.between(1, random.pick([5, 5, 5, 60])) * second,
    bootMs: random.between(3, random.pick([10, 10, 10, 120])) * second,
    steer: random.chance(0.5),
  };
}
