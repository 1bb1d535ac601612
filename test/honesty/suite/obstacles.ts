import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runOf, turnsOf } from '../../cluster/runReport.js';
import type { Deployment } from '../../cluster/objects.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady, waitForReady } from '../../cluster/waitForReady.js';
import { deployment, disruptionBudget } from '../../cluster/workloads.js';
import type { Side } from '../side.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { ended, orderOf } from './maintenance.js';
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

  describe("a budget that never allows an eviction, and a person's cordon", () => {
    it('block their nodes, are named and stay as they are, while the other node is done', async () => {
      const { side, run, playbook } = given();
      const frozen = deployment({ name: 'frozen', replicas: 2, nodes: ['node-1'], startMs: 200, stopMs: 200 });
      const budget = disruptionBudget({ name: 'frozen-budget', of: 'frozen', maxUnavailable: 0 });
      await createReady(side.api, [frozen, budget]);
      await side.api.patch({ kind: 'Node', name: 'node-2' }, { body: { spec: { unschedulable: true } } });
      const nodes = ['node-1', 'node-2', 'node-3'];
      const blocked = await playbook('blocked', { nodes, spec: { nodes: { maxUnavailable: 2 } } });

      const plan = await run(['plan', '-f', blocked.path], 3);
      expect(plan.stdout).toMatch(/node-1 .*blocked: budget-never/);
      expect(plan.stdout).toMatch(/node-2 .*blocked: already-cordoned/);
      expect(plan.stdout).toMatch(/node-3 .*goes/);
      expect(plan.stdout).toMatch(
        /PodDisruptionBudget default\/frozen-budget lets 0 of 2 pods be unavailable.*\n +Set maxUnavailable: 1/,
      );
      await blocked.toEndHere(3);
      expect((await blocked.phases()).sort()).toEqual(['node-1 Blocked', 'node-2 Blocked', 'node-3 Done']);
      expect(await Promise.all(nodes.map((node) => blocked.updates(node)))).toEqual([0, 0, 1]);
      expect(nodes.map((node) => boots.boots(node))).toEqual([0, 0, 1]);
      expect(await cordonOf(side, 'node-1')).toEqual({ unschedulable: false, mark: undefined });
      expect(await cordonOf(side, 'node-2')).toEqual({ unschedulable: true, mark: undefined });

      await side.api.patch({ kind: 'Node', name: 'node-2' }, { body: { spec: { unschedulable: null } } });
      await side.api.delete({ kind: 'Deployment', name: 'frozen' }, { propagationPolicy: 'Background' });
      await side.api.delete({ kind: 'PodDisruptionBudget', name: 'frozen-budget' });
    });
  });

  describe('a finding that a person takes on', () => {
    it('holds its node up no longer, for this run and with the reason; a budget is never taken on', async () => {
      const { side, run, playbook } = given();
      const alone = deployment({ name: 'alone', replicas: 1, prefers: 'node-1', startMs: 200, stopMs: 200 });
      await createReady(side.api, [alone]);
      const singletons = { gates: { replicaSpread: { singletons: 'block' } } };
      const kept = await playbook('kept', { nodes: ['node-1'], spec: singletons });
      await kept.toEndHere(3);
      expect(await kept.phases()).toEqual(['node-1 Blocked']);
      const name = await kept.runName();
      const accept = ['accept', name, 'node-1'];
      const refused = await run([...accept, 'budget-never', '--reason', 'we know'], 2);
      expect(refused.stderr).toContain('budget-never is never accepted');

      await run([...accept, 'singleton-blocked', '--reason', 'its team is told'], 0);
      await kept.toEndHere(0);
      expect(await kept.phases()).toEqual(['node-1 Done']);
      expect([await kept.updates('node-1'), boots.boots('node-1')]).toEqual([1, 1]);
      const [pod] = await side.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=alone' });
      expect(pod?.spec.nodeName).not.toBe('node-1');
      const [turn] = await turnsOf(side, 'kept');
      expect(turn?.findings?.find(({ code }) => code === 'singleton-blocked')).toMatchObject({
        severity: 'caution',
        message: expect.stringMatching(/Accepted by .*: its team is told/) as string,
      });
      await kept.expectIntactJournal();
      await side.api.delete({ kind: 'Deployment', name: 'alone' }, { propagationPolicy: 'Background' });
    });
  });

  describe('a workload that never becomes Ready again', () => {
    const homes = ['node-1', 'node-2', 'node-3'];
    const go = 'unwell-go';

    /** One replica on each of the first nodes, and nowhere else. */
    async function createLost(): Promise<Deployment> {
      const lost = deployment({ name: 'lost', replicas: 3, nodes: homes, onePerNode: true, startMs: 200, stopMs: 200 });
      await createReady(given().side.api, [lost]);
      return lost;
    }

    const unwellPlaybook = async (name: string, nodes: string[]) =>
      await given().playbook(name, {
        nodes,
        commands: `until [ -e "$HOME/${go}" ]; do sleep 0.1; done`,
        spec: {
          // A canary on which pods do not become Ready stops the run.
          nodes: { canaries: 0 },
          gates: { replicaSpread: { minReadyElsewhere: 1 } },
          drain: { timeout: '1m', attempts: 1 },
          // Longer than the scheduler may wait before it looks at a pod again (podMaxBackoffSeconds, 10 s).
          settle: { time: '100ms', timeout: '14s' },
        },
      });

    afterEach(async () => {
      await given().side.api.delete({ kind: 'Deployment', name: 'lost' }, { propagationPolicy: 'Background' });
      await waitFor({
        what: 'the pods of lost to be gone',
        probe: async () => {
          const pods = await given().side.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=lost' });
          return pods.length === 0;
        },
      });
    });

    /** Waits for the replica that is away while its node is, and sees to it that it never becomes Ready; answers how to mend it. */
    async function spoilLost(): Promise<{
      readonly node: () => Promise<string>;
      readonly mend: () => Promise<unknown>;
    }> {
      const { api } = given().side;
      const pod = await waitFor({
        what: 'the replica that no other node takes',
        timeoutMs: 60_000,
        probe: async () => {
          const pods = await api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=lost' });
          return pods.find(({ spec }) => spec.nodeName === undefined);
        },
      });
      const spoilt = { kind: 'Pod', name: pod.metadata.name } as const;
      const annotate = async (value: string | null) =>
        await api.patch(spoilt, { body: { metadata: { annotations: { 'sandbox.turnus.dev/never-ready': value } } } });
      await annotate('true');
      return {
        node: async () => (await api.get(spoilt)).spec.nodeName ?? '',
        mend: () => annotate(null),
      };
    }

    it('keeps the nodes that hold its replicas, by name; the others are done, and once it is well the rest is', async () => {
      const { side } = given();
      const free = 'node-4';
      const lost = await createLost();
      const unwell = await unwellPlaybook('unwell', [...homes, free]);
      await side.hosts.host(free).put(go);
      const turnus = unwell.start();
      const { node: nodeOfSpoilt, mend } = await spoilLost();
      for (const node of homes) await side.hosts.host(node).put(go);
      const { stdout, stderr } = await ended(turnus, 3);
      expect(stdout + stderr).toMatch(/not-recovered.*Deployment default\/lost has 2 Ready replicas and needs 3/);
      const back = await nodeOfSpoilt();
      const others = homes.filter((node) => node !== back);
      const phases = [`${back} Done`, ...others.map((node) => `${node} Deferred`), `${free} Done`];
      expect((await unwell.phases()).sort()).toEqual(phases.sort());
      for (const { node, message, findings = [] } of await turnsOf(side, 'unwell')) {
        const blocks = findings.filter(({ severity }) => severity === 'block');
        expect(blocks.map(({ code }) => code)).toEqual(others.includes(node) ? ['not-recovered'] : []);
        if (node === back) expect(message).toContain(`${back} is back in service, but not everything recovered`);
      }
      for (const node of [...homes, free]) {
        const times = others.includes(node) ? 0 : 1;
        expect([await unwell.updates(node), boots.boots(node)]).toEqual([times, times]);
        expect(await cordonOf(side, node)).toEqual({ unschedulable: false, mark: undefined });
      }

      await mend();
      await waitForReady({ api: side.api, objects: [lost] });
      await unwell.toEndHere(0);
      expect((await unwell.phases()).sort()).toEqual([...homes, free].map((node) => `${node} Done`));
      for (const node of [...homes, free]) expect(await unwell.updates(node)).toBe(1);
      await unwell.expectIntactJournal();
    });

    it('is told with exit code 3 also where every node is done, until it is well', async () => {
      const { side } = given();
      const lost = await createLost();
      const [node = ''] = homes;
      const last = await unwellPlaybook('unwell-last', [node]);
      const turnus = last.start();
      const { mend } = await spoilLost();
      await side.hosts.host(node).put(go);
      await ended(turnus, 3);
      expect(await last.phases()).toEqual([`${node} Done`]);
      const missing = /Deployment default\/lost has 2 Ready replicas and needs 3/;
      expect((await runOf(side, 'unwell-last')).status.message).toMatch(missing);
      expect((await last.toEndHere(3)).stderr).toMatch(missing);

      await mend();
      await waitForReady({ api: side.api, objects: [lost] });
      await last.toEndHere(0);
      expect(await last.updates(node)).toBe(1);
    });
  });

  describe('a script that fails', () => {
    it('leaves its node cordoned and stops the run; retry finishes both without a second execution', async () => {
      const { side, run, playbook } = given();
      const nodes = ['node-3', 'node-4'];
      const commands = '[ -e "$HOME/mended" ] || { echo changed=yes > "$TURNUS_RESULT"; echo half of it; exit 1; }';
      const fails = await playbook('fails', { nodes, commands });
      const failed = await fails.toEndHere(4);
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
      await fails.toEndHere(0);
      expect(await fails.phases()).toEqual([`${first} Done`, `${second} Done`]);
      expect([await fails.updates(first), await fails.updates(second)]).toEqual([1, 1]);
      expect([boots.boots(first), boots.boots(second)]).toEqual([1, 1]);
      for (const node of nodes) expect(await cordonOf(side, node)).toEqual({ unschedulable: false, mark: undefined });
      await fails.expectIntactJournal();
    });
  });
}

async function cordonOf({ api }: Side, name: string): Promise<{ unschedulable: boolean; mark: string | undefined }> {
  const { spec, metadata } = await api.get({ kind: 'Node', name });
  return { unschedulable: spec.unschedulable ?? false, mark: metadata.annotations?.[cordonedBy] };
}
