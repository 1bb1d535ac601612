import { describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/cluster/view.js';
import { coverageJson } from '../../src/console/coverageJson.js';
import { coverageText } from '../../src/console/coverageText.js';
import type { RecordedRun } from '../../src/run/completedTurn.js';
import { coverage, type JudgedPlaybook } from '../../src/run/coverage.js';
import type { CoverageReading } from '../../src/run/readCoverage.js';
import { clusterView } from '../drain/clusterFixtures.js';
import { aged, daysAgo, doneTurn, judgedPlaybook, now, recordedRun, turn } from '../run/coverageFixtures.js';

function reading(content: {
  readonly nodes: readonly NodeView[];
  readonly runs?: readonly RecordedRun[];
  readonly playbooks?: readonly JudgedPlaybook[];
  readonly notUnderstood?: readonly string[];
}): CoverageReading {
  const { nodes, runs = [], playbooks = [judgedPlaybook()], notUnderstood = [] } = content;
  return { coverage: coverage({ view: clusterView({ nodes }), playbooks, runs, now }), notUnderstood };
}

const before = { kernel: '6.1.0-1', osImage: 'Debian 12', kubelet: 'v1.36.2', containerRuntime: 'containerd://2.1' };
const upgraded = turn('n1', {
  phase: 'Done',
  finishedAt: daysAgo(10),
  versionsBefore: before,
  versionsAfter: { ...before, kernel: '6.1.0-2' },
  jobs: { update: { execution: 1, intentAt: daysAgo(10), bootIdBefore: 'a', versions: { openssl: '3.0.15' } } },
});
const unchanged = turn('n2', {
  phase: 'Done',
  finishedAt: daysAgo(50),
  versionsBefore: before,
  versionsAfter: before,
});
const november = recordedRun('monthly-2026-11', [upgraded, turn('n2', { phase: 'Blocked' })], {
  phase: 'AwaitingWindow',
  createdAt: now - 10 * 86_400_000,
});
const october = recordedRun('monthly-2026-10', [unchanged]);
const nodes = [
  aged('n1', 300),
  aged('n2', 300),
  aged('n3', 3),
  aged('n4', 41),
  aged('cp', 300, { labels: { 'node-role.kubernetes.io/control-plane': '' } }),
];

describe('the coverage for people', () => {
  it('shows every node, alarms first, where the run stands, who is not selected, and at last what to do', () => {
    const playbooks = [judgedPlaybook({ snapshotOf: 'monthly-2026-11' })];
    expect(coverageText(reading({ nodes, runs: [november, october], playbooks }))).toEqual([
      'Playbook monthly, as run monthly-2026-11 keeps it: every node has its turn within 40 d',
      '',
      'NODE  VERDICT              AGE   DUE                LAST TURN          RUN              VERSIONS',
      'n2    OVERDUE              50 d  2026-11-20 12:00Z  2026-10-11 12:00Z  monthly-2026-10  unchanged',
      'n4    OVERDUE, never done  -     2026-11-29 12:00Z  -                  -                -',
      'n1    covered              10 d  2026-12-30 12:00Z  2026-11-20 12:00Z  monthly-2026-11  kernel 6.1.0-1 -> 6.1.0-2, openssl 3.0.15',
      'n3    never done           -     2027-01-06 12:00Z  -                  -                -',
      '',
      'Run monthly-2026-11 is AwaitingWindow; not done yet: n2 (Blocked)',
      '  Selected, and not in it: n3, n4',
      '',
      'Not selected, and so never taken: cp',
      '2 of 4 nodes are overdue: n2, n4. Next: turnus status monthly-2026-11 says where the run stands and how it goes on; turnus explain NODE says what keeps a node waiting.',
    ]);
  });

  it('names the command where no run is unfinished, for each playbook that has an alarm', () => {
    const playbooks = [
      judgedPlaybook({ name: 'firmware' }),
      judgedPlaybook({ coverageMs: undefined }),
      judgedPlaybook({ name: 'weekly' }),
    ];
    expect(coverageText(reading({ nodes: [aged('n1', 300)], playbooks })).at(-1)).toBe(
      '1 of 1 nodes is overdue: n1. Next: turnus run -f PLAYBOOK (playbook firmware); turnus run -f PLAYBOOK (playbook weekly); turnus explain NODE says what keeps a node waiting.',
    );
  });

  it('has no alarm where the playbook gives no coverage, and says that', () => {
    const runs = [recordedRun('monthly-2026-01', [doneTurn('n1', 300)])];
    const playbooks = [judgedPlaybook({ coverageMs: undefined })];
    expect(coverageText(reading({ nodes: [aged('n1', 301), aged('n2', 300)], runs, playbooks }))).toEqual([
      'Playbook monthly: spec.schedule.coverage is not given, so nothing is overdue',
      '',
      'NODE  VERDICT     AGE    DUE  LAST TURN          RUN              VERSIONS',
      'n1    done        300 d  -    2026-02-03 12:00Z  monthly-2026-01  -',
      'n2    never done  -      -    -                  -                -',
      '',
      'No alarm: 2 nodes, 1 of them not done yet.',
    ]);
  });

  it('says that nothing is selected', () => {
    expect(coverageText(reading({ nodes: nodes.slice(4) }))).toEqual([
      'Playbook monthly: every node has its turn within 40 d',
      '',
      'It selects no node.',
      '',
      'Not selected, and so never taken: cp',
      'No alarm: 0 nodes.',
    ]);
  });

  it('tells of nodes that joined and that left', () => {
    const run = recordedRun(
      'monthly-2026-11',
      [turn('gone', { phase: 'Pending' }), turn('n1', { phase: 'Pending' }, { createdAt: now })],
      { phase: 'Running', createdAt: now - 86_400_000 },
    );
    expect(coverageText(reading({ nodes: [aged('n1', 0)], runs: [run] }))).toEqual(
      expect.arrayContaining([
        'Run monthly-2026-11 is Running; not done yet: n1 (Pending)',
        '  Joined since its plan: n1',
        '  Left the cluster before their turn: gone',
      ]),
    );
  });

  it('does not call it no alarm without a word where something is not understood', () => {
    const lines = coverageText(reading({ nodes: [aged('n1', 1)], notUnderstood: ['Run x is strange.'] }));
    expect(lines.slice(-2)).toEqual([
      'Not counted: Run x is strange.',
      'No alarm: 1 node, 1 of them not done yet. What is not counted may hide one: use the version that wrote it.',
    ]);
  });

  it('is no way to act on a terminal', () => {
    const name = 'n1\u001b[2J\n';
    const versions = { 'a\u001b[2J': 'b\u0007' };
    const said = turn(name, {
      phase: 'Done',
      finishedAt: daysAgo(10),
      jobs: { update: { execution: 1, intentAt: daysAgo(10), bootIdBefore: 'a', versions } },
    });
    const run = recordedRun('monthly-2026-11', [said, turn('n2\u001b[1m', { phase: 'Failed\u001b[1m' })], {
      phase: 'Failed',
      createdAt: now - 86_400_000,
    });
    const text = coverageText(
      reading({
        nodes: [aged(name, 300), aged('n2\u001b[1m', 300)],
        runs: [run],
        notUnderstood: ['\u001b[2J'],
      }),
    ).join('\n');
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(text).toContain('a b');
  });
});

describe('the coverage for programs', () => {
  it('has every field that docs/coverage.md names', () => {
    const playbooks = [judgedPlaybook({ snapshotOf: 'monthly-2026-11' })];
    const json: unknown = JSON.parse(
      JSON.stringify(coverageJson(reading({ nodes, runs: [november, october], playbooks }))),
    );
    expect(json).toMatchObject({
      judgedAt: '2026-11-30T12:00:00.000Z',
      alarms: ['n2', 'n4'],
      playbooks: [
        {
          playbook: 'monthly',
          snapshotOf: 'monthly-2026-11',
          coverageMs: 3_456_000_000,
          nodes: [
            { node: 'n2', verdict: 'overdue', alarm: true },
            { node: 'n4', verdict: 'never', alarm: true, dueAt: '2026-11-29T12:00:00.000Z' },
            {
              node: 'n1',
              verdict: 'covered',
              alarm: false,
              ageMs: 864_000_000,
              dueAt: '2026-12-30T12:00:00.000Z',
              createdAt: daysAgo(300),
              lastTurn: {
                time: daysAgo(10),
                run: 'monthly-2026-11',
                knownBy: 'turn',
                versionsBefore: before,
                versionsAfter: { ...before, kernel: '6.1.0-2' },
                scriptVersions: { openssl: '3.0.15' },
              },
            },
            { node: 'n3', verdict: 'never', alarm: false },
          ],
          currentRun: {
            run: 'monthly-2026-11',
            phase: 'AwaitingWindow',
            toCome: [{ node: 'n2', phase: 'Blocked' }],
            joined: [],
            notInRun: ['n3', 'n4'],
            vanished: [],
          },
        },
      ],
      notSelected: ['cp'],
      notUnderstood: [],
    });
  });
});
