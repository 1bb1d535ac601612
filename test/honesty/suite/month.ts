import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAllOn } from '../../cluster/gather.js';
import { startReadyWatcher } from '../../cluster/readyWatcher.js';
import type { ReadyWatcher } from '../../cluster/readyWatcher.js';
import { expectNoMarks, runOf, turnsOf } from '../../cluster/runReport.js';
import { createReady } from '../../cluster/waitForReady.js';
import { daemonSet, deployment, disruptionBudget, job, statefulSet } from '../../cluster/workloads.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { maintained } from './maintained.js';
import type { Playbook } from './maintenance.js';
import type { OpenMaintainedSide } from '../side.js';

const pace = { startMs: 300, stopMs: 200 };

/** Each with the fewest Ready pods that its budget, or the half that the playbook keeps, allows. */
const replicated = [
  { workload: deployment({ name: 'web', replicas: 6, ...pace, spread: { over: 'node', mode: 'prefer' } }), fewest: 5 },
  { workload: statefulSet({ name: 'database', replicas: 3, ...pace, onePerNode: true }), fewest: 2 },
  { workload: deployment({ name: 'pair', replicas: 2, ...pace }), fewest: 1 },
];
const budgets = [
  disruptionBudget({ name: 'web', maxUnavailable: 1 }),
  disruptionBudget({ name: 'database', minAvailable: 2, unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
];

/** A run over every node of a cluster, which is the first one there. */
export function describeMonth(place: string, openSide: OpenMaintainedSide): void {
  describe(`a month over all nodes of ${place}`, { timeout: 60_000 }, () => {
    const given = maintained(openSide);
    let monthly: Playbook;
    let watcher: ReadyWatcher;
    let boots: BootWatch;
    let agents: string[];
    let before: Map<string, string>;

    const podUids = async (labelSelector: string): Promise<string[]> => {
      const pods = await given().side.api.list({ kind: 'Pod', namespace: 'default', labelSelector });
      return pods.map(({ metadata }) => metadata.uid ?? '').sort();
    };

    beforeAll(async () => {
      const { side } = given();
      const [web, database, pair] = replicated.map(({ workload }) => workload);
      if (web === undefined || database === undefined || pair === undefined) throw new Error('three workloads');
      await createAllOn(side, 'node-1', [pair]);
      await createReady(side.api, [web, database, ...budgets, daemonSet({ name: 'agent', ...pace })]);
      agents = await podUids('app=agent');
      before = new Map(side.nodeNames.map((node) => [node, side.hosts.host(node).bootId]));
      watcher = await startReadyWatcher({ api: side.api, workloads: replicated.map(({ workload }) => workload) });
      boots = await watchBoots(side.api);
      // On the node whose turn is first, so that its drain has to wait for it.
      const report = job({ name: 'report', nodes: ['node-1'], startMs: 100, runForMs: 3000, backoffLimit: 0 });
      await createReady(side.api, [report]);
      monthly = await given().playbook('monthly');
      await monthly.toEnd(0);
    }, 180_000);

    afterAll(async () => {
      await watcher.stop();
      await boots.stop();
    });

    it('has every turn Done', async () => {
      const { side } = given();
      expect((await monthly.phases()).sort()).toEqual(side.nodeNames.map((node) => `${node} Done`));
      const total = side.nodeNames.length;
      expect((await runOf(side, 'monthly')).status).toMatchObject({
        phase: 'Completed',
        counts: { total, done: total, failed: 0, blocked: 0, left: 0 },
      });
    });

    it('never has more than one node out of service, and no workload below what it keeps', () => {
      expect(watcher.nodes()).toMatchObject({ maximumCordoned: 1, maximumUnavailable: 1 });
      for (const { workload, fewest } of replicated) {
        const { name } = workload.metadata;
        expect(watcher.workload(name).minimumReady, name).toBeGreaterThanOrEqual(fewest);
      }
    });

    it('runs the update once on each host, and proves one new boot of each', async () => {
      const { side } = given();
      const turns = await turnsOf(side, 'monthly');
      for (const { node, bootIdBefore, bootIdAfter } of turns) {
        expect(await monthly.updates(node), node).toBe(1);
        expect(boots.boots(node), node).toBe(1);
        expect([bootIdBefore, bootIdAfter], node).toEqual([before.get(node), side.hosts.host(node).bootId]);
        const { status } = await side.api.get({ kind: 'Node', name: node });
        expect(status.nodeInfo.bootID, node).toBe(bootIdAfter);
      }
    });

    it('lets the Job finish, moves the others, each pod at most once, and leaves the DaemonSet where it is', async () => {
      const { status } = await given().side.api.get({ kind: 'Job', name: 'report' });
      expect(status).toMatchObject({ succeeded: 1 });
      expect(status?.failed ?? 0).toBe(0);
      expect(await podUids('app=agent')).toEqual(agents);
      const evicted = (await monthly.journal())
        .filter(({ type }) => type === 'pod.evicting')
        .map(({ pod = '' }) => pod);
      expect(evicted.filter((pod) => pod.includes('/pair-')).length).toBeGreaterThanOrEqual(2);
      expect(evicted.filter((pod) => /\/(agent|report)-/.test(pod))).toEqual([]);
      // The pods of a StatefulSet keep their names when they move.
      const once = evicted.filter((pod) => !pod.includes('/database-'));
      expect(new Set(once).size).toBe(once.length);
      for (const { workload } of replicated) {
        const { kind, metadata, spec } = workload;
        const now = await given().side.api.get({ kind, name: metadata.name, namespace: 'default' });
        expect(now.status?.readyReplicas, metadata.name).toBe(spec.replicas);
      }
    });

    it('leaves no mark but the last turn, and a journal that is intact to its end', async () => {
      const { side } = given();
      await expectNoMarks(side, { lastTurn: side.nodeNames });
      await monthly.expectIntactJournal();
    });

    it('does nothing more when it is started again', async () => {
      const { uid } = await runOf(given().side, 'monthly');
      await monthly.toEndHere(0);
      expect((await runOf(given().side, 'monthly')).uid).toBe(uid);
      for (const node of given().side.nodeNames) expect(await monthly.updates(node), node).toBe(1);
    });
  });
}
