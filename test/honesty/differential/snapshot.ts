import type { Condition, Node, Pod, PodDisruptionBudget } from '../../cluster/objects.js';
import { isTrue } from '../../cluster/objects.js';
import { waitFor } from '../../cluster/waitFor.js';
import { podsOf, stateOf, unready } from './lane.js';
import type { Lane } from './lane.js';
import type { WorkloadPlan } from './sequence.js';

/** What two clusters must agree on once nothing moves any more: lines of text, the same in every cluster. */
export type Snapshot = readonly string[];

/** How often the same must have been seen, one look after the other. */
const looks = 3;

/** Waits until nothing is under way in the lane, and answers how it is then. */
export async function quietSnapshot(lane: Lane, workloads: readonly WorkloadPlan[]): Promise<Snapshot> {
  let last = '';
  let same = 0;
  let moving: readonly string[] = [];
  return await waitFor({
    what: `quiet in ${lane.namespace} of the ${lane.side.name}`,
    timeoutMs: 60_000,
    intervalMs: 180,
    probe: async () => {
      const seen = await look(lane, workloads);
      moving = seen.moving;
      const text = seen.lines.join('\n');
      same = moving.length === 0 && text === last ? same + 1 : 1;
      last = text;
      return same >= looks ? seen.lines : undefined;
    },
  }).catch((cause: unknown) => {
    throw new Error(`${cause instanceof Error ? cause.message : ''}: ${moving.join('; ')}\n${last}`, { cause });
  });
}

/** How it is now, and what must still come. */
async function look(lane: Lane, workloads: readonly WorkloadPlan[]): Promise<{ lines: Snapshot; moving: string[] }> {
  const moving: string[] = [];
  const lines: string[] = [];
  const [nodes, allPods, allBudgets] = await Promise.all([
    lane.side.api.list({ kind: 'Node' }),
    podsOf(lane),
    budgets(lane),
  ]);
  for (const [number, name] of lane.nodes.entries()) {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    if (node === undefined) throw new Error(`node ${name} is not there`);
    const isTainted = taintsOf(node).some((taint) => taint.includes('unschedulable'));
    if ((node.spec.unschedulable ?? false) !== isTainted) moving.push(`taint of ${name}`);
    lines.push(nodeLine(node, number));
  }
  for (const plan of workloads) {
    const pods = allPods.filter(({ metadata }) => metadata.labels?.['app'] === plan.name);
    const states = pods.map((pod) => {
      const state = stateOf(pod);
      if (state === 'ending' || (!plan.neverReady && (state === 'starting' || becomesReady(pod, nodes)))) {
        moving.push(`pod ${pod.metadata.name} is ${state}`);
      }
      const place = plan.place === 'anywhere' ? '' : ` on ${placeOf(lane, pod.spec.nodeName)}`;
      const name = plan.kind === 'StatefulSet' ? `${pod.metadata.name} ` : '';
      return `${name}${state}${pod.spec.nodeName === undefined ? '' : place}`;
    });
    lines.push(`pods of ${plan.name}: ${states.sort().join(', ')}`);
    const status = await statusLine(lane, plan, moving);
    if (status !== undefined) lines.push(status);
  }
  for (const budget of allBudgets) lines.push(budgetLine(budget, moving));
  return { lines, moving };
}

/** Runs on a node that is Ready, and nothing holds it back: after a boot the pods come one by one. */
function becomesReady(pod: Pod, nodes: readonly Node[]): boolean {
  const node = nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName);
  const isHeldBack = pod.metadata.annotations?.[unready] !== undefined;
  return stateOf(pod) === 'unready' && !isHeldBack && node !== undefined && isTrue(node, 'Ready');
}

function nodeLine(node: Node, number: number): string {
  const cordon = node.spec.unschedulable === true ? 'cordoned' : 'open';
  return `node ${String(number)}: ${cordon}, Ready ${String(isTrue(node, 'Ready'))}, taints ${taintsOf(node).join(' ')}`;
}

function taintsOf(node: Node): string[] {
  return (node.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();
}

function placeOf({ nodes }: Lane, name: string | undefined): string {
  return String(nodes.indexOf(name ?? ''));
}

async function statusLine(
  { side, namespace }: Lane,
  { kind, name }: WorkloadPlan,
  moving: string[],
): Promise<string | undefined> {
  if (kind === 'Pod') return undefined;
  const object = await side.api.get({ kind, namespace, name });
  const { metadata, status = {} } = object;
  if (kind !== 'Job' && fieldOf(status, 'observedGeneration') !== metadata.generation) moving.push(`status of ${name}`);
  const fields = {
    Deployment: ['replicas', 'readyReplicas', 'updatedReplicas', 'unavailableReplicas'],
    StatefulSet: ['replicas', 'readyReplicas'],
    DaemonSet: ['desiredNumberScheduled', 'currentNumberScheduled', 'numberReady'],
    Job: ['active', 'ready', 'succeeded', 'failed'],
  }[kind];
  const numbers = fields.map((field) => `${field} ${JSON.stringify(fieldOf(status, field) ?? 0)}`);
  const revision = metadata.annotations?.['deployment.kubernetes.io/revision'];
  if (revision !== undefined) numbers.push(`revision ${revision}`);
  const conditions = kind === 'Job' ? endsOf(status) : [];
  return [`${kind} ${name}: generation ${String(metadata.generation)}`, ...numbers, ...conditions].join(', ');
}

function endsOf(status: { conditions?: Condition[] } | object): string[] {
  const conditions = 'conditions' in status ? (status.conditions ?? []) : [];
  const ends = conditions.filter(({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True');
  return ends.map(({ type }) => type);
}

function fieldOf(object: object, field: string): unknown {
  return new Map<string, unknown>(Object.entries(object)).get(field);
}

async function budgets({ side, namespace }: Lane): Promise<PodDisruptionBudget[]> {
  const found = await side.api.list({ kind: 'PodDisruptionBudget', namespace });
  return found.sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}

function budgetLine({ metadata, status }: PodDisruptionBudget, moving: string[]): string {
  const condition = (status as { conditions?: Condition[] } | undefined)?.conditions?.find(
    ({ type }) => type === 'DisruptionAllowed',
  );
  const isFailed = condition?.reason === 'SyncFailed';
  if (!isFailed && status?.observedGeneration !== metadata.generation) moving.push(`status of budget ${metadata.name}`);
  const numbers = (['expectedPods', 'currentHealthy', 'desiredHealthy', 'disruptionsAllowed'] as const).map(
    (field) => `${field} ${String(status?.[field] ?? 0)}`,
  );
  const disrupted = Object.keys(status?.disruptedPods ?? {}).length;
  const parts = [...numbers, `disrupted ${String(disrupted)}`, `${condition?.status ?? ''} ${condition?.reason ?? ''}`];
  return `budget ${metadata.name}: ${parts.join(', ')}`;
}
