import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Cluster } from './cluster.js';
import type { Host } from './hosts/host.js';
import { updateScript } from './playbook.js';
import type { ReadyWatcher } from './readyWatcher.js';
import { expectExit } from './runReport.js';
import { startTurnus } from './turnus.js';
import type { RunningTurnus } from './turnus.js';
import { waitFor } from './waitFor.js';

/** Calls of `turnus run` that a test interrupts and repeats. */
export interface Attempts {
  /** `turnus run -f PLAYBOOK --yes ARGS` */
  start(playbook: string, args?: string[]): RunningTurnus;
  /** Kills those that still run; for afterEach. */
  endAll(): Promise<void>;
}

/** Calls of `turnus run` on this cluster, as admin. */
export function attemptsOn(cluster: Cluster): Attempts {
  const started: RunningTurnus[] = [];
  return {
    start: (playbook, args = []) => {
      const turnus = startTurnus(['run', '-f', playbook, '--yes', ...args], { kubeconfig: cluster.kubeconfigPath });
      started.push(turnus);
      return turnus;
    },
    endAll: async () => {
      for (const turnus of started.splice(0)) {
        turnus.kill('SIGKILL');
        await turnus.exited;
      }
    },
  };
}

/** Waits for the end of the call and expects one of these exit codes. */
export async function expectEnd(turnus: RunningTurnus, codes: number | number[], timeoutMs = 90_000): Promise<void> {
  const wanted = [codes].flat();
  const what = `exit code ${wanted.join(' or ')}`;
  await waitFor({ what, timeoutMs, probe: () => !turnus.isRunning() }).catch((cause: unknown) => {
    throw new Error(`turnus has not ended after ${String(timeoutMs)} ms; stderr:\n${turnus.stderr()}`, { cause });
  });
  const exitCode = await turnus.exited;
  const result = { exitCode, stdout: turnus.stdout(), stderr: turnus.stderr() };
  expectExit(result, wanted.includes(exitCode ?? -1) ? (exitCode ?? -1) : (wanted[0] ?? 0));
}

/** Asks it to stop by Ctrl-C, and waits until it has. */
export async function interrupt(turnus: RunningTurnus): Promise<void> {
  expect(turnus.isRunning(), turnus.stderr()).toBe(true);
  turnus.kill('SIGINT');
  await expectEnd(turnus, 130, 30_000);
}

/** An update that counts itself and waits until {@link letGo}. */
export const waitingScript = updateScript('until [ -e /srv/host/go ]; do sleep 0.1; done');

/** Lets {@link waitingScript} go on; it stays for later executions on that host. */
export async function letGo(host: Host): Promise<void> {
  await writeFile(host.pathOnDisk('/srv/host/go'), '');
}

/** Waits until the update script has begun on the host. */
export async function untilScriptRuns(host: Host): Promise<void> {
  await waitFor({
    what: `the script on ${host.node}`,
    timeoutMs: 60_000,
    probe: async () => (await host.counter('updates')) === 1,
  });
}

/** Waits until a pod of the node is on its way out. */
export async function untilPodsLeave(cluster: Pick<Cluster, 'api'>, node: string): Promise<void> {
  await waitFor({
    what: `a pod that ends on ${node}`,
    timeoutMs: 60_000,
    intervalMs: 20,
    probe: async () => {
      const pods = await cluster.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
      return pods.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
    },
  });
}

/** How the node was cordoned and uncordoned, by whomever, in this order. */
export function cordonsOf(watcher: ReadyWatcher, node: string): string[] {
  return watcher
    .nodes()
    .timeline.filter((entry) => entry.node === node && entry.change.endsWith('cordoned'))
    .map(({ change }) => change);
}
