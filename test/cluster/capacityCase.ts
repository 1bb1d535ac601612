import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { Deployment, Node, PodSpec } from './objects.js';
import { deployment, type WorkloadOptions } from './workloads.js';

/** Nodes of one case; the pods of a case stay among them. */
export const nodesOfCase = 4;

const label = 'capacity-case';

/** Gives the node to a case, and makes it a small one. */
export function nodeOfCase(node: Node, number: number, random: SeededRandom): void {
  const resources = {
    cpu: String(random.between(6, 10)),
    memory: `${String(random.between(8, 16))}Gi`,
    pods: String(random.between(6, 20)),
    'ephemeral-storage': '500Gi',
  };
  Object.assign(node.status, { capacity: resources, allocatable: resources });
  Object.assign(node.metadata.labels ?? {}, {
    [label]: `case-${String(Math.floor((number - 1) / nodesOfCase))}`,
    disk: random.chance(0.6) ? 'ssd' : 'hdd',
  });
}

/** Workloads that nearly fill the nodes of a case, with demands of all kinds. */
export function randomWorkloads(
  random: SeededRandom,
  { round, number }: { round: number; number: number },
): Deployment[] {
  const prefix = `r${String(round)}c${String(number)}`;
  return Array.from({ length: random.between(3, 6) }, (_, index) => {
    const name = `${prefix}-${String.fromCharCode(97 + index)}`;
    const demand = demandOf(random, { earlier: `${prefix}-a`, port: 8000 + index });
    return deployment({
      ...demand,
      name,
      replicas: random.between(1, 5),
      labels: { [label]: `case-${String(number)}`, round: String(round) },
      nodeSelector: { [label]: `case-${String(number)}`, ...demand.nodeSelector },
      startMs: 10,
      stopMs: 10,
      podSpec: { ...sizeOf(random), ...demand.podSpec },
    });
  });
}

type Demand = Pick<WorkloadOptions, 'onePerNode' | 'nodeSelector' | 'spread' | 'hostPort' | 'podSpec'>;

function demandOf(random: SeededRandom, { earlier, port }: { earlier: string; port: number }): Demand {
  const draw = random.next();
  if (draw < 0.5) return {};
  if (draw < 0.62) return { onePerNode: true };
  if (draw < 0.74) return { nodeSelector: { disk: 'ssd' } };
  if (draw < 0.84) return { spread: { over: random.pick(['zone', 'node'] as const), mode: 'require' } };
  if (draw < 0.92) return { spread: { over: 'node', mode: 'prefer' } };
  const topologyKey = random.pick(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
  const beside = { labelSelector: { matchLabels: { app: earlier } }, topologyKey };
  return random.chance(0.5)
    ? { podSpec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [beside] } } } }
    : { podSpec: { hostNetwork: true, containers: [{ ...container('500m', '256Mi'), ports: [hostPort(port)] }] } };
}

function hostPort(port: number): { containerPort: number; hostPort: number } {
  return { containerPort: port, hostPort: port };
}

function sizeOf(random: SeededRandom): Partial<PodSpec> {
  const cpu = random.pick(['250m', '500m', '1', '1500m', '2', '3']);
  const memory = random.pick(['128Mi', '512Mi', '1Gi', '2Gi', '4Gi']);
  const containers = [container(cpu, memory)];
  if (!random.chance(0.25)) return { containers };
  const initContainers = [
    { ...container('250m', '64Mi'), name: 'sidecar', restartPolicy: 'Always' },
    { ...container(random.pick(['1', '2500m']), '64Mi'), name: 'prepare' },
  ];
  return { containers, initContainers };
}

function container(cpu: string, memory: string) {
  return { name: 'main', image: 'registry.example/app:1', resources: { requests: { cpu, memory } } };
}
