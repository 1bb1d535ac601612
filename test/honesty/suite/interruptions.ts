import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNoMarks, runOf, systemNamespace, untilTurn } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady } from '../../cluster/waitForReady.js';
import { deployment } from '../../cluster/workloads.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { ended, killed, orderOf, untilPut } from './maintenance.js';
import type { Maintenance } from './maintenance.js';

/** A person who pauses a run, and an actor that dies. */
export function describeInterruptions(given: () => Maintenance): void {
  let boots: BootWatch;

  beforeEach(async () => {
    boots = await watchBoots(given().side.api);
  });

  afterEach(async () => {
    await given().endAll();
    await boots.stop();
  });

  describe('a pause', () => {
    it('lets the turn in work end and begins no other, until resume', async () => {
      const { side, run, playbook } = given();
      const nodes = ['node-1', 'node-2'];
      const paused = await playbook('paused', { nodes, commands: untilPut('paused-go') });
      const turnus = paused.start();
      const [first, second = ''] = await waitFor({ what: 'a run', probe: () => orderOf(given(), paused) });
      const name = await paused.runName();
      // It looks for a sign of life of the actor before it ends.
      const asked = run(['pause', name, '--reason', 'a look at the mirror'], 0);
      await waitFor({ what: 'the pause to be recorded', probe: async () => (await desiredOf(name)) === 'Pause' });
      for (const node of nodes) await side.hosts.host(node).put('paused-go');
      await waitFor({
        what: 'the run to be Paused',
        timeoutMs: 60_000,
        probe: async () => (await runOf(side, 'paused')).status.phase === 'Paused',
      });
      expect(await paused.phases()).toEqual([`${first} Done`, `${second} Pending`]);
      expect(await paused.updates(second)).toBe(0);
      const takenBack = run(['resume', name], 0);
      await ended(turnus, 0);
      await Promise.all([asked, takenBack]);
      expect(await paused.phases()).toEqual([`${first} Done`, `${second} Done`]);
      expect([boots.boots(first), boots.boots(second)]).toEqual([1, 1]);
    });

    async function desiredOf(run: string): Promise<unknown> {
      const reference = { kind: 'MaintenanceRun', namespace: systemNamespace, name: run } as const;
      const { desired } = (await given().side.api.get(reference)).spec as { desired?: { state?: string } };
      return desired?.state;
    }
  });

  describe('kill -9 and the same command again', () => {
    it('in the drain and at the reboot evicts no pod, runs no script and reboots no host twice', async () => {
      const { side, playbook } = given();
      const slow = deployment({ name: 'slow', replicas: 1, prefers: 'node-3', startMs: 200, stopMs: 2500 });
      await createReady(side.api, [slow]);
      const killedTwice = await playbook('killed', { nodes: ['node-3'] });
      const first = killedTwice.start();
      await untilAlone('slow', 'node-3');
      await killed(given(), first);
      expect(await killedTwice.phases()).toEqual(['node-3 Draining']);
      const { uid } = await runOf(side, 'killed');

      const second = killedTwice.start();
      await untilTurn(
        { cluster: side, playbook: 'killed', node: 'node-3', what: 'a reboot requested' },
        ({ rebootRequestedAt }) => rebootRequestedAt !== undefined,
      );
      await killed(given(), second);
      expect(await killedTwice.phases()).toEqual(['node-3 Rebooting']);

      await killedTwice.toEndHere(0);
      expect((await runOf(side, 'killed')).uid).toBe(uid);
      expect(await killedTwice.phases()).toEqual(['node-3 Done']);
      expect(await killedTwice.updates('node-3')).toBe(1);
      expect(boots.boots('node-3')).toBe(1);
      const evicted = (await killedTwice.journal()).filter(({ type }) => type === 'pod.evicting').map(({ pod }) => pod);
      expect(evicted).toEqual([expect.stringMatching(/^default\/slow-/)]);
      await expectNoMarks(side, { lastTurn: await nodesWithLastTurn() });
      await killedTwice.expectIntactJournal();
      await side.api.delete({ kind: 'Deployment', name: 'slow' }, { propagationPolicy: 'Background' });
    });

    async function nodesWithLastTurn(): Promise<string[]> {
      const nodes = await given().side.api.list({ kind: 'Node' });
      const done = nodes.filter(({ metadata }) => metadata.annotations?.['turnus.dev/last-turn'] !== undefined);
      expect(done.map(({ metadata }) => metadata.name)).toContain('node-3');
      return done.map(({ metadata }) => metadata.name);
    }

    /**
     * Only the pod of this workload is left on the node, on its way out. An eviction that is cut off in the middle
     * would cost the budget a disruption for two minutes: the server debits first and deletes last.
     */
    async function untilAlone(app: string, node: string): Promise<void> {
      await waitFor({
        what: `${app} to leave ${node} last`,
        timeoutMs: 60_000,
        intervalMs: 20,
        probe: async () => {
          const pods = await given().side.api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
          const others = pods.filter(({ metadata }) => !['agent', app].includes(metadata.labels?.['app'] ?? ''));
          const leaves = pods.some(
            ({ metadata }) => metadata.labels?.['app'] === app && metadata.deletionTimestamp !== undefined,
          );
          return leaves && others.length === 0;
        },
      });
    }
  });
}
