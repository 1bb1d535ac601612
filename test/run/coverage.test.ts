import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/cluster/view.js';
import type { RecordedRun } from '../../src/run/completedTurn.js';
import { alarmingNodes, coverage, type Coverage, type JudgedPlaybook } from '../../src/run/coverage.js';
import { clusterView, pod } from '../drain/clusterFixtures.js';
import { aged, dayMs, doneTurn, judgedPlaybook, now, recordedRun } from './coverageFixtures.js';
import { nodesPolicy } from './runFixtures.js';

const run = 'monthly-2026-10';

function judge(content: {
  readonly nodes: readonly NodeView[];
  readonly runs?: readonly RecordedRun[];
  readonly playbooks?: readonly JudgedPlaybook[];
}): Coverage {
  const { nodes, runs = [], playbooks = [judgedPlaybook()] } = content;
  return coverage({ view: clusterView({ nodes }), playbooks, runs, now });
}

/** `node verdict`, with an exclamation mark where it is an alarm. */
function verdicts({ playbooks }: Coverage): string[] {
  return playbooks.flatMap(({ nodes }) =>
    nodes.map(({ node, verdict, isAlarm }) => `${node} ${verdict}${isAlarm ? '!' : ''}`),
  );
}

function verdictOf(node: NodeView, done: number | undefined, coverageMs: number | undefined): string {
  const runs = done === undefined ? [] : [recordedRun(run, [doneTurn(node.name, done)])];
  return verdicts(judge({ nodes: [node], runs, playbooks: [judgedPlaybook({ coverageMs })] })).join();
}

const limit = 40 * dayMs;

describe('the verdict about a node', () => {
  it.each<{ title: string; registered: number; done?: number; coverageMs?: number; verdict: string }>([
    { title: 'done lately', registered: 300, done: 10, coverageMs: limit, verdict: 'n1 covered' },
    { title: 'done just within the coverage', registered: 300, done: 40, coverageMs: limit, verdict: 'n1 covered' },
    { title: 'done longer ago', registered: 300, done: 40.001, coverageMs: limit, verdict: 'n1 overdue!' },
    { title: 'new and not done', registered: 3, coverageMs: limit, verdict: 'n1 never' },
    { title: 'there for just as long as the coverage', registered: 40, coverageMs: limit, verdict: 'n1 never' },
    { title: 'there for longer and never done', registered: 40.001, coverageMs: limit, verdict: 'n1 never!' },
    { title: 'done long ago, without coverage', registered: 300, done: 200, verdict: 'n1 no-limit' },
    { title: 'never done, without coverage', registered: 300, verdict: 'n1 never' },
  ])('that is $title', ({ registered, done, coverageMs, verdict }) => {
    expect(verdictOf(aged('n1', registered), done, coverageMs)).toBe(verdict);
  });

  it('says when a turn is due, and how old the last one is', () => {
    const { playbooks } = judge({
      nodes: [aged('done', 300), aged('new', 3)],
      runs: [recordedRun(run, [doneTurn('done', 10)])],
    });
    expect(playbooks[0]?.nodes).toMatchObject([
      { node: 'done', ageMs: 10 * dayMs, dueAt: now + 30 * dayMs },
      { node: 'new', ageMs: undefined, dueAt: now + 37 * dayMs },
    ]);
  });

  it('counts a turn for another machine of this name as none', () => {
    const runs = [recordedRun(run, [doneTurn('n1', 10, { nodeUid: 'uid-of-the-machine-before' })])];
    expect(verdicts(judge({ nodes: [aged('n1', 3)], runs }))).toEqual(['n1 never']);
  });
});

describe('the nodes of a playbook', () => {
  it('are those that it selects; the others are named without an alarm', () => {
    const judged = judge({
      nodes: [
        aged('n1', 300, { labels: { pool: 'workers' } }),
        aged('n2', 300, { labels: { pool: 'workers', 'turnus.dev/exclude': '' } }),
        aged('n3', 300, { labels: { pool: 'gpu' } }),
      ],
      playbooks: [judgedPlaybook({ nodes: { ...nodesPolicy, selector: 'pool=workers' } })],
    });
    expect(verdicts(judged)).toEqual(['n1 never!']);
    expect(judged.notSelected).toEqual(['n2', 'n3']);
    expect(alarmingNodes(judged)).toEqual(['n1']);
  });

  it('do not carry the control plane, also where only a static pod tells', () => {
    const nodes = [
      aged('n1', 300),
      aged('n2', 300),
      aged('n3', 300, { labels: { 'node-role.kubernetes.io/etcd': '' } }),
    ];
    const apiServer = pod('kube-apiserver-n2', { nodeName: 'n2', mirror: true });
    const view = clusterView({ nodes, pods: [apiServer] });
    const judged = coverage({ view, playbooks: [judgedPlaybook()], runs: [], now });
    expect(verdicts(judged)).toEqual(['n1 never!']);
    expect(judged.notSelected).toEqual(['n2', 'n3']);
  });

  it('are judged by each playbook that selects them, by its own runs and its own coverage', () => {
    const judged = judge({
      nodes: [aged('n1', 300)],
      runs: [
        recordedRun('firmware-2026-06', [doneTurn('n1', 170)], { playbook: 'firmware' }),
        recordedRun(run, [doneTurn('n1', 50)]),
      ],
      playbooks: [judgedPlaybook({ name: 'firmware', coverageMs: 200 * dayMs }), judgedPlaybook()],
    });
    expect(verdicts(judged)).toEqual(['n1 covered', 'n1 overdue!']);
    expect(alarmingNodes(judged)).toEqual(['n1']);
  });

  it('come with the alarms first, then those longest without a turn, then by name', () => {
    const done = [doneTurn('a', 10), doneTurn('b', 50), doneTurn('c', 20), doneTurn('e', 10)];
    const nodes = ['a', 'b', 'c', 'e'].map((name) => aged(name, 300));
    const judged = judge({ nodes: [...nodes, aged('d', 60), aged('f', 15)], runs: [recordedRun(run, done)] });
    expect(verdicts(judged)).toEqual(['d never!', 'b overdue!', 'c covered', 'f never', 'a covered', 'e covered']);
  });
});

describe('of any nodes', () => {
  const anyNode = fc.record({
    registered: fc.integer({ min: 0, max: 100 }),
    done: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  });
  const anyLimit = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });

  it('each is judged once, an alarm is one that is due, and none is one without coverage', () => {
    fc.assert(
      fc.property(fc.array(anyNode, { maxLength: 12 }), anyLimit, (all, days) => {
        const nodes = all.map(({ registered }, place) => aged(`n${String(place)}`, registered));
        const turns = all.flatMap(({ done }, place) =>
          done === undefined ? [] : [doneTurn(`n${String(place)}`, done)],
        );
        const coverageMs = days === undefined ? undefined : days * dayMs;
        const judged = judge({ nodes, runs: [recordedRun(run, turns)], playbooks: [judgedPlaybook({ coverageMs })] });
        const judgements = judged.playbooks.flatMap((playbook) => playbook.nodes);
        expect(judgements.map(({ node }) => node).sort()).toEqual(nodes.map(({ name }) => name).sort());
        for (const { isAlarm, dueAt, lastTurn, createdAt } of judgements) {
          const since = lastTurn?.at ?? createdAt;
          expect(isAlarm).toBe(coverageMs !== undefined && now - since > coverageMs);
          expect(dueAt).toBe(coverageMs === undefined ? undefined : since + coverageMs);
        }
        const isSorted = judgements.every(({ isAlarm }, place) => isAlarm || judgements[place + 1]?.isAlarm !== true);
        expect(isSorted).toBe(true);
      }),
    );
  });

  it('a turn more never makes an alarm', () => {
    fc.assert(
      fc.property(anyNode, fc.integer({ min: 0, max: 100 }), ({ registered, done }, more) => {
        const turns = done === undefined ? [] : [recordedRun(run, [doneTurn('n1', done)])];
        const another = recordedRun('monthly-2026-11', [doneTurn('n1', more)]);
        const alarms = (runs: readonly RecordedRun[]) =>
          alarmingNodes(judge({ nodes: [aged('n1', Math.max(registered, more, done ?? 0))], runs }));
        if (alarms(turns).length === 0) expect(alarms([...turns, another])).toEqual([]);
      }),
    );
  });
});
