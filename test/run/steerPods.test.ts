import { describe, expect, it } from 'vitest';
import type { ApiAnswer, ApiFailure, ApiObject, ClusterPort } from '../../src/cluster/clusterPort.js';
import { parseNode } from '../../src/cluster/parseNode.js';
import { resources } from '../../src/cluster/resources.js';
import { isSteeredAway, steerTaint } from '../../src/cluster/steerTaint.js';
import type { JournalEntry } from '../../src/journal/entry.js';
import { openJournal } from '../../src/journal/openJournal.js';
import { steerPods, stopSteering } from '../../src/run/steerPods.js';
import type { RunState, RunStatus } from '../../src/run/state.js';
import { createSimulatedApi } from '../../src/sandbox/api/createSimulatedApi.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { seededRandom } from '../../src/sandbox/seededRandom.js';
import { clusterView } from '../drain/clusterFixtures.js';
import { VirtualTime } from '../simulation/virtualTime.js';
import { nodesPolicy, runState } from './runFixtures.js';

const foreign = { key: 'example.com/team', effect: 'PreferNoSchedule' };
type Answer = (name: string) => ApiFailure | undefined;

/** Six nodes of three zones on a simulated API; `a1` and `b1` are done. `refuse` may answer patches instead. */
function scene(options: { steer?: 'taint' | 'off'; refuse?: Answer } = {}) {
  const time = new VirtualTime(Date.UTC(2026, 10, 10, 22));
  const api = createSimulatedApi({ timeline: time, random: seededRandom(1) });
  for (const name of ['a1', 'b1', 'c1', 'a2', 'b2', 'c2']) {
    const labels = { 'topology.kubernetes.io/zone': name.charAt(0) };
    const spec = name === 'c2' ? { taints: [foreign] } : {};
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec, status };
    expect(api.create({ resource: resources.nodes, object }, 'test').kind).toBe('ok');
  }
  const nodes = (): ApiObject[] => {
    const reply = api.list({ resource: resources.nodes });
    return reply.kind === 'ok' ? [...reply.value.items] : [];
  };
  const port = simulatedPort({ api, caller: 'test' });
  const cluster: ClusterPort = {
    ...port,
    patch: async (request, signal): Promise<ApiAnswer<ApiObject>> =>
      options.refuse?.(request.name) ?? (await port.patch(request, signal)),
  };
  const phases = { a1: 'Done', b1: 'Done', c1: 'Draining', a2: 'Pending', b2: 'Pending', c2: 'Pending' };
  const base = runState(phases);
  let state: RunState = {
    ...base,
    turns: new Map([...base.turns].map(([name, turn]) => [name, { ...turn, nodeUid: uidOf(nodes(), name) }])),
  };
  const entries: JournalEntry[] = [];
  const write = (entry: JournalEntry) => {
    entries.push(entry);
    return Promise.resolve();
  };
  const sink = { name: 'test', write, close: () => Promise.resolve() };
  const work = {
    cache: { view: () => clusterView({ nodes: nodes().map(parseNode) }) },
    clock: time.clock,
    cluster,
    journal: openJournal({ run: 'monthly-2026-11', clock: time.clock, sinks: [sink], head: undefined }),
    playbook: { nodes: { ...nodesPolicy, steer: options.steer ?? 'taint' } },
    signal: new AbortController().signal,
    steered: new Set<string>(),
    store: {
      state: () => state,
      saveRun: (change: Partial<RunStatus>) => {
        state = { ...state, status: { ...state.status, ...change } };
        return Promise.resolve();
      },
    },
  };
  return {
    work,
    entries,
    status: () => state.status,
    tainted: () =>
      nodes()
        .map(parseNode)
        .filter(isSteeredAway)
        .map(({ name }) => name)
        .sort(),
    taintsOf: (name: string) => nodes().find(({ metadata }) => metadata.name === name)?.['spec'],
    /** Plays until the promise has settled. */
    play: async <T>(work: Promise<T>): Promise<T> => {
      let isOver = false;
      void work.finally(() => (isOver = true)).catch(() => undefined);
      await time.run(() => isOver, 3_600_000);
      return await work;
    },
  };
}

function uidOf(nodes: readonly ApiObject[], name: string): string {
  return nodes.find(({ metadata }) => metadata.name === name)?.metadata.uid ?? '';
}

const toCome = ['a2', 'b2', 'c2'];

describe('steering', () => {
  it('taints the nodes to come, says so in the run and the journal, and takes everything back', async () => {
    const { work, entries, status, tainted, taintsOf, play } = scene();
    await play(steerPods(work, toCome));
    expect(tainted()).toEqual(toCome);
    expect(taintsOf('c2')).toEqual({ taints: [foreign, steerTaint] });
    expect(status().steering?.taint).toBe('turnus.dev/turn-to-come:PreferNoSchedule');
    await play(steerPods(work, ['b2', 'c2']));
    expect(tainted()).toEqual(['b2', 'c2']);
    expect(await play(stopSteering(work))).toBeUndefined();
    expect(tainted()).toEqual([]);
    expect(taintsOf('c2')).toEqual({ taints: [foreign] });
    expect(status().steering).toBeUndefined();
    expect(entries.map(({ type, away, back }) => ({ type, away, back }))).toEqual([
      { type: 'nodes.steering', away: toCome, back: [] },
      { type: 'nodes.steering', away: [], back: ['a2'] },
      { type: 'nodes.steering', away: [], back: ['b2', 'c2'] },
    ]);
  });

  it('writes nothing where nothing is to change', async () => {
    const { work, entries, play } = scene();
    await play(steerPods(work, toCome));
    await play(steerPods(work, toCome));
    await play(stopSteering(work));
    await play(stopSteering(work));
    expect(entries).toHaveLength(2);
  });

  it('that is off takes back what an actor has left', async () => {
    const before = scene();
    await before.play(steerPods(before.work, toCome));
    const after = { ...before.work, steered: new Set<string>(), playbook: { nodes: { steer: 'off' as const } } };
    await before.play(steerPods(after, toCome));
    expect(before.tainted()).toEqual([]);
  });

  it('stops no turn where a taint cannot be set, and tries again with the next', async () => {
    let isDown = true;
    const down: ApiFailure = { kind: 'unreachable', message: 'no answer' };
    const { work, entries, tainted, play } = scene({ refuse: (name) => (isDown && name === 'b2' ? down : undefined) });
    await play(steerPods(work, toCome));
    expect(tainted()).toEqual(['a2', 'c2']);
    expect(entries.at(-1)).toMatchObject({
      type: 'nodes.steering-failed',
      failed: [{ node: 'b2', message: 'no answer' }],
    });
    isDown = false;
    await play(steerPods(work, toCome));
    expect(tainted()).toEqual(toCome);
  });

  it('is taken back as soon as the API server lets it', async () => {
    let refusals = 0;
    const throttled: ApiFailure = { kind: 'throttled', retryAfterMs: 1000, message: 'busy' };
    const { work, tainted, play } = scene({ refuse: () => (refusals-- > 0 ? throttled : undefined) });
    await play(steerPods(work, toCome));
    refusals = 7;
    expect(await play(stopSteering(work))).toBeUndefined();
    expect(tainted()).toEqual([]);
  });

  it('names the nodes, the reason and the command where it could not be taken back', async () => {
    let isForbidden = false;
    const forbidden: ApiFailure = { kind: 'forbidden', message: 'nodes "b2" is forbidden' };
    const { work, status, tainted, play } = scene({
      refuse: (name) => (isForbidden && name !== 'a2' ? forbidden : undefined),
    });
    await play(steerPods(work, toCome));
    isForbidden = true;
    expect(await play(stopSteering(work))).toBe(
      'b2, c2 still carry the taint turnus.dev/turn-to-come:PreferNoSchedule, which makes new pods rather go elsewhere; ' +
        'it could not be removed (nodes "b2" is forbidden). ' +
        'Remove it: kubectl taint nodes b2 c2 turnus.dev/turn-to-come:PreferNoSchedule- (or start a run: it does so first).',
    );
    expect(tainted()).toEqual(['b2', 'c2']);
    expect(status().steering).toBeDefined();
  });
});
