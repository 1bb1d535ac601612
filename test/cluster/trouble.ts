import { expect } from 'vitest';
import { expectEnd } from './attempts.js';
import type { Attempts } from './attempts.js';
import type { Cluster } from './cluster.js';
import type { Host } from './hosts/host.js';
import type { Hosts } from './hosts/startHosts.js';
import { writePlaybook } from './playbook.js';
import type { PlaybookOptions } from './playbook.js';
import { evictions, expectExit, phasesOf, runOf, turnsOf, turnusWrites } from './runReport.js';
import type { RunReport, TurnReport } from './runReport.js';
import { runTurnus } from './turnus.js';
import type { RunningTurnus } from './turnus.js';

/** A run over two nodes, each with a host that was not touched before; the turn of the first goes wrong. */
export interface Trouble {
  readonly host: Host;
  /** `turnus run -f PLAYBOOK --yes` */
  start(): RunningTurnus;
  run(): Promise<RunReport>;
  /** The turn of the node that has the trouble. */
  turn(): Promise<TurnReport>;
  /** Waits for exit code 4, and looks at all that a failed turn must leave behind. */
  expectFailed(turnus: RunningTurnus, left: LeftBehind): Promise<void>;
  /** `turnus retry RUN NODE ARGS` */
  retry(args?: string[]): Promise<void>;
  /** Starts the run again: both turns must end Done, with so many updates and boots of the first host in all. */
  expectFinished(host: { updates: number; boots: number }): Promise<void>;
}

/** What a failed turn must leave behind. */
export interface LeftBehind {
  code: string;
  /** The step that failed. */
  phase: string;
  node: 'cordoned' | 'in-service';
  host: 'touched' | 'untouched';
  /** Stands in the message of the turn and on the screen. */
  says: RegExp;
  /** Of the host until then. */
  boots: number;
}

interface TroubleOptions extends Pick<PlaybookOptions, 'script' | 'spec'> {
  /** Of the playbook. */
  name: string;
  /** In the order of their turns. */
  nodes: [string, string];
}

/** Writes the playbook for {@link Trouble}; nothing is started. */
export async function troubleOn(
  place: { cluster: Cluster; hosts: Hosts; attempts: Attempts },
  options: TroubleOptions,
): Promise<Trouble> {
  const { cluster, hosts, attempts } = place;
  const { name, nodes, script, spec = {} } = options;
  const [node, later] = nodes;
  const playbook = await writePlaybook({
    cluster,
    hosts,
    name,
    nodes,
    ...(script === undefined ? {} : { script }),
    spec: { settle: { time: '200ms', timeout: '30s' }, ...spec },
  });
  const host = hosts.host(node);
  const podsOfLater = await podsOn(cluster, later);
  expect(podsOfLater.length).toBeGreaterThan(0);

  const turn = async (): Promise<TurnReport> => {
    const found = (await turnsOf(cluster, name)).find((candidate) => candidate.node === node);
    if (found === undefined) throw new Error(`no turn of ${node} in the run of ${name}`);
    return found;
  };

  return {
    host,
    start: () => attempts.start(playbook),
    run: () => runOf(cluster, name),
    turn,

    async expectFailed(turnus, left) {
      await expectEnd(turnus, 4);
      expect(await phasesOf(cluster, name)).toEqual([`${node} Failed`, `${later} Pending`]);
      const run = await runOf(cluster, name);
      expect(run.status).toMatchObject({ phase: 'Failed', counts: { total: 2, done: 0, failed: 1, left: 1 } });
      expect(run.finalizers).toEqual([]);
      const failed = await turn();
      const retry = `turnus retry ${run.name} ${node}`;
      expect(failed.message).toMatch(left.says);
      expect(failed.failure).toMatchObject({ code: left.code, phase: left.phase, node: left.node, host: left.host });
      expect(failed.failure?.next.join('\n')).toContain(retry);
      expect(turnus.stderr()).toMatch(left.says);
      expect(turnus.stderr()).toContain(retry);
      expect(await cordonOf(cluster, node)).toEqual(
        left.node === 'cordoned' ? { unschedulable: true, mark: run.name } : {},
      );
      expect(await host.counter('updates')).toBe(1);
      expect(host.bootIds).toHaveLength(left.boots);
      await expectUntouched(place, { node: later, pods: podsOfLater });
    },

    async retry(args = []) {
      const { name: run } = await runOf(cluster, name);
      const result = await runTurnus(['retry', run, node, ...args], { kubeconfig: cluster.kubeconfigPath });
      expectExit(result, 0);
    },

    async expectFinished({ updates, boots }) {
      await expectEnd(attempts.start(playbook), 0);
      expect(await phasesOf(cluster, name)).toEqual([`${node} Done`, `${later} Done`]);
      expect((await runOf(cluster, name)).status.phase).toBe('Completed');
      expect(await host.counter('updates')).toBe(updates);
      expect(host.bootIds).toHaveLength(boots);
      expect(await hosts.host(later).counter('updates')).toBe(1);
      expect(hosts.host(later).bootIds).toHaveLength(2);
      for (const either of nodes) expect(await cordonOf(cluster, either)).toEqual({});
    },
  };
}

/** How the node is cordoned: undefined where it is not. */
export async function cordonOf(
  cluster: Cluster,
  name: string,
): Promise<{ unschedulable?: boolean; mark?: string | undefined }> {
  const { spec, metadata } = await cluster.api.get({ kind: 'Node', name });
  const mark = metadata.annotations?.['turnus.dev/cordoned-by'];
  return {
    ...(spec.unschedulable === undefined ? {} : { unschedulable: spec.unschedulable }),
    ...(mark === undefined ? {} : { mark }),
  };
}

/** `namespace/pod` of each pod on the node that is no DaemonSet's. */
export async function podsOn(cluster: Cluster, node: string): Promise<string[]> {
  const pods = await cluster.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
  return pods
    .filter(({ metadata }) => !(metadata.ownerReferences ?? []).some(({ kind }) => kind === 'DaemonSet'))
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
}

/** Turnus has written nothing to the node, evicted none of these pods of it, and run nothing on its host. */
export async function expectUntouched(
  { cluster, hosts }: { cluster: Cluster; hosts: Hosts },
  { node, pods }: { node: string; pods: string[] },
): Promise<void> {
  const writes = (await turnusWrites(cluster)).filter(({ resource, name }) => resource === 'nodes' && name === node);
  expect(writes).toEqual([]);
  expect((await evictions(cluster)).filter(({ pod }) => pods.includes(pod))).toEqual([]);
  expect(await podsOn(cluster, node)).toEqual(expect.arrayContaining(pods));
  expect(await cordonOf(cluster, node)).toEqual({});
  expect(await hosts.host(node).counter('updates')).toBe(0);
  expect(hosts.host(node).bootIds).toHaveLength(1);
}
