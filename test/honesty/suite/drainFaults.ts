import { afterEach, describe, expect, it } from 'vitest';
import { createAllOn } from '../../cluster/gather.js';
import type { Pod } from '../../cluster/objects.js';
import { isTrue } from '../../cluster/objects.js';
import { turnsOf, untilTurn } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { deployment, disruptionBudget } from '../../cluster/workloads.js';
import { ended } from './maintenance.js';
import type { Maintenance } from './maintenance.js';

const node = 'node-1';
const cordonedBy = 'turnus.dev/cordoned-by';

/** What people and schedulers do to a drain while it goes on. */
export function describeDrainFaults(given: () => Maintenance): void {
  const workloads = new Set<string>();
  const budgets = new Set<string>();

  afterEach(async () => {
    const { api } = given().side;
    for (const name of budgets) await api.delete({ kind: 'PodDisruptionBudget', name });
    for (const name of workloads) await api.delete({ kind: 'Deployment', name }, { propagationPolicy: 'Background' });
    await waitFor({
      what: 'the pods of the test to be gone',
      probe: async () => {
        const pods = await api.list({ kind: 'Pod', namespace: 'default' });
        return pods.every(({ metadata }) => !workloads.has(metadata.labels?.['app'] ?? ''));
      },
    });
    workloads.clear();
    budgets.clear();
  });

  async function create(...objects: Parameters<typeof createAllOn>[2]): Promise<void> {
    for (const { kind, metadata } of objects) {
      (kind === 'PodDisruptionBudget' ? budgets : workloads).add(metadata.name);
    }
    await createAllOn(given().side, node, objects);
  }

  const podsOf = async (name: string): Promise<Pod[]> =>
    await given().side.api.list({ kind: 'Pod', namespace: 'default', labelSelector: `app=${name}` });

  async function cordon(): Promise<{ unschedulable: boolean; mark: string | undefined }> {
    const { spec, metadata } = await given().side.api.get({ kind: 'Node', name: node });
    return { unschedulable: spec.unschedulable ?? false, mark: metadata.annotations?.[cordonedBy] };
  }

  /** Neither the host's boot nor two replicas away at a time are what these tests are about. */
  const spec = {
    host: { reboot: { when: 'never' } },
    gates: { replicaSpread: { minReadyElsewhere: 1 } },
  };

  describe('a budget on which a drain waits', () => {
    /** Three replicas, of which one may be away and comes back slowly; answers when the drain waits for that. */
    async function untilTheDrainWaits(
      name: string,
    ): Promise<ReturnType<Awaited<ReturnType<Maintenance['playbook']>>['start']>> {
      const { side, playbook } = given();
      await create(
        deployment({ name, replicas: 3, startMs: 6000, stopMs: 200 }),
        disruptionBudget({ name, maxUnavailable: 1 }),
      );
      const turnus = (await playbook(name, { nodes: [node], spec })).start();
      const waits = { cluster: side, playbook: name, node, what: 'waiting for the budget' };
      await untilTurn(waits, ({ waitingFor }) =>
        (waitingFor?.what ?? '').includes(`PodDisruptionBudget default/${name} `),
      );
      return turnus;
    }

    const changes = {
      'edited, so that it allows more': (name: string) =>
        given().side.api.patch({ kind: 'PodDisruptionBudget', name }, { body: { spec: { maxUnavailable: 3 } } }),
      deleted: (name: string) => given().side.api.delete({ kind: 'PodDisruptionBudget', name }),
    };

    it.each(Object.entries(changes))('is %s: the next pod goes at once', async (how, change) => {
      const name = how.slice(0, 6);
      const turnus = await untilTheDrainWaits(name);
      await change(name);
      const others = await waitFor({
        what: 'the second pod to leave before a replacement is Ready',
        timeoutMs: 4000,
        probe: async () => {
          const pods = await podsOf(name);
          const left = pods.filter(
            ({ spec, metadata }) => spec.nodeName === node && metadata.deletionTimestamp === undefined,
          );
          return left.length <= 1 ? pods.filter((pod) => pod.spec.nodeName !== node) : undefined;
        },
      });
      expect(others.filter((pod) => isTrue(pod, 'Ready'))).toEqual([]);
      await ended(turnus, 0);
      expect((await turnsOf(given().side, name)).map(({ phase }) => phase)).toEqual(['Done']);
      expect(await cordon()).toEqual({ unschedulable: false, mark: undefined });
    });

    it('is edited, so that it never allows any: undone and explained; once mended, the same run ends', async () => {
      const { side, playbook } = given();
      const turnus = await untilTheDrainWaits('closed');
      const budget = { kind: 'PodDisruptionBudget', name: 'closed' } as const;
      await side.api.patch(budget, { body: { spec: { maxUnavailable: 0 } } });
      await ended(turnus, 3);
      const [turn] = await turnsOf(side, 'closed');
      expect(turn).toMatchObject({ phase: 'Blocked' });
      expect(turn?.message).toContain('PodDisruptionBudget default/closed lets 0 of 3 pods be unavailable');
      expect(await cordon()).toEqual({ unschedulable: false, mark: undefined });

      await side.api.patch(budget, { body: { spec: { maxUnavailable: 1 } } });
      await waitFor({
        what: 'all replicas to be Ready again',
        probe: async () =>
          (await side.api.get({ kind: 'Deployment', name: 'closed' })).status?.readyReplicas === 3 &&
          (await side.api.get(budget)).status?.disruptionsAllowed === 1,
      });
      const again = await playbook('closed', { nodes: [node], spec });
      await again.toEnd(0);
      expect(await again.phases()).toEqual([`${node} Done`]);
      expect(await again.updates(node)).toBe(1);
    });
  });

  describe('a pod that tolerates the cordon', () => {
    it('comes back to the node: left there, named, and the turn is done', async () => {
      const { side, playbook } = given();
      const tolerations = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }];
      const options = { startMs: 200, stopMs: 200, replicas: 1 };
      await create(
        deployment({ ...options, name: 'clings', prefers: node, podSpec: { tolerations } }),
        deployment({ ...options, name: 'leaves' }),
      );
      const [before] = await podsOf('clings');
      const clings = await playbook('clings', { nodes: [node], spec });
      await clings.toEnd(0);
      expect(await clings.phases()).toEqual([`${node} Done`]);
      const [after] = await podsOf('clings');
      expect(after?.spec.nodeName).toBe(node);
      expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
      expect((await podsOf('leaves')).map(({ spec: { nodeName } }) => nodeName)).not.toContain(node);
      const [turn] = await turnsOf(side, 'clings');
      expect((turn?.findings ?? []).filter(({ code }) => code === 'bound-to-node')).toMatchObject([
        { severity: 'caution', objects: [`Pod default/${after?.metadata.name ?? ''}`, 'Deployment default/clings'] },
      ]);
      const evicted = (await clings.journal()).filter(
        ({ type, pod }) => type === 'pod.evicting' && pod?.includes('clings'),
      );
      expect(evicted).toHaveLength(1);
    });
  });

  describe('a budget without pods', () => {
    it("stands in nobody's way, whatever it says", async () => {
      const { side, playbook, run } = given();
      await create(deployment({ name: 'served', replicas: 1, startMs: 200, stopMs: 200 }));
      for (const empty of [
        disruptionBudget({ name: 'of-nobody', maxUnavailable: 0 }),
        disruptionBudget({ name: 'of-none', minAvailable: '100%' }),
      ]) {
        budgets.add(empty.metadata.name);
        await side.api.create(empty);
      }
      await side.api.patch({ kind: 'PodDisruptionBudget', name: 'of-none' }, { body: { spec: { selector: null } } });
      const served = await playbook('served', { nodes: [node], spec });
      const plan = await run(['plan', '-f', served.path], 0);
      expect(plan.stdout).not.toContain('PodDisruptionBudget');
      await served.toEnd(0);
      expect(await served.phases()).toEqual([`${node} Done`]);
    });
  });
}
