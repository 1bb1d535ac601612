import { describe, expect, it } from 'vitest';
import type { LeaseSight } from '../../src/cluster/leaseSight.js';
import { statusJson, statusText, type RunStatusView } from '../../src/console/statusText.js';
import type { RunSpec, RunState } from '../../src/run/state.js';
import { runSpec, runState } from '../run/runFixtures.js';

const now = Date.parse('2026-11-11T03:00:00.000Z');
const free: LeaseSight = { kind: 'free' };

function viewOf(state: RunState, changes: Partial<RunStatusView> = {}): RunStatusView {
  return { state, actor: free, lease: 'turnus-system/turnus', others: [], ...changes };
}

function wanting(desired: RunSpec['desired']): RunState {
  return { ...runState({ n1: 'Pending' }), spec: { ...runSpec, desired } };
}

describe('the status of a run', () => {
  it('shows the run, all its turns, what failed, and that nobody acts', () => {
    const state = runState(
      { n1: 'Done', n2: { phase: 'Failed', message: 'Node n2 is not Ready.' }, n3: 'Pending' },
      { phase: 'Failed', startedAt: '2026-11-11T01:00:00.000Z' },
    );
    expect(statusText(viewOf(state), now)).toEqual([
      'Run monthly-2026-11: Failed (playbook monthly)',
      '1 of 3 done, 1 failed, 0 blocked, 1 left; started 01:00:00Z; 2 h ago',
      'no actor is at work; asked for by anna@bank.example',
      '',
      'NODE  PHASE    TIME  PODS LEFT  REMARK',
      'n1    Done     -     -',
      'n2    Failed   -     -          see below',
      'n3    Pending  -     -',
      '',
      'Node n2 is Failed',
      '  What happened: Node n2 is not Ready.',
      '  Left as: node not cordoned by Turnus, host is untouched',
      '',
      'Lease turnus-system/turnus: no actor is at work.',
      'To go on, start `turnus run -f PLAYBOOK` (playbook monthly).',
    ]);
  });

  it('says who is at work and when it was last seen', () => {
    const actor: LeaseSight = { kind: 'alive', holder: 'anna@laptop/1a2b', renewedAt: now - 3000 };
    const lines = statusText(viewOf(runState({ n1: 'Draining' }), { actor }), now);
    expect(lines.at(-1)).toBe('Lease turnus-system/turnus: anna@laptop/1a2b is at work (last seen 3 s ago).');
  });

  it('says that the holder of the lease is silent, and how to go on; a rehearsal is gone on with as one', () => {
    const actor: LeaseSight = { kind: 'silent', holder: 'anna@laptop/1a2b', renewedAt: now - 300_000 };
    const state = { ...runState({ n1: 'Draining' }), spec: { ...runSpec, rehearsal: true } };
    expect(statusText(viewOf(state, { actor }), now).slice(-2)).toEqual([
      'Lease turnus-system/turnus: no actor is at work: anna@laptop/1a2b holds the lease and has not renewed it (last seen 5 min ago).',
      'To go on, start `turnus run -f PLAYBOOK --rehearse` (playbook monthly).',
    ]);
  });

  it('says that pods are turned away from nodes to come', () => {
    const steering = { taint: 'turnus.dev/turn-to-come:PreferNoSchedule', since: '2026-11-11T02:00:00.000Z' };
    expect(statusText(viewOf(runState({ n1: 'Done', n2: 'Pending' }, { steering })), now)).toContain(
      'Nodes whose turn is still to come carry the taint turnus.dev/turn-to-come:PreferNoSchedule: pods move rather to others.',
    );
  });

  it('does not ask anybody to go on with a run that is over', () => {
    const lines = statusText(viewOf(runState({ n1: 'Done' }, { phase: 'Completed' })), now);
    expect(lines.at(-1)).toBe('Lease turnus-system/turnus: no actor is at work.');
  });

  it('tells what a person wants of the run and what nobody has answered', () => {
    const state = wanting({
      state: 'Pause',
      by: 'anna@bank.example',
      reason: 'storage alarm',
      requests: [
        { id: 'a1', verb: 'retry', node: 'n1', by: 'bert' },
        { id: 'a2', verb: 'resume' },
        { id: 'a0', verb: 'skip', node: 'n2' },
      ],
    });
    const handledRequests = [{ id: 'a0', result: 'skipped', time: '2026-11-11T01:00:00.000Z' }];
    expect(statusText(viewOf({ ...state, status: { ...state.status, handledRequests } }), now).slice(-4)).toEqual([
      'Wanted is Pause, by anna@bank.example: storage alarm',
      'Asked for and not yet answered:',
      '  retry n1, by bert (request a1)',
      '  resume, by somebody (request a2)',
    ]);
  });

  it('tells nonsense in what is wanted, as the condition says it, and before an actor has seen it', () => {
    const nonsense = wanting({ state: 'Stop!' });
    expect(statusText(viewOf(nonsense), now).at(-1)).toMatch(/^DesiredInvalid: spec.desired.state is "Stop!"/);
    const conditions = [
      { type: 'DesiredInvalid', status: 'True', reason: 'NotUnderstood', message: 'Nonsense.', lastTransitionTime: '' },
    ];
    const seen = { ...nonsense, status: { ...nonsense.status, conditions } };
    expect(statusText(viewOf(seen), now).at(-1)).toBe('DesiredInvalid: Nonsense.');
  });

  it('names the other runs, the newest ten of them', () => {
    const others = Array.from({ length: 12 }, (_, index) => ({ name: `run-${String(index)}`, phase: 'Completed' }));
    const lines = statusText(viewOf(runState({ n1: 'Done' }), { others }), now);
    expect(lines.slice(lines.indexOf('Other runs:')).slice(0, 2)).toEqual(['Other runs:', '  run-0  Completed']);
    expect(lines.at(-1)).toBe('  and 2 more: kubectl get maintenanceruns -A');
  });

  it('never shows the snapshot of the playbook, and lets nothing act on the terminal', () => {
    const hostile = '\u001b[2Jgone';
    const state = runState(
      { n1: { phase: 'Failed', message: hostile }, n2: { phase: 'Blocked', message: hostile } },
      { message: hostile },
    );
    const actor: LeaseSight = { kind: 'alive', holder: hostile, renewedAt: undefined };
    const text = statusText(viewOf({ ...state, spec: { ...runSpec, change: hostile } }, { actor }), now).join('');
    expect(text).not.toContain(runSpec.playbook.snapshot);
    expect(text).not.toMatch(/\p{Cc}/u);
  });
});

describe('the status of a run for programs', () => {
  it('holds spec, status and the turns in their order', () => {
    const state = runState({ n2: 'Done', n1: { phase: 'Draining', podsLeft: 3 } });
    const actor: LeaseSight = { kind: 'alive', holder: 'anna', renewedAt: now };
    expect(
      JSON.parse(JSON.stringify(statusJson(viewOf(state, { actor, others: [{ name: 'old', phase: 'Failed' }] })))),
    ).toEqual({
      name: 'monthly-2026-11',
      uid: 'uid-of-the-run',
      isDeleted: false,
      spec: runSpec,
      status: { phase: 'Running', order: ['n2', 'n1'] },
      turns: [
        { node: 'n2', nodeUid: 'uid-of-n2', status: { phase: 'Done' } },
        { node: 'n1', nodeUid: 'uid-of-n1', status: { phase: 'Draining', podsLeft: 3 } },
      ],
      actor: { lease: 'turnus-system/turnus', kind: 'alive', holder: 'anna', renewedAt: '2026-11-11T03:00:00.000Z' },
      openRequests: [],
      otherRuns: [{ name: 'old', phase: 'Failed' }],
    });
  });
});
