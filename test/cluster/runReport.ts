import { expect } from 'vitest';
import type { AuditEntry } from './auditLog.js';
import type { Cluster } from './cluster.js';
import type { OtherObject } from './objects.js';
import type { CommandResult } from './runCommand.js';
import { runTurnus } from './turnus.js';
import { waitFor } from './waitFor.js';

/** Namespace of the objects of Turnus where nobody chose another. */
export const systemNamespace = 'turnus-system';

/** Whatever has an API to read from. */
type Reported = Pick<Cluster, 'api'>;

/** As much of a NodeTurn's status as tests read. */
export interface TurnReport {
  node: string;
  phase: string;
  message?: string;
  actor?: string;
  attempts?: number;
  /** Every step that was begun, in this order. */
  steps?: { phase: string; startedAt: string; finishedAt?: string }[];
  evictions?: number;
  displaced?: { owner: string; readyBefore: number }[];
  cordoned?: boolean;
  bootIdBefore?: string;
  bootIdAfter?: string;
  rebootRequestedAt?: string;
  waitingFor?: { what: string; since: string; until?: string; who?: string };
  jobs?: Record<string, JobReport>;
  failure?: { code: string; phase: string; node: string; host: string; who: string; next: string[] };
  findings?: { code: string; severity: string; objects?: string[]; message: string; hint?: string }[];
}

/** As much of the record of a job as tests read. */
export interface JobReport {
  execution: number;
  state?: string;
  exitCode?: number;
  changed?: string;
  reboot?: string;
  outputTail?: string;
  rebootedUnasked?: boolean;
  vouchedBy?: string;
}

/** As much of a MaintenanceRun as tests read. */
export interface RunReport {
  name: string;
  uid: string;
  finalizers: string[];
  spec: {
    requester: string;
    rehearsal: boolean;
    planHash: string;
    change?: string;
    reason?: string;
    replaces?: string;
    desired?: { overrides?: { what: string; by: string; reason: string; time: string }[] };
  };
  status: {
    phase: string;
    counts?: { total: number; done: number; failed: number; blocked: number; left: number; skipped?: number };
    order?: string[];
    journal?: { seq: number; head: string };
    message?: string;
    waitingFor?: { what: string; since: string; until?: string; who?: string };
    handledRequests?: { id: string; result: string; time: string }[];
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
}

/** Installs Turnus with the testbed's admin; returns when its objects can be listed. */
export async function installTurnus(cluster: Cluster, args: string[] = []): Promise<void> {
  expectExit(await runTurnus(['install', ...args], { kubeconfig: cluster.kubeconfigPath }), 0);
  for (const kind of ['MaintenanceRun', 'NodeTurn', 'Playbook'] as const) {
    // The API server answers 429, "storage is (re)initializing", for a moment after a CRD was established.
    await waitFor({ what: `${kind}s to be served`, probe: () => cluster.api.list({ kind }) });
  }
}

/** The exit code, with what was said where it is another one. */
export function expectExit(result: CommandResult, exitCode: number): void {
  expect(result.exitCode, `stdout:\n${result.stdout}\nstderr:\n${result.stderr}`).toBe(exitCode);
}

/** All runs, as the API server has them. */
export async function runs(cluster: Reported): Promise<RunReport[]> {
  return (await cluster.api.list({ kind: 'MaintenanceRun', namespace: systemNamespace })).map((object) => ({
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    finalizers: object.metadata.finalizers ?? [],
    ...(fieldsOf(object) as Pick<RunReport, 'spec' | 'status'>),
  }));
}

/** The only run of a playbook that no other has superseded. */
export async function runOf(cluster: Reported, playbook = 'monthly'): Promise<RunReport> {
  const found = (await runs(cluster)).filter(
    ({ name, status }) => name.startsWith(`${playbook}-`) && status.phase !== 'Superseded',
  );
  const [run] = found;
  expect(found.map(({ name }) => name)).toHaveLength(1);
  if (run === undefined) throw new Error(`no run of ${playbook}`);
  return run;
}

/** The turns of the only run of a playbook, in the order of the run. */
export async function turnsOf(cluster: Reported, playbook = 'monthly'): Promise<TurnReport[]> {
  const run = await runOf(cluster, playbook);
  const listed = await cluster.api.list({
    kind: 'NodeTurn',
    namespace: systemNamespace,
    labelSelector: `turnus.dev/run=${run.name}`,
  });
  const turns = listed.map((object): TurnReport => {
    const { spec, status } = fieldsOf(object) as { spec: { node: string }; status: Omit<TurnReport, 'node'> };
    return { ...status, node: spec.node };
  });
  const order = run.status.order ?? [];
  return turns.sort((one, other) => order.indexOf(one.node) - order.indexOf(other.node));
}

/** `node phase` of each turn. */
export async function phasesOf(cluster: Reported, playbook = 'monthly'): Promise<string[]> {
  return (await turnsOf(cluster, playbook)).map(({ node, phase }) => `${node} ${phase}`);
}

/** Waits until the turn of a node is as `check` wants it. */
export async function untilTurn(
  wait: { cluster: Reported; playbook?: string; node: string; what: string; timeoutMs?: number },
  check: (turn: TurnReport) => boolean,
): Promise<TurnReport> {
  const { cluster, playbook = 'monthly', node, what, timeoutMs = 60_000 } = wait;
  return await waitFor({
    what: `the turn of ${node}: ${what}`,
    timeoutMs,
    intervalMs: 20,
    probe: async () => (await turnsOf(cluster, playbook)).find((turn) => turn.node === node && check(turn)),
  });
}

/** What Turnus (no other client) asked of the API server. */
export async function turnusRequests(cluster: Cluster): Promise<AuditEntry[]> {
  return (await cluster.auditLog()).filter(({ userAgent }) => userAgent.startsWith('turnus/'));
}

/** Reviews ask what one may do, or who one is; they store nothing. */
const reviews = ['selfsubjectaccessreviews', 'selfsubjectreviews'];

/** The requests of Turnus that changed something or tried to. */
export async function turnusWrites(cluster: Cluster): Promise<AuditEntry[]> {
  return (await turnusRequests(cluster)).filter(
    ({ verb, resource, dryRun }) => !['get', 'list', 'watch'].includes(verb) && !reviews.includes(resource) && !dryRun,
  );
}

/** The evictions that the API server accepted from Turnus, as `namespace/pod`, oldest first. */
export async function evictions(cluster: Cluster): Promise<{ pod: string; time: Date }[]> {
  return (await turnusRequests(cluster))
    .filter(({ verb, subresource, code }) => verb === 'create' && subresource === 'eviction' && code === 201)
    .map(({ namespace, name, time }) => ({ pod: `${namespace}/${name}`, time }));
}

/** The nodes carry nothing of Turnus but the mark of their last turn, and are schedulable; no lease is held. */
export async function expectNoMarks(cluster: Reported, options: { lastTurn: string[] }): Promise<void> {
  const nodes = await cluster.api.list({ kind: 'Node' });
  const ours = (keys: Record<string, string> = {}): string[] =>
    Object.keys(keys).filter((key) => key.includes('turnus') && !key.startsWith('sandbox.turnus.dev/'));
  const marks = nodes.map(({ metadata, spec }) => ({
    node: metadata.name,
    annotations: ours(metadata.annotations),
    labels: ours(metadata.labels),
    // That of a boot is taken off by its controller, a moment after the node is Ready.
    taints: (spec.taints ?? []).filter(({ key }) => key !== 'node.kubernetes.io/not-ready'),
    unschedulable: spec.unschedulable ?? false,
  }));
  expect(marks).toEqual(
    nodes.map(({ metadata: { name } }) => ({
      node: name,
      annotations: options.lastTurn.includes(name) ? ['turnus.dev/last-turn'] : [],
      labels: [],
      taints: [],
      unschedulable: false,
    })),
  );
  const lease = await cluster.api.find({ kind: 'Lease', namespace: systemNamespace, name: 'turnus' });
  expect(lease?.spec.holderIdentity ?? '').toBe('');
  expect((await runs(cluster)).flatMap(({ finalizers }) => finalizers)).toEqual([]);
}

function fieldsOf({ spec = {}, status = { phase: 'Pending' } }: OtherObject): { spec: unknown; status: unknown } {
  return { spec, status };
}
