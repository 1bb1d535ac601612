import { afterEach, describe, expect, it } from 'vitest';
import { startReadyWatcher } from '../../cluster/readyWatcher.js';
import { turnsOf } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady } from '../../cluster/waitForReady.js';
import { deployment, disruptionBudget, statefulSet } from '../../cluster/workloads.js';
import { killed } from './maintenance.js';
import type { Maintenance } from './maintenance.js';

const surge = { gates: { replicaSpread: { singletons: 'surge' } } };
const mark = 'turnus.dev/restarted-for';

/** Workloads with one replica, and a playbook that surges them. */
export function describeSingletons(given: () => Maintenance): void {
  afterEach(async () => {
    await given().endAll();
  });

  describe('singletons that are surged', () => {
    it('have no moment without a Ready replica, also under a budget that allows no eviction; others are named', async () => {
      const { side, run, playbook } = given();
      const one = { replicas: 1, prefers: 'node-4', startMs: 1000, stopMs: 300 };
      const surged = [deployment({ name: 'mailer', ...one }), deployment({ name: 'ledger', ...one })];
      const moved = [
        deployment({ name: 'recreated', ...one, strategy: { type: 'Recreate' } }),
        deployment({ name: 'greedy', ...one, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } }),
        statefulSet({ name: 'queue', ...one }),
      ];
      const workloads = [...surged, ...moved];
      await createReady(side.api, [...workloads, disruptionBudget({ name: 'ledger', minAvailable: 1 })]);
      expect(await nodesOf('mailer')).toEqual(['node-4']);
      const singletons = await playbook('singletons', { nodes: ['node-4'], spec: surge });

      const plan = await run(['plan', '-f', singletons.path], 0);
      for (const { metadata } of surged)
        expect(plan.stdout).toMatch(
          new RegExp(`Deployment default/${metadata.name} has one replica; a second is started`),
        );
      for (const { kind, metadata } of moved)
        expect(plan.stdout).toMatch(new RegExp(`Planned outage: ${kind} default/${metadata.name} has one replica`));
      expect(plan.stdout).not.toContain('budget-never');

      const watcher = await startReadyWatcher({ api: side.api, workloads });
      await singletons.toEndHere(0);
      await watcher.stop();
      expect(await singletons.phases()).toEqual(['node-4 Done']);
      for (const { metadata } of surged) expect(watcher.workload(metadata.name).outages, metadata.name).toEqual([]);
      for (const { metadata } of moved) expect(watcher.workload(metadata.name).minimumReady, metadata.name).toBe(0);
      const entries = await singletons.journal();
      const evicted = entries.filter(({ type }) => type === 'pod.evicting').map(({ pod }) => pod ?? '');
      for (const { metadata } of surged) {
        expect(await rolloutOf(metadata.name)).toEqual({
          revision: '2',
          restartedFor: `${await singletons.runName()}/node-4`,
        });
        expect(await nodesOf(metadata.name)).not.toContain('node-4');
        expect(evicted.filter((pod) => pod.startsWith(`default/${metadata.name}-`))).toEqual([]);
      }
      expect(entries.filter(({ type }) => type === 'owner.surging')).toHaveLength(2);
      expect(entries.filter(({ type }) => type === 'owner.surged')).toHaveLength(2);
      for (const name of ['recreated', 'greedy']) expect(await rolloutOf(name)).toMatchObject({ revision: '1' });
      await singletons.expectIntactJournal();
      for (const { kind, metadata } of workloads)
        await side.api.delete({ kind, name: metadata.name }, { propagationPolicy: 'Background' });
      await side.api.delete({ kind: 'PodDisruptionBudget', name: 'ledger' });
    });

    it('get one revision a turn, also where the actor is killed in the middle of it', async () => {
      const { side, playbook } = given();
      const mailer = deployment({ name: 'slow-mailer', replicas: 1, prefers: 'node-2', startMs: 4000, stopMs: 300 });
      await createReady(side.api, [mailer]);
      const resumed = await playbook('surge-resumed', { nodes: ['node-2'], spec: surge });
      const watcher = await startReadyWatcher({ api: side.api, workloads: [mailer] });
      const first = resumed.start();
      await waitFor({
        what: 'the restart of slow-mailer',
        timeoutMs: 60_000,
        intervalMs: 20,
        probe: async () => (await rolloutOf('slow-mailer')).restartedFor !== undefined,
      });
      await killed(given(), first);
      expect(await resumed.phases()).toEqual(['node-2 Draining']);
      expect(await nodesOf('slow-mailer')).toContain('node-2');

      await resumed.toEndHere(0);
      await watcher.stop();
      expect(await resumed.phases()).toEqual(['node-2 Done']);
      expect(await rolloutOf('slow-mailer')).toEqual({
        revision: '2',
        restartedFor: `${await resumed.runName()}/node-2`,
      });
      const sets = await side.api.list({ kind: 'ReplicaSet', namespace: 'default', labelSelector: 'app=slow-mailer' });
      expect(sets).toHaveLength(2);
      expect(watcher.workload('slow-mailer').outages).toEqual([]);
      expect((await resumed.journal()).filter(({ type }) => type === 'owner.surging')).toHaveLength(1);
      await resumed.expectIntactJournal();
      await side.api.delete({ kind: 'Deployment', name: 'slow-mailer' }, { propagationPolicy: 'Background' });
    });

    it('are not restarted again by a second drain; the first says what was not Ready in time', async () => {
      const { side, playbook } = given();
      const late = deployment({ name: 'late', replicas: 1, prefers: 'node-3', startMs: 5000, stopMs: 300 });
      await createReady(side.api, [late]);
      const tried = await playbook('surge-late', {
        nodes: ['node-3'],
        spec: { ...surge, drain: { timeout: '3s', attempts: 4 } },
      });
      const watcher = await startReadyWatcher({ api: side.api, workloads: [late] });
      await tried.toEndHere(0);
      await watcher.stop();
      expect(await tried.phases()).toEqual(['node-3 Done']);
      const [turn] = await turnsOf(side, 'surge-late');
      expect(turn?.attempts).toBeGreaterThanOrEqual(2);
      const entries = await tried.journal();
      const drained = entries.find(({ type }) => type === 'drain.finished');
      expect(drained).toMatchObject({ result: 'timeout' });
      expect(JSON.stringify(drained)).toMatch(/Deployment default\/late was restarted.*not Ready: Pod default\/late-/);
      expect(entries.filter(({ type }) => type === 'owner.surging')).toHaveLength(1);
      expect(await rolloutOf('late')).toMatchObject({ revision: '2' });
      expect(watcher.workload('late').outages).toEqual([]);
      await side.api.delete({ kind: 'Deployment', name: 'late' }, { propagationPolicy: 'Background' });
    });

    async function rolloutOf(
      name: string,
    ): Promise<{ revision: string | undefined; restartedFor: string | undefined }> {
      const { metadata, spec } = await given().side.api.get({ kind: 'Deployment', name });
      return {
        revision: metadata.annotations?.['deployment.kubernetes.io/revision'],
        restartedFor: spec.template.metadata.annotations?.[mark],
      };
    }

    async function nodesOf(app: string): Promise<(string | undefined)[]> {
      const pods = await given().side.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${app}` });
      return pods.map(({ spec }) => spec.nodeName);
    }
  });
}
