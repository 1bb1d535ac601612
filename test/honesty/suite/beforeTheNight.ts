import { beforeAll, describe, expect, it } from 'vitest';
import { createAllOn } from '../../cluster/gather.js';
import { turnsOf } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady } from '../../cluster/waitForReady.js';
import { deployment, disruptionBudget } from '../../cluster/workloads.js';
import type { OpenMaintainedSide } from '../side.js';
import { maintained } from './maintained.js';
import { ended, type Playbook } from './maintenance.js';

/** As much of a plan as is read here. */
interface PlanJson {
  readonly expectedMs: number;
  readonly basis?: string;
  readonly nodes: readonly { readonly node: string; readonly expectedMs: number; readonly basis?: string }[];
}

/** As much of an explanation as is read here. */
interface ExplanationJson {
  readonly selection: string;
  readonly inTheWay: readonly {
    readonly kind: string;
    readonly finding?: { readonly code: string };
    readonly concerns?: readonly unknown[];
  }[];
}

const budget = { kind: 'PodDisruptionBudget', namespace: 'shop', name: 'cart' } as const;

/** What is said days before the window, to whom, and what is said while a run waits. */
export function describeBeforeTheNight(place: string, openSide: OpenMaintainedSide): void {
  describe(`before the night, on ${place}`, { timeout: 90_000 }, () => {
    const given = maintained(openSide);
    let monthly: Playbook;

    beforeAll(async () => {
      const { side, playbook } = given();
      await side.createNamespace('shop', { team: 'payments' });
      await side.createNamespace('bank', { team: 'ledgers' });
      const cart = deployment({
        name: 'cart',
        namespace: 'shop',
        replicas: 2,
        labels: { 'app.kubernetes.io/part-of': 'web-shop' },
        startMs: 8000,
        stopMs: 200,
      });
      const books = deployment({ name: 'books', namespace: 'bank', replicas: 1, nodes: ['node-2'], startMs: 200 });
      await createAllOn(side, 'node-1', [cart]);
      await createReady(side.api, [books, disruptionBudget({ name: 'cart', namespace: 'shop', maxUnavailable: 0 })]);
      monthly = await playbook('monthly', { nodes: ['node-1', 'node-2'] });
    }, 120_000);

    const planned = async (exitCode: number): Promise<PlanJson> =>
      JSON.parse((await given().run(['plan', '-f', monthly.path, '-o', 'json'], exitCode)).stdout) as PlanJson;

    it('explains which budget is in the way, whose it is and what to change, before any run', async () => {
      const { stdout } = await given().run(['explain', 'node-1', '-f', monthly.path], 3);
      expect(stdout).toContain('One thing stands in the way of node node-1.\n');
      expect(stdout).toContain('the host was asked too');
      expect(stdout).toMatch(/block budget-never\n +PodDisruptionBudget shop\/cart lets 0 of 2 pods be unavailable/);
      expect(stdout).toMatch(/\n +To change: Set maxUnavailable: 1/);
      expect(stdout).toMatch(
        /\n +Whose: Deployment shop\/cart \(app.kubernetes.io\/part-of: web-shop\), namespace shop \(team: payments\)\n +Pods: shop\/cart-\S+, shop\/cart-\S+\n/,
      );
    });

    it('says what is not in the selection, what is not in the cluster, and by what it cannot judge', async () => {
      const { run } = given();
      const other = await run(['explain', 'node-3', '-f', monthly.path, '-o', 'json'], 3);
      expect(JSON.parse(other.stdout)).toMatchObject({ selection: 'not-matched', inTheWay: [{ kind: 'selection' }] });
      const unknown = await run(['explain', 'nod-1', '-f', monthly.path], 2);
      expect(unknown).toMatchObject({ stdout: '' });
      expect(unknown.stderr).toMatch(/There is no node "nod-1".*\nDid you mean node-1\?/);
      const without = await run(['explain', 'node-1'], 2);
      expect(without.stderr).toMatch(/No playbook is given, and there is no run.*\nSay with -f PLAYBOOK/);
    });

    it('tells each team once what concerns it, in a document that can be sent', async () => {
      const { stdout } = await given().run(['plan', '-f', monthly.path, '--by', 'owner', '-o', 'markdown'], 3);
      for (const team of ['team: payments', 'team: ledgers']) expect(stdout.split(team), team).toHaveLength(2);
      expect(stdout.indexOf('## Namespace shop')).toBeLessThan(stdout.indexOf('## Namespace bank'));
      expect(stdout).toMatch(
        /### Deployment shop\/cart\n[^#]*\*\*Blocks the maintenance of node-1: .*\(budget-never\)\*\*/,
      );
      expect(stdout).toMatch(/### Deployment bank\/books\n[^#]*singleton-outage/);
    });

    it('guesses how long it takes where no turn tells', async () => {
      const plan = await planned(3);
      expect(plan.nodes.find(({ node }) => node === 'node-1')).toMatchObject({ expectedMs: 0 });
      const going = plan.nodes.find(({ node }) => node === 'node-2');
      expect(going).toMatchObject({ basis: 'estimate' });
      expect(going?.expectedMs).toBeGreaterThan(60_000);
      expect(plan).toMatchObject({ expectedMs: going?.expectedMs, basis: 'estimate' });
      const { stdout } = await given().run(['plan', '-f', monthly.path], 3);
      expect(stdout).toMatch(/\nExpected: about \d+ min for 1 node \(guess: no former turn\)\n/);
    });

    it('says what the run waits for at this moment, and that nothing stands in the way when all is mended', async () => {
      const { side, run } = given();
      await side.api.patch(budget, { body: { spec: { maxUnavailable: 1 } } });
      await waitFor({
        what: 'the budget to allow an eviction',
        probe: async () => (await side.api.get(budget)).status?.disruptionsAllowed === 1,
      });
      expect((await run(['explain', 'node-1', '-f', monthly.path], 0)).stdout).toContain(
        'Nothing stands in the way of node node-1.\n',
      );

      const turnus = monthly.start();
      await waitFor({
        what: 'the drain of node-1 to wait for the budget',
        timeoutMs: 60_000,
        probe: async () => {
          const turn = (await turnsOf(side, 'monthly')).find(({ node }) => node === 'node-1');
          return turn?.waitingFor?.what.includes('PodDisruptionBudget shop/cart');
        },
      });
      const waits = await run(['explain', 'node-1'], 3);
      expect(waits.stdout).toMatch(/as run monthly-\S+ keeps it/);
      expect(waits.stdout).toMatch(/block budget-not-now\n +PodDisruptionBudget shop\/cart needs 1 healthy pod/);
      expect(waits.stdout).toMatch(/\nIts turn is Draining since .*\n +waiting: .*PodDisruptionBudget shop\/cart/);
      await ended(turnus, 0);
      const { inTheWay } = JSON.parse((await run(['explain', 'node-1', '-o', 'json'], 0)).stdout) as ExplanationJson;
      expect(inTheWay).toEqual([]);
    });

    it('expects afterwards what the turns took', async () => {
      const plan = await planned(0);
      expect(plan.nodes.map(({ basis }) => basis)).toEqual(['history', 'history']);
      const took = await Promise.all(
        plan.nodes.map(async ({ node, expectedMs }) => {
          const turn = (await turnsOf(given().side, 'monthly')).find((one) => one.node === node);
          const steps = turn?.steps ?? [];
          const check = steps.find(({ phase }) => phase === 'Checking');
          return [expectedMs, Date.parse(steps.at(-1)?.finishedAt ?? '') - Date.parse(check?.startedAt ?? '')];
        }),
      );
      for (const [expected, real] of took) expect(expected).toBe(real);
      expect((await given().run(['plan', '-f', monthly.path], 0)).stdout).toMatch(
        /\nExpected: about \d+ s for 2 nodes \(as former turns took\)\n/,
      );
    });
  });
}
