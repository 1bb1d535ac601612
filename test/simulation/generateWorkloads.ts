import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { NodeDescription } from '../../src/sandbox/simulatedCluster.js';
import type { NightWorkload } from './night.js';

const second = 1000;
const minute = 60 * second;

export const namespaces: readonly string[] = ['shop', 'bank', 'data'];

interface Place {
  readonly nodes: readonly NodeDescription[];
  readonly random: SeededRandom;
}

/** One to seven workloads of every kind. */
export function generateWorkloads({ nodes, random }: Place): readonly NightWorkload[] {
  const count = random.between(1, 7);
  return Array.from({ length: count }, (_, number) => generateWorkload(`w${number + 1}`, { nodes, random }));
}

function generateWorkload(name: string, { nodes, random }: Place): NightWorkload {
  const kind = random.pick([
    ...(['Deployment', 'Deployment', 'Deployment', 'Deployment'] as const),
    ...(['StatefulSet', 'StatefulSet', 'DaemonSet', 'Job', 'Pod'] as const),
  ]);
  const common = {
    name,
    namespace: random.pick(namespaces),
    kind,
    // Rarely long: of a minute in which nothing happens nothing is learned.
    startMs: random.between(1, random.pick([6, 6, 6, 60])) * second,
    stopMs: random.between(1, random.pick([3, 3, 3, 40])) * second,
    ...(random.chance(0.1) ? { tolerates: true } : {}),
  };
  switch (kind) {
    case 'DaemonSet':
      return { ...common, replicas: 0 };
    case 'Pod':
      return { ...common, replicas: 1 };
    case 'Job':
      return { ...common, replicas: 1, runForMs: random.between(10, random.pick([60, 60, 900])) * second };
    case 'Deployment':
    case 'StatefulSet': {
      const replicas = random.pick([1, 2, 2, 3, 3, 4, 5, 6]);
      return { ...common, replicas, ...bonds({ kind, replicas, nodes, random }), ...budgetFor(replicas, random) };
    }
  }
}

/** What keeps its pods to some nodes, or apart. */
function bonds({
  kind,
  replicas,
  nodes,
  random,
}: Place & { readonly kind: string; readonly replicas: number }): Partial<NightWorkload> {
  const zone = random.pick(nodes).zone;
  const isInZone = random.chance(0.15);
  const isApart = random.chance(0.15);
  const hasDisks = kind === 'StatefulSet' && random.chance(0.25);
  return {
    // In a zone of one node its replicas gather there.
    ...(isInZone && zone !== undefined ? { zone } : {}),
    // Two that share the node of their disks and may not be there together take each other's place.
    ...(isApart && !(hasDisks && replicas > nodes.length) ? { apart: true } : {}),
    ...(hasDisks ? { localDisk: true } : {}),
  };
}

function budgetFor(replicas: number, random: SeededRandom): Partial<NightWorkload> {
  if (random.chance(0.45)) return {};
  const policy = random.chance(0.2) ? { unhealthyPodEvictionPolicy: 'AlwaysAllow' as const } : {};
  if (random.chance(0.12)) {
    const never = random.pick([{ maxUnavailable: 0 }, { minAvailable: '100%' }, { minAvailable: replicas }]);
    return { budget: { ...never, ...policy } };
  }
  const budget = random.pick([
    { maxUnavailable: 1 },
    { maxUnavailable: 1 },
    { maxUnavailable: random.between(1, 2) },
    { maxUnavailable: random.pick(['10%', '25%', '34%', '50%']) },
    { minAvailable: random.between(1, Math.max(1, replicas - 1)) },
    { minAvailable: random.pick(['30%', '50%', '75%', '90%']) },
  ]);
  return { budget: { ...budget, ...policy } };
}

/** How long a turn may take, about: troubles are spread over that. */
export function roughTurnMs({ jobMs, bootMs }: { readonly jobMs: number; readonly bootMs: number }): number {
  return minute + jobMs + bootMs;
}
