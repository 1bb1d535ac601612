import type { ApiObject } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, recordsOf, stringOf, type JsonRecord } from '../../cluster/json.js';

/** What `kubectl get` says in one word, or a few, of nodes, pods, jobs and events (pkg/printers/internalversion/printers.go). */
export function nodeStatusOf(node: ApiObject): string {
  const ready = conditionOf(node, 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready === 'True' ? 'Ready' : 'NotReady'];
  if (recordOf(node['spec'])['unschedulable'] === true) words.push('SchedulingDisabled');
  return words.join(',');
}

export function nodeRolesOf({ metadata }: ApiObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([label, value]) => {
    if (label.startsWith(prefix)) return [label.slice(prefix.length)];
    return label === 'kubernetes.io/role' ? [value] : [];
  });
  return (
    roles
      .filter((role) => role !== '')
      .sort()
      .join(',') || '<none>'
  );
}

export function podStatusOf(pod: ApiObject): string {
  const status = recordOf(pod['status']);
  const phase = stringOf(status['phase']) ?? '';
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  if (pod.metadata.deletionTimestamp !== undefined && !isOver) return 'Terminating';
  const states = containersOf(pod).map(({ state }) => recordOf(state));
  const waiting = states.map((state) => stringOf(recordOf(state['waiting'])['reason'])).find(isSaid);
  const ended = states.map((state) => stringOf(recordOf(state['terminated'])['reason'])).find(isSaid);
  return waiting ?? ended ?? stringOf(status['reason']) ?? phase;
}

/** How many containers are ready, and how often they were started again. */
export function podContainersOf(pod: ApiObject): { readonly ready: string; readonly restarts: string } {
  const containers = containersOf(pod);
  const wanted = recordsOf(recordOf(pod['spec'])['containers']).length;
  const restarts = containers.reduce((sum, container) => sum + (numberOf(container['restartCount']) ?? 0), 0);
  return { ready: `${containers.filter(isReady).length}/${wanted}`, restarts: String(restarts) };
}

export function jobStatusOf(job: ApiObject): string {
  const word = ['Complete', 'Failed', 'Suspended'].find((type) => conditionOf(job, type) === 'True');
  return word ?? (job.metadata.deletionTimestamp === undefined ? 'Running' : 'Terminating');
}

export function involvedObjectOf(event: ApiObject): string {
  const object = recordOf(event['involvedObject'] ?? event['regarding']);
  return `${(stringOf(object['kind']) ?? '').toLowerCase()}/${stringOf(object['name']) ?? ''}`;
}

function conditionOf(object: ApiObject, type: string): string | undefined {
  const conditions = recordsOf(recordOf(object['status'])['conditions']);
  return stringOf(conditions.find((condition) => condition['type'] === type)?.['status']);
}

function containersOf(pod: ApiObject): readonly JsonRecord[] {
  return recordsOf(recordOf(pod['status'])['containerStatuses']);
}

function isReady(container: JsonRecord): boolean {
  return container['ready'] === true;
}

function isSaid(reason: string | undefined): boolean {
  return reason !== undefined && reason !== '';
}
