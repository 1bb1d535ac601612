import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { turnsOf } from '../../cluster/runReport.js';
import type { TurnReport } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady } from '../../cluster/waitForReady.js';
import { deployment } from '../../cluster/workloads.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { ended, killed } from './maintenance.js';
import type { Entry, Maintenance, Playbook } from './maintenance.js';

const annotation = 'cluster-autoscaler.kubernetes.io/scale-down-disabled';
const label = 'example.com/maintenance';
const marked = {
  nodes: { order: ['name'] },
  duringTurn: { annotations: { [annotation]: 'true' }, labels: { [label]: 'yes' } },
};

/** The scripts around the turn, and what a node carries during it. */
export function describeStages(given: () => Maintenance): void {
  let boots: BootWatch;

  beforeEach(async () => {
    boots = await watchBoots(given().side.api);
  });

  afterEach(async () => {
    await given().endAll();
    await boots.stop();
    for (const name of given().side.nodeNames) await setLabel(name, null);
  });

  describe('the scripts around the turn', () => {
    it('run once each, prepare while another node is out of service, leave before the pods go, join at the end', async () => {
      const { side, playbook } = given();
      await createReady(side.api, [
        deployment({ name: 'moves', replicas: 1, nodes: ['node-1', 'node-2'], startMs: 200 }),
      ]);
      await setLabel('node-1', 'no');
      const nodes = ['node-1', 'node-2'];
      const scripts = { prepare: 'true', leave: 'true', join: 'true' };
      const ahead = await playbook('ahead', { nodes, commands: untilFile('ahead.go'), scripts, spec: marked });
      const turnus = ahead.start();
      await untilBegun(ahead, 'node-2', 'prepare');
      expect(await carriedBy('node-1')).toEqual({ unschedulable: true, annotation: 'true', label: 'yes' });
      expect(await carriedBy('node-2')).toEqual({ unschedulable: false, annotation: undefined, label: undefined });
      const [first, second] = await turnsOf(side, 'ahead');
      expect([first?.phase, second?.phase]).toEqual([expect.stringMatching(/^(Draining|Updating)$/), 'Pending']);
      for (const node of nodes) await side.hosts.host(node).put('ahead.go');
      await ended(turnus, 0);

      for (const node of nodes) expect(await ahead.executions(node), node).toEqual([1, 1, 1, 1]);
      expect(nodes.map((node) => boots.boots(node))).toEqual([1, 1]);
      expect(await carriedBy('node-1')).toEqual({ unschedulable: false, annotation: undefined, label: 'no' });
      expect(await carriedBy('node-2')).toEqual({ unschedulable: false, annotation: undefined, label: undefined });
      const entries = await ahead.journal();
      const prepared = placeOf(entries, { type: 'job.finished', node: 'node-2', stage: 'prepare' });
      expect(prepared).toBeGreaterThan(placeOf(entries, { type: 'node.cordoned', node: 'node-1' }));
      expect(prepared).toBeLessThan(placeOf(entries, { type: 'node.uncordoning', node: 'node-1' }));
      for (const node of nodes) {
        const evicting = entries.findIndex((entry) => entry.type === 'pod.evicting' && entry.node === node);
        const left = placeOf(entries, { type: 'job.finished', node, stage: 'leave' });
        expect(left).toBeGreaterThan(placeOf(entries, { type: 'node.cordoned', node }));
        if (evicting >= 0) expect(left).toBeLessThan(evicting);
        const joining = placeOf(entries, { type: 'job.started', node, stage: 'join' });
        expect(joining).toBeGreaterThan(placeOf(entries, { type: 'health.checked', node }));
        expect(joining).toBeLessThan(placeOf(entries, { type: 'node.uncordoning', node }));
      }
      expect(entries.some(({ type }) => type === 'pod.evicting')).toBe(true);
      await ahead.expectIntactJournal();
      await side.api.delete({ kind: 'Deployment', name: 'moves' }, { propagationPolicy: 'Background' });
    });

    it('are followed to their ends by the next actor where kill -9 came in the middle, and run once', async () => {
      const { side, playbook } = given();
      const nodes = ['node-1', 'node-2'];
      const [one, two] = [side.hosts.host('node-1'), side.hosts.host('node-2')];
      const scripts = {
        prepare: untilFile('cut.prepare.go'),
        leave: untilFile('cut.leave.go'),
        join: untilFile('cut.join.go'),
      };
      const cut = await playbook('cut', { nodes, commands: untilFile('cut.go'), scripts, spec: marked });
      await one.put('cut.prepare.go');
      const first = cut.start();
      await untilBegun(cut, 'node-1', 'leave');
      await killed(given(), first);
      expect(await cut.phases()).toEqual(['node-1 Draining', 'node-2 Pending']);
      await one.put('cut.leave.go');

      const second = cut.start();
      await untilBegun(cut, 'node-2', 'prepare');
      await killed(given(), second);
      await two.put('cut.prepare.go');
      await one.put('cut.go');

      const third = cut.start();
      await untilBegun(cut, 'node-1', 'join');
      await killed(given(), third);
      expect(await carriedBy('node-1')).toEqual({ unschedulable: true, annotation: 'true', label: 'yes' });
      for (const file of ['cut.join.go', 'cut.leave.go', 'cut.go']) {
        await one.put(file);
        await two.put(file);
      }

      await cut.toEndHere(0);
      for (const node of nodes) {
        expect(await cut.executions(node), node).toEqual([1, 1, 1, 1]);
        expect(await carriedBy(node)).toEqual({ unschedulable: false, annotation: undefined, label: undefined });
      }
      expect(nodes.map((node) => boots.boots(node))).toEqual([1, 1]);
      await cut.expectIntactJournal();
    });

    it('defer their node where prepare fails ahead of its turn, and the turn in work never learns of it', async () => {
      const { side, playbook } = given();
      const nodes = ['node-3', 'node-4'];
      await side.hosts.host('node-4').put('unready.bad');
      const prepare = `[ ! -e "$HOME/unready.bad" ] || [ -e "$HOME/unready.mended" ] || { echo no mirror; exit 1; }`;
      const unready = await playbook('unready', {
        nodes,
        commands: untilFile('unready.go'),
        scripts: { prepare },
        spec: { ...marked, drain: { attempts: 1 } },
      });
      const turnus = unready.start();
      await waitFor({
        what: 'node-4 Deferred',
        timeoutMs: 60_000,
        probe: async () => (await turnOf('unready', 'node-4')).phase === 'Deferred',
      });
      expect((await turnOf('unready', 'node-4')).message).toMatch(/prepare .*exit code 1.*no mirror/);
      expect((await turnOf('unready', 'node-3')).phase).toMatch(/^(Draining|Updating)$/);
      expect((await carriedBy('node-4')).unschedulable).toBe(false);
      await side.hosts.host('node-3').put('unready.go');
      await side.hosts.host('node-4').put('unready.go');
      await ended(turnus, 3);
      expect(await unready.phases()).toEqual(['node-3 Done', 'node-4 Deferred']);
      expect(await unready.executions('node-4')).toEqual([1, 0, 0, 0]);

      await side.hosts.host('node-4').put('unready.mended');
      await unready.toEndHere(0);
      expect(await unready.phases()).toEqual(['node-3 Done', 'node-4 Done']);
      expect(await unready.executions('node-4')).toEqual([2, 0, 1, 0]);
      expect(nodes.map((node) => boots.boots(node))).toEqual([1, 1]);
    });
  });

  describe('a leave that fails', () => {
    it('is answered by join, its node is given back and has all of it again at the next attempt', async () => {
      const { side, playbook } = given();
      const leave = '[ -e "$HOME/stays.mended" ] || { echo no balancer; exit 1; }';
      const scripts = { prepare: 'true', leave, join: 'true' };
      const spec = { ...marked, drain: { attempts: 1 } };
      const stays = await playbook('stays', { nodes: ['node-3'], scripts, spec });
      await stays.toEndHere(3);
      expect(await turnOf('stays', 'node-3')).toMatchObject({
        phase: 'Deferred',
        message: expect.stringMatching(/leave .*exit code 1.*no balancer/) as string,
      });
      expect(await stays.executions('node-3')).toEqual([1, 1, 0, 1]);
      expect(await carriedBy('node-3')).toEqual({ unschedulable: false, annotation: undefined, label: undefined });

      await side.hosts.host('node-3').put('stays.mended');
      await stays.toEndHere(0);
      expect(await stays.phases()).toEqual(['node-3 Done']);
      expect(await stays.executions('node-3')).toEqual([1, 2, 1, 2]);
      expect(boots.boots('node-3')).toBe(1);
      await stays.expectIntactJournal();
    });

    it('and whose join fails as well leaves the node cordoned for a person; retry brings it back first', async () => {
      const { side, run, playbook } = given();
      const unlessMended = '[ -e "$HOME/lost.mended" ] || exit 1';
      const scripts = { leave: unlessMended, join: unlessMended };
      const lost = await playbook('lost', { nodes: ['node-4'], scripts, spec: marked });
      await lost.toEndHere(4);
      expect(await turnOf('lost', 'node-4')).toMatchObject({
        phase: 'Failed',
        failure: { code: 'undo-not-joined', node: 'cordoned' },
      });
      expect(await carriedBy('node-4')).toEqual({ unschedulable: true, annotation: 'true', label: 'yes' });
      expect(await lost.executions('node-4')).toEqual([0, 1, 0, 1]);

      await side.hosts.host('node-4').put('lost.mended');
      await run(['retry', await lost.runName(), 'node-4'], 0);
      await lost.toEndHere(0);
      expect(await lost.executions('node-4')).toEqual([0, 2, 1, 3]);
      expect(await carriedBy('node-4')).toEqual({ unschedulable: false, annotation: undefined, label: undefined });
      const states = (await lost.journal()).flatMap(({ type, stage, undo }) =>
        type === 'job.started' ? (stage ?? '') : type === 'node.uncordoned' ? (undo === true ? 'back' : 'done') : [],
      );
      expect(states).toEqual(['leave', 'join', 'join', 'back', 'leave', 'update', 'join', 'done']);
    });
  });

  describe('a join that fails', () => {
    it('keeps the node cordoned with all it carries; retry takes it as mended', async () => {
      const { run, playbook } = given();
      const scripts = { leave: 'true', join: 'echo still out; exit 7' };
      const out = await playbook('out', { nodes: ['node-3'], scripts, spec: marked });
      await out.toEndHere(4);
      expect(await turnOf('out', 'node-3')).toMatchObject({
        phase: 'Failed',
        failure: { code: 'job-failed', phase: 'Verifying', node: 'cordoned', host: 'touched' },
      });
      expect(await carriedBy('node-3')).toEqual({ unschedulable: true, annotation: 'true', label: 'yes' });
      // A person has other plans with the label.
      await setLabel('node-3', 'mine');
      await run(['retry', await out.runName(), 'node-3'], 0);
      await out.toEndHere(0);
      expect(await out.executions('node-3')).toEqual([0, 1, 1, 1]);
      expect(await carriedBy('node-3')).toEqual({ unschedulable: false, annotation: undefined, label: 'mine' });
      expect(boots.boots('node-3')).toBe(1);
    });
  });

  async function turnOf(playbook: string, node: string): Promise<TurnReport> {
    const turn = (await turnsOf(given().side, playbook)).find((one) => one.node === node);
    if (turn === undefined) throw new Error(`${node} has no turn`);
    return turn;
  }

  async function carriedBy(name: string) {
    const { spec, metadata } = await given().side.api.get({ kind: 'Node', name });
    expect(metadata.annotations?.['turnus.dev/during-turn'] !== undefined, 'the record beside the cordon').toBe(
      spec.unschedulable ?? false,
    );
    return {
      unschedulable: spec.unschedulable ?? false,
      annotation: metadata.annotations?.[annotation],
      label: metadata.labels?.[label],
    };
  }

  async function setLabel(name: string, value: string | null): Promise<void> {
    await given().side.api.patch({ kind: 'Node', name }, { body: { metadata: { labels: { [label]: value } } } });
  }

  async function untilBegun(playbook: Playbook, node: string, stage: string): Promise<void> {
    await waitFor({
      what: `script ${stage} to begin on the host of ${node}`,
      timeoutMs: 60_000,
      probe: async () => (await given().side.hosts.host(node).counter(`${playbook.name}.${stage}`)) > 0,
    });
  }
}

/** Waits until this file is in the home of scripts. */
function untilFile(name: string): string {
  return `until [ -e "$HOME/${name}" ]; do sleep 0.1; done`;
}

/** Where this entry stands in the journal; there must be one. */
function placeOf(entries: readonly Entry[], wanted: Entry): number {
  const place = entries.findIndex(
    ({ type, node, stage }) => type === wanted.type && node === wanted.node && stage === wanted.stage,
  );
  expect(place, JSON.stringify(wanted)).toBeGreaterThanOrEqual(0);
  return place;
}
