import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNoMarks, runOf, untilTurn } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady } from '../../cluster/waitForReady.js';
import { deployment } from '../../cluster/workloads.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { ended, killed, orderOf, untilGo } from './maintenance.js';
import type { Maintenance, Playbook } from './maintenance.js';

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
      const paused = await playbook('paused', { nodes, commands: untilGo });
      const turnus = paused.start();
      const [first, second = ''] = await waitFor({ what: 'a run', probe: () => orderOf(given(), paused) });
      await paused.untilUpdating(first);
      const name = await paused.runName();
      await run(['pause', name, '--reason', 'a look at the mirror'], 0);
      for (const node of nodes) await side.hosts.host(node).put('go');
      await waitFor({
        what: 'the run to be Paused',
        timeoutMs: 60_000,
        probe: async () => (await runOf(side, 'paused')).status.phase === 'Paused',
      });
      expect(await paused.phases()).toEqual([`${first} Done`, `${second} Pending`]);
      expect(await paused.updates(second)).toBe(0);
      await run(['resume', name], 0);
      await ended(turnus, 0);
      expect(await paused.phases()).toEqual([`${first} Done`, `${second} Done`]);
      expect([boots.boots(first), boots.boots(second)]).toEqual([1, 1]);
    });
  });

  describe('kill -9 and the same command again', () => {
    it('goes on with a drain where it was, and evicts no pod twice', async () => {
      const { side, playbook } = given();
      const slow = deployment({ name: 'slow', replicas: 1, prefers: 'node-3', startMs: 200, stopMs: 3000 });
      await createReady(side.api, [slow]);
      const drained = await playbook('drained', { nodes: ['node-3'] });
      const first = drained.start();
      await untilAlone('slow', 'node-3');
      await killed(given(), first);
      expect(await drained.phases()).toEqual(['node-3 Draining']);
      await expectFinished(drained, 'node-3', boots);
      const evicted = (await drained.journal()).filter(({ type }) => type === 'pod.evicting').map(({ pod }) => pod);
      expect(evicted.length).toBeGreaterThanOrEqual(1);
      expect(new Set(evicted).size).toBe(evicted.length);
      await side.api.delete({ kind: 'Deployment', name: 'slow' }, { propagationPolicy: 'Background' });
    });

    it('reboots no host twice, and runs no script twice', async () => {
      const { side, playbook } = given();
      const rebooted = await playbook('rebooted', { nodes: ['node-4'] });
      const first = rebooted.start();
      await untilTurn(
        { cluster: side, playbook: 'rebooted', node: 'node-4', what: 'a reboot requested' },
        ({ rebootRequestedAt }) => rebootRequestedAt !== undefined,
      );
      await killed(given(), first);
      await expectFinished(rebooted, 'node-4', boots);
    });

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

    async function expectFinished(playbook: Playbook, node: string, { boots: count }: BootWatch): Promise<void> {
      const { side } = given();
      const { uid } = await runOf(side, playbook.name);
      await playbook.toEnd(0);
      expect((await runOf(side, playbook.name)).uid).toBe(uid);
      expect(await playbook.phases()).toEqual([`${node} Done`]);
      expect(await playbook.updates(node)).toBe(1);
      expect(count(node)).toBe(1);
      await expectNoMarks(side, { lastTurn: side.nodeNames });
      await playbook.expectIntactJournal();
    }
  });
}
