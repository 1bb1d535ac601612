import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startCluster, type Cluster } from '../cluster/cluster.js';
import { startHosts, type Hosts } from '../cluster/hosts/startHosts.js';
import { writePlaybook } from '../cluster/playbook.js';
import { startReadyWatcher, type ReadyWatcher } from '../cluster/readyWatcher.js';
import { evictions, expectExit, installTurnus, phasesOf, runOf, turnsOf } from '../cluster/runReport.js';
import { signallingOn } from '../cluster/signalling.js';
import { runTurnus, startTurnus, type RunningTurnus } from '../cluster/turnus.js';
import { waitFor } from '../cluster/waitFor.js';
import { createReady } from '../cluster/waitForReady.js';
import { daemonSet, deployment, disruptionBudget } from '../cluster/workloads.js';

import type { UserName } from '../cluster/accounts.js';
import type { SignalAfterEntry } from '../cluster/signalAfterEntry.js';

/** The scripts of a turn, in their order. */
export const stages = ['prepare', 'leave', 'update', 'join'] as const;

const web = deployment({ name: 'web', replicas: 6, spread: { over: 'node', mode: 'prefer' } });

/**
 * What may be otherwise in the end: a machine that lost its power may not have come to its script, and boots once more;
 * one that a person had to mend may have booted once more; and what a superseded run prepared ahead is prepared anew.
 */
export type Exception = 'after a power cut' | 'after a repair' | 'after superseding';

/** A cluster on which one turn after another is disturbed, each in a run of its own. */
export interface Scene {
  readonly cluster: Cluster;
  readonly hosts: Hosts;
  /** A playbook for one node with a script in every stage that counts itself on the host; nothing is started. */
  newCase(change?: CaseChange): Promise<FaultCase>;
  stop(): Promise<void>;
}

export interface CaseChange {
  /** All nodes that the scene has for them in one run, one after the other; else the next of them. */
  readonly nodes?: 'all';
  /** What becomes of workloads with one replica; `allow`. */
  readonly singletons?: 'surge';
  /** Fields of `spec.host.ssh` for this node. */
  readonly ssh?: (node: string, name: string) => Promise<Record<string, unknown>>;
  /** Commands of every script between its count and its answer. */
  readonly script?: (name: string) => string;
  /** What a script says besides, as lines of `$TURNUS_RESULT`. */
  readonly says?: readonly string[];
  /** How long the reboot, and then the checks of health, may take. */
  readonly afterRebootTimeout?: string;
  /** By which the API server is reached. */
  readonly kubeconfig?: string;
}

export interface FaultCase {
  /** Of the playbook. */
  readonly name: string;
  /** The first of its nodes. */
  readonly node: string;
  readonly journal: string;
  /** `turnus run ARGS`; with `after` it gets a signal right after the journal entry in whose line all these texts stand. */
  start(options?: {
    readonly after?: SignalAfterEntry;
    readonly user?: UserName;
    readonly args?: readonly string[];
  }): Promise<RunningTurnus>;
  /** The entries so far. */
  journalLines(): Promise<readonly string[]>;
  /** Waits until the run is there. */
  runUid(): Promise<string>;
  /**
   * What must hold at the end, whatever was broken: the node had its turn, every script ran once and the host booted
   * once, by what the host says; no pod was evicted twice, no more than one node was out, nobody else's cordon was
   * touched, by what the API server says; and it is one run, whose journal verifies to its end.
   */
  expectDone(exception?: Exception): Promise<void>;
}

export interface SceneOptions {
  /** Also a Deployment of one replica, which Turnus may restart. */
  readonly singletons?: true;
  /** Each case takes the next of so many nodes; 3. */
  readonly nodes?: number;
}

export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const nodes = Array.from({ length: options.nodes ?? 3 }, (_, index) => `node-${String(index + 1)}`);
  const foreignNode = `node-${String(nodes.length + 1)}`;
  const cluster = await startCluster({ nodes: nodes.length + 1, zones: 1 });
  const hosts = await startHosts({ cluster, bootDelayMs: 500 });
  // Not on the node that no turn empties.
  const single = deployment({ name: 'single', replicas: 1, startMs: 500, nodes });
  await installTurnus(cluster, options.singletons === true ? ['--with', 'surge'] : []);
  await createReady(cluster.api, [
    web,
    disruptionBudget({ name: 'web', maxUnavailable: 1 }),
    daemonSet({ name: 'agent' }),
    ...(options.singletons === true ? [single] : []),
  ]);
  await cluster.api.patch({ kind: 'Node', name: foreignNode }, { body: { spec: { unschedulable: true } } });
  const watcher = await startReadyWatcher({
    api: cluster.api,
    workloads: options.singletons === true ? [web, single] : [web],
  });
  const started: RunningTurnus[] = [];
  const signalling = await signallingOn(cluster);
  let cases = 0;
  /** What a case that failed has left running would take the lease of the next. */
  const endAll = async (): Promise<void> => {
    for (const turnus of started) turnus.kill('SIGKILL');
    await Promise.all(started.splice(0).map(({ exited }) => exited));
  };

  return {
    cluster,
    hosts,
    async newCase(change = {}) {
      await endAll();
      const node = nodes[cases % nodes.length] ?? '';
      const taken = change.nodes === 'all' ? nodes : [node];
      cases += 1;
      const name = `case-${String(cases)}`;
      const parts = { cluster, hosts, watcher, name, node, nodes: taken, foreignNode };
      const playbook = await writeCase(parts, change);
      const boots = new Map(taken.map((each) => [each, hosts.host(each).bootIds.length]));
      const journal = join(cluster.directory, `${name}.ndjson`);
      return {
        name,
        node,
        journal,
        async start({ after, user = 'admin', args = [] } = {}) {
          const turnus = startTurnus(['run', '-f', playbook, '--yes', '--journal', journal, ...args], {
            kubeconfig: change.kubeconfig ?? (await cluster.kubeconfigFor(user)),
            ...(after === undefined ? {} : { env: signalling(after) }),
          });
          started.push(turnus);
          return turnus;
        },
        journalLines: async () => (await readFile(journal, 'utf8').catch(() => '')).split('\n'),
        runUid: async () =>
          await waitFor({
            what: `the run of ${name}`,
            timeoutMs: 60_000,
            probe: async () => (await runOf(cluster, name)).uid,
          }),
        expectDone: async (exception) => {
          await expectDone({ ...parts, journal, boots }, exception);
          if (change.singletons === 'surge') expect(watcher.workload('single').minimumReady).toBe(1);
        },
      };
    },
    async stop() {
      await endAll();
      await watcher.stop();
      await cluster.stop();
    },
  };
}

interface Parts {
  readonly cluster: Cluster;
  readonly hosts: Hosts;
  readonly watcher: ReadyWatcher;
  readonly name: string;
  readonly node: string;
  readonly nodes: readonly string[];
  /** Cordoned by somebody else before anything begins, and outside of every playbook. */
  readonly foreignNode: string;
}

async function writeCase({ cluster, hosts, name, node, nodes: taken }: Parts, change: CaseChange): Promise<string> {
  const path = join(cluster.directory, `${name}.stage.sh`);
  const script = `#!/bin/sh
echo "$TURNUS_NODE" >>"/srv/host/${name}.$TURNUS_STAGE"
${change.script?.(name) ?? 'sleep 0.3'}
printf '%s\\n' changed=yes reboot=required ${(change.says ?? []).join(' ')} >"$TURNUS_RESULT"
`;
  await writeFile(path, script, { mode: 0o755 });
  const stage = { script: { path }, timeout: '1m' };
  const timeout = change.afterRebootTimeout;
  return await writePlaybook({
    cluster,
    hosts,
    name,
    nodes: [...taken],
    spec: {
      // An eviction that was allowed and not carried out is counted for two minutes.
      drain: { timeout: '4m' },
      settle: { time: '200ms', timeout: '1m' },
      ...(change.singletons === undefined ? {} : { gates: { replicaSpread: { singletons: change.singletons } } }),
      ...(timeout === undefined ? {} : { health: { consecutive: 1, timeout } }),
      host: {
        prepare: stage,
        leave: stage,
        update: stage,
        join: stage,
        ...(timeout === undefined ? {} : { reboot: { timeout } }),
        ssh: (await change.ssh?.(node, name)) ?? {},
      },
    },
  });
}

async function expectDone(
  parts: Parts & { readonly journal: string; readonly boots: ReadonlyMap<string, number> },
  exception?: Exception,
): Promise<void> {
  const { cluster, watcher, name, nodes: taken, foreignNode, journal, boots } = parts;
  for (const node of taken) await expectHostDone(parts, { node, boots: boots.get(node) ?? 0, exception });

  const evicted = (await evictions(cluster)).map(({ pod }) => pod);
  expect(new Set(evicted).size).toBe(evicted.length);
  expect(
    watcher.nodes().timeline.filter((entry) => entry.node === foreignNode && entry.change === 'uncordoned'),
  ).toEqual([]);
  // The one that somebody else had cordoned, and ours.
  expect(watcher.nodes().maximumCordoned).toBeLessThanOrEqual(2);
  expect(watcher.nodes().maximumUnavailable).toBeLessThanOrEqual(2);
  expect(watcher.workload('web').minimumReady).toBeGreaterThanOrEqual(5);

  for (const node of taken) {
    const { spec, metadata } = await cluster.api.get({ kind: 'Node', name: node });
    expect(spec.unschedulable ?? false).toBe(false);
    expect((spec.taints ?? []).filter(({ key }) => key.startsWith('turnus.dev/'))).toEqual([]);
    expect(Object.keys(metadata.annotations ?? {})).not.toContain('turnus.dev/cordoned-by');
  }

  expect((await phasesOf(cluster, name)).sort()).toEqual(taken.map((node) => `${node} Done`).sort());
  const run = await runOf(cluster, name);
  expect(run.status.phase).toBe('Completed');
  const verdict = await runTurnus(['journal', 'verify', journal, '--run', run.name], {
    kubeconfig: cluster.kubeconfigPath,
  });
  expectExit(verdict, 0);
  expect(verdict.stdout).toContain('The end is proved');
}

/** Every script ran once, and the host booted once, by what the host says. */
async function expectHostDone(
  { cluster, hosts, name }: Parts,
  expected: { readonly node: string; readonly boots: number; readonly exception: Exception | undefined },
): Promise<void> {
  const { node, boots, exception } = expected;
  const host = hosts.host(node);
  const counts = await Promise.all(stages.map((stage) => host.counter(`${name}.${stage}`)));
  const [prepare, leave, update, join] = counts;
  if (exception !== 'after a power cut') {
    const prepared = exception === 'after superseding' && prepare === 2 ? 2 : 1;
    expect({ node, prepare, leave, update, join }).toEqual({ node, prepare: prepared, leave: 1, update: 1, join: 1 });
    const extra = host.bootIds.length - boots - 1;
    expect(extra).toBeGreaterThanOrEqual(0);
    expect(extra).toBeLessThanOrEqual(exception === 'after a repair' ? 1 : 0);
    return;
  }
  // A node whose host went away untouched is given back, and leaves anew with its next attempt.
  const attempts = (await turnsOf(cluster, name)).find((turn) => turn.node === node)?.attempts ?? 1;
  expect({ prepare, leave }).toEqual({ prepare: 1, leave: join });
  expect(leave).toBeLessThanOrEqual(attempts);
  expect(update).toBeLessThanOrEqual(1);
  expect(host.bootIds.length).toBeGreaterThan(boots);
}
