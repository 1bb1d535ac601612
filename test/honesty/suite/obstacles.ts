import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { turnsOf } from '../../cluster/runReport.js';
import { createReady } from '../../cluster/waitForReady.js';
import { deployment, disruptionBudget } from '../../cluster/workloads.js';
import type { Side } from '../side.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { orderOf } from './maintenance.js';
import type { Maintenance } from './maintenance.js';

const cordonedBy = 'turnus.dev/cordoned-by';

/** What keeps a node from its turn, or a turn from its end. */
export function describeObstacles(given: () => Maintenance): void {
  let boots: BootWatch;

  beforeEach(async () => {
    boots = await watchBoots(given().side.api);
  });

  afterEach(async () => {
    await boots.stop();
  });

  describe('a budget that never allows an eviction', () => {
    it('blocks the node of its pods, is named with what to change, and the other node is done', async () => {
      const { side, run, playbook } = given();
      const frozen = deployment({ name: 'frozen', replicas: 2, nodes: ['node-1'], startMs: 200, stopMs: 200 });
      await createReady(side.api, [
        frozen,
        disruptionBudget({ name: 'frozen-budget', of: 'frozen', maxUnavailable: 0 }),
      ]);
      const never = await playbook('never', { nodes: ['node-1', 'node-2'] });

      const plan = await run(['plan', '-f', never.path], 3);
      expect(plan.stdout).toMatch(/node-1 .*blocked: budget-never/);
      expect(plan.stdout).toMatch(/node-2 .*goes/);
      expect(plan.stdout).toMatch(
        /PodDisruptionBudget default\/frozen-budget lets 0 of 2 pods be unavailable.*\n +Set maxUnavailable: 1/,
      );
      await never.toEnd(3);
      expect((await never.phases()).sort()).toEqual(['node-1 Blocked', 'node-2 Done']);
      expect([await never.updates('node-1'), await never.updates('node-2')]).toEqual([0, 1]);
      expect([boots.boots('node-1'), boots.boots('node-2')]).toEqual([0, 1]);
      expect(await cordonOf(side, 'node-1')).toEqual({ unschedulable: false, mark: undefined });

      await side.api.delete({ kind: 'Deployment', name: 'frozen' }, { propagationPolicy: 'Background' });
      await side.api.delete({ kind: 'PodDisruptionBudget', name: 'frozen-budget' });
    });
  });

  describe('a script that fails', () => {
    it('leaves its node cordoned and stops the run; retry finishes both without a second execution', async () => {
      const { side, run, playbook } = given();
      const nodes = ['node-3', 'node-4'];
      const commands = '[ -e "$HOME/mended" ] || { echo changed=yes > "$TURNUS_RESULT"; echo half of it; exit 1; }';
      const fails = await playbook('fails', { nodes, commands });
      const failed = await fails.toEnd(4);
      const [first, second = ''] = await orderOf(given(), fails);
      const name = await fails.runName();
      expect(await fails.phases()).toEqual([`${first} Failed`, `${second} Pending`]);
      expect(failed.stderr).toMatch(/exit code 1.*half of it/);
      expect(failed.stderr).toContain(`turnus retry ${name} ${first}`);
      const [turn] = await turnsOf(side, 'fails');
      expect(turn?.failure).toMatchObject({ code: 'job-failed', phase: 'Updating', node: 'cordoned', host: 'touched' });
      expect(await cordonOf(side, first)).toEqual({ unschedulable: true, mark: name });
      expect(await cordonOf(side, second)).toEqual({ unschedulable: false, mark: undefined });
      expect([await fails.updates(first), await fails.updates(second)]).toEqual([1, 0]);
      expect([boots.boots(first), boots.boots(second)]).toEqual([0, 0]);

      for (const node of nodes) await side.hosts.host(node).put('mended');
      await run(['retry', name, first], 0);
      await fails.toEnd(0);
      expect(await fails.phases()).toEqual([`${first} Done`, `${second} Done`]);
      expect([await fails.updates(first), await fails.updates(second)]).toEqual([1, 1]);
      expect([boots.boots(first), boots.boots(second)]).toEqual([1, 1]);
      for (const node of nodes) expect(await cordonOf(side, node)).toEqual({ unschedulable: false, mark: undefined });
      await fails.expectIntactJournal();
    });
  });

  describe("a person's cordon", () => {
    it('blocks its node and stays as it is, while the other node is done', async () => {
      const { side, playbook } = given();
      const nodes = ['node-4', 'node-5'];
      await side.api.patch({ kind: 'Node', name: 'node-5' }, { body: { spec: { unschedulable: true } } });
      const foreign = await playbook('foreign', { nodes, spec: { nodes: { maxUnavailable: 2 } } });
      await foreign.toEnd(3);
      expect((await foreign.phases()).sort()).toEqual(['node-4 Done', 'node-5 Blocked']);
      const blocked = (await turnsOf(side, 'foreign')).find(({ node }) => node === 'node-5');
      expect(blocked?.findings?.map(({ code }) => code)).toContain('already-cordoned');
      expect(await cordonOf(side, 'node-5')).toEqual({ unschedulable: true, mark: undefined });
      expect([await foreign.updates('node-4'), await foreign.updates('node-5')]).toEqual([1, 0]);
      await side.api.patch({ kind: 'Node', name: 'node-5' }, { body: { spec: { unschedulable: null } } });
    });
  });
}

async function cordonOf({ api }: Side, name: string): Promise<{ unschedulable: boolean; mark: string | undefined }> {
  const { spec, metadata } = await api.get({ kind: 'Node', name });
  return { unschedulable: spec.unschedulable ?? false, mark: metadata.annotations?.[cordonedBy] };
}
