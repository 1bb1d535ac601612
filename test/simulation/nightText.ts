import type { Night, NightWorkload, Trouble } from './night.js';

/** A night for people: nodes, workloads, playbook and troubles, one a line. */
export function nightText({ seed, nodes, workloads, playbook, troubles }: Night): readonly string[] {
  return [
    `night of seed ${seed}`,
    ...nodes.map(({ name, zone, taints = [] }) => {
      const tainted = taints.map(({ key, effect }) => `, taint ${key}:${effect}`).join('');
      return `  ${name}${zone === undefined ? '' : `, zone ${zone}`}${tainted}`;
    }),
    ...workloads.map((workload) => `  ${workloadText(workload)}`),
    `  playbook: ${members(playbook)}`,
    ...(troubles.length === 0 ? ['  no trouble'] : troubles.map((trouble) => `  ${troubleText(trouble)}`)),
  ];
}

/** A workload on one line. */
export function workloadText({ name, namespace, kind, replicas, budget, ...rest }: NightWorkload): string {
  const count = kind === 'Deployment' || kind === 'StatefulSet' ? ` x${replicas}` : '';
  const limits = budget === undefined ? '' : `, budget ${members(budget)}`;
  return `${name}: ${kind} ${namespace}/${name}${count}, ${members(rest)}${limits}`;
}

function troubleText({ id, kind, ...rest }: Trouble): string {
  return `${id}: ${kind} ${members(rest)}`;
}

/** The members of a record on one line. */
export function members(record: object): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${valueText(name, value)}`)
    .join(', ');
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && name.endsWith('Ms')) return timeText(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `1:02.500` for minutes, seconds and milliseconds. */
export function timeText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = String(Math.round(milliseconds % 1000)).padStart(3, '0');
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.${rest}`;
}
