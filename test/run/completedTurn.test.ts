import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marks } from '../../src/cluster/marks.js';
import type { NodeView } from '../../src/cluster/view.js';
import { lastCompletedTurn, type CompletedTurn, type RecordedRun } from '../../src/run/completedTurn.js';
import { turnPhases } from '../../src/run/state.js';
import { aged, dayMs, daysAgo, doneTurn, now, recordedRun, turn } from './coverageFixtures.js';

const [october, november] = ['monthly-2026-10', 'monthly-2026-11'];
const before = { kernel: '6.1.0-1', osImage: 'Debian 12', kubelet: 'v1.36.2', containerRuntime: 'containerd://2.1' };
const after = { ...before, kernel: '6.1.0-2' };

function lastTurn(node: NodeView, runs: readonly RecordedRun[], playbook = 'monthly'): CompletedTurn | undefined {
  return lastCompletedTurn({ playbook, node, runs, now });
}

/** Days ago, run and record of the last turn. */
function summary(last: CompletedTurn | undefined): string {
  return last === undefined ? 'none' : `${String((now - last.at) / dayMs)} ${last.run} ${last.knownBy}`;
}

describe('the last turn of a node', () => {
  const plain = aged('n1', 300);
  it.each<{ title: string; node?: NodeView; runs: RecordedRun[]; playbook?: string; last: string }>([
    { title: 'is none where nothing is recorded', runs: [], last: 'none' },
    {
      title: 'is that of its Done turn',
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is the newest of several, in whatever order the runs come',
      runs: [recordedRun(october, [doneTurn('n1', 30)]), recordedRun(november, [doneTurn('n1', 2)])],
      last: `2 ${november} turn`,
    },
    { title: 'is not that of another node', runs: [recordedRun(october, [doneTurn('n2', 30)])], last: 'none' },
    {
      title: 'is not that of a machine that had this name before',
      runs: [recordedRun(october, [doneTurn('n1', 30, { nodeUid: 'uid-of-the-machine-before' })])],
      last: 'none',
    },
    {
      title: 'is not a rehearsal',
      runs: [
        recordedRun(`${november}-rehearsal-1`, [doneTurn('n1', 1)], { rehearsal: true }),
        recordedRun(october, [doneTurn('n1', 30)]),
      ],
      last: `30 ${october} turn`,
    },
    {
      title: 'is not one of another playbook',
      runs: [recordedRun('weekly-2026-11', [doneTurn('n1', 1)], { playbook: 'weekly' })],
      last: 'none',
    },
    {
      title: 'is not one that is Done because another run had done it',
      runs: [recordedRun(november, [turn('n1', { phase: 'Done' })])],
      last: 'none',
    },
    {
      title: 'is that of the mark where the run is gone',
      node: aged('n1', 300, { mark: { run: october, days: 30 } }),
      runs: [],
      last: `30 ${october} annotation`,
    },
    {
      title: 'is that of the mark of an ad hoc run',
      node: aged('n1', 300, { mark: { run: `${october}-x2`, days: 30 } }),
      runs: [],
      last: `30 ${october}-x2 annotation`,
    },
    {
      title: 'is as long ago as its mark says, however much later the turn was found Done',
      node: aged('n1', 300, { mark: { run: october, days: 30 } }),
      runs: [recordedRun(october, [doneTurn('n1', 12)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is that of the turn where the mark of the same run is later, by another clock',
      node: aged('n1', 300, { mark: { run: october, days: 29.5 } }),
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is that of the turn where the mark of the same run lies far ahead',
      node: aged('n1', 300, { mark: { run: october, days: -30 } }),
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is as long ago as its turn was Done where the mark of the same run is older than the machine',
      node: aged('n1', 40, { mark: { run: october, days: 50 } }),
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is that of the mark where it is later',
      node: aged('n1', 300, { mark: { run: november, days: 1 } }),
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `1 ${november} annotation`,
    },
    {
      title: 'is that of the turn where the mark is of another playbook',
      node: aged('n1', 300, { mark: { run: 'weekly-2026-11', days: 1 } }),
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is not that of the mark of a playbook whose name begins alike',
      node: aged('n1', 300, { mark: { run: 'monthly-edge-2026-11', days: 1 } }),
      runs: [],
      last: 'none',
    },
    {
      title: 'is told apart for a playbook whose name looks like a run',
      node: aged('n1', 300, { mark: { run: 'monthly-2026-11-2026-12', days: 1 } }),
      runs: [],
      playbook: 'monthly-2026-11',
      last: '1 monthly-2026-11-2026-12 annotation',
    },
    {
      title: 'is not one that lies in the future',
      node: aged('n1', 300, { mark: { run: november, days: -20 } }),
      runs: [recordedRun(october, [doneTurn('n1', 30)])],
      last: `30 ${october} turn`,
    },
    {
      title: 'is not that of a mark from before the node was registered, as a restored object carries it',
      node: aged('n1', 10, { mark: { run: october, days: 30 } }),
      runs: [],
      last: 'none',
    },
    {
      title: 'is not a mark that cannot be read',
      node: aged('n1', 300, { annotations: { [marks.lastTurn]: 'yesterday' } }),
      runs: [],
      last: 'none',
    },
  ])('$title', ({ node = plain, runs, playbook, last }) => {
    expect(summary(lastTurn(node, runs, playbook))).toBe(last);
  });

  it.each(turnPhases.filter((phase) => phase !== 'Done'))('is not a turn that is %s', (phase) => {
    const runs = [recordedRun(october, [turn('n1', { phase, finishedAt: daysAgo(30) })])];
    expect(lastTurn(plain, runs)).toBeUndefined();
  });
});

describe('the versions of the last turn', () => {
  const status = {
    versionsBefore: before,
    versionsAfter: after,
    jobs: {
      update: {
        execution: 1,
        intentAt: daysAgo(30),
        bootIdBefore: 'a',
        versions: { openssl: '3.0.14', glibc: '2.36' },
      },
      join: { execution: 1, intentAt: daysAgo(30), bootIdBefore: 'b', versions: { openssl: '3.0.15' } },
    },
  };

  it('are those that it recorded, and what its scripts said, the later before the earlier', () => {
    const runs = [recordedRun(october, [turn('n1', { ...status, phase: 'Done', finishedAt: daysAgo(30) })])];
    expect(lastTurn(aged('n1', 300), runs)).toMatchObject({
      versionsBefore: before,
      versionsAfter: after,
      scriptVersions: { openssl: '3.0.15', glibc: '2.36' },
    });
  });

  it('are known of a node that is given back and settles', () => {
    const node = aged('n1', 300, { mark: { run: november, days: 0 } });
    const runs = [recordedRun(november, [turn('n1', { ...status, phase: 'Settling' })])];
    expect(lastTurn(node, runs)).toMatchObject({ knownBy: 'annotation', versionsAfter: after });
  });

  it('are not taken from a turn of the same name that goes on, or from another machine', () => {
    const node = aged('n1', 300, { mark: { run: november, days: 1 } });
    for (const other of [
      turn('n1', { ...status, phase: 'Draining' }),
      turn('n1', { ...status, phase: 'Settling' }, { nodeUid: 'uid-of-the-machine-before' }),
    ]) {
      expect(lastTurn(node, [recordedRun(november, [other])])).toMatchObject({
        versionsBefore: undefined,
        versionsAfter: undefined,
        scriptVersions: {},
      });
    }
  });
});

describe('whatever is recorded', () => {
  const anyRun = fc
    .record({
      month: fc.integer({ min: 1, max: 11 }),
      rehearsal: fc.boolean(),
      phase: fc.oneof({ weight: 2, arbitrary: fc.constant('Done') }, fc.constantFrom(...turnPhases)),
      days: fc.integer({ min: 0, max: 300 }),
      isSameMachine: fc.boolean(),
    })
    .map(({ month, rehearsal, phase, days, isSameMachine }) =>
      recordedRun(
        `monthly-2026-${String(month).padStart(2, '0')}${rehearsal ? '-rehearsal-1' : ''}`,
        [turn('n1', { phase, finishedAt: daysAgo(days) }, isSameMachine ? {} : { nodeUid: 'another' })],
        { rehearsal },
      ),
    );

  it('no Done turn of this machine is later than the last one, and that is one of them', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 8 }), (runs) => {
        const last = lastTurn(aged('n1', 400), runs);
        const counted = runs
          .filter(({ rehearsal }) => !rehearsal)
          .flatMap(({ turns }) => turns)
          .filter(({ status, nodeUid }) => status.phase === 'Done' && nodeUid === 'uid-of-n1')
          .map(({ status }) => Date.parse(status.finishedAt ?? ''));
        expect(last?.at).toBe(counted.length === 0 ? undefined : Math.max(...counted));
      }),
    );
  });
});
