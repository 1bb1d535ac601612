import { describe, expect, it } from 'vitest';
import { findingCatalogue } from '../../src/gates/finding.js';
import type { DesiredState } from '../../src/run/desired.js';
import { judgeRequest, refusedState } from '../../src/run/judgeRequest.js';
import { runPhases, turnPhases, type RunSpec } from '../../src/run/state.js';
import { runSpec, runState } from './runFixtures.js';

const inWork = [
  ...['Preparing', 'Checking', 'Cordoning', 'Draining', 'Updating', 'Rebooting', 'Verifying', 'Uncordoning'],
  ...['Settling', 'Undoing'],
];
const nothingIn = ['Completed', 'Superseded'];

describe.each(['retry', 'retry-again'] as const)('%s', (verb) => {
  it.each(turnPhases)('of a turn that is %s is done only where that is Failed', (phase) => {
    const judged = judgeRequest(runState({ 'node-1': phase }), { verb, node: 'node-1' });
    expect(judged).toEqual(
      phase === 'Failed'
        ? { kind: 'turn', verb, node: 'node-1' }
        : { kind: 'refused', message: `The turn of node-1 is ${phase}, not Failed; there is nothing to retry.` },
    );
  });
});

describe('skip', () => {
  it.each(turnPhases)('of a turn that is %s is refused where it is in work or over', (phase) => {
    const judged = judgeRequest(runState({ 'node-1': phase }), { verb: 'skip', node: 'node-1' });
    if (inWork.includes(phase)) {
      expect(judged).toEqual({
        kind: 'refused',
        message: `The turn of node-1 is in work (${phase}); end it first with: turnus abort monthly-2026-11`,
      });
    } else if (phase === 'Done' || phase === 'Skipped') {
      expect(judged).toEqual({ kind: 'refused', message: `The turn of node-1 is ${phase} already.` });
    } else {
      expect(judged).toEqual({ kind: 'turn', verb: 'skip', node: 'node-1' });
    }
  });
});

describe('accept', () => {
  const accepting = (change: object = {}) => ({
    verb: 'accept',
    node: 'node-1',
    code: 'replica-spread',
    reason: 'its team is told',
    ...change,
  });

  it.each(turnPhases)('for a turn that is %s is refused where it is in work or over', (phase) => {
    const judged = judgeRequest(runState({ 'node-1': phase }), accepting());
    if (inWork.includes(phase) || phase === 'Done' || phase === 'Skipped') expect(judged.kind).toBe('refused');
    else {
      expect(judged).toEqual({ kind: 'accept', node: 'node-1', code: 'replica-spread', reason: 'its team is told' });
    }
  });

  it.each(Object.keys(findingCatalogue).filter((code) => code.startsWith('budget-')))('never takes %s', (code) => {
    expect(judgeRequest(runState({ 'node-1': 'Blocked' }), accepting({ code }))).toEqual({
      kind: 'refused',
      message: `${code} is never accepted: a PodDisruptionBudget holds for everybody. Change the budget or the workload that the finding names.`,
    });
  });

  it.each([
    { title: 'a proof', change: { code: 'host-is-not-node' }, says: 'host-is-not-node cannot be accepted; these can:' },
    {
      title: 'no code',
      change: { code: undefined },
      says: 'No finding is named; these can be accepted: replica-spread',
    },
    { title: 'a code that is none', change: { code: 'spread' }, says: '"spread" is no finding' },
    { title: 'a name of every object', change: { code: 'constructor' }, says: '"constructor" is no finding' },
    { title: 'no reason', change: { reason: ' ' }, says: 'Whoever accepts replica-spread says why: give a reason.' },
    { title: 'another node', change: { node: 'node-9' }, says: 'has no turn of node node-9; it has: node-1.' },
  ])('refuses $title', ({ change, says }) => {
    const judged = judgeRequest(runState({ 'node-1': 'Blocked' }), accepting(change));
    expect(judged).toMatchObject({ kind: 'refused', message: expect.stringContaining(says) as string });
  });
});

describe('any request', () => {
  const requests = [{ verb: 'resume' }, { verb: 'retry', node: 'node-1' }, { verb: 'skip', node: 'node-1' }];

  it.each(runPhases)('to a run that is %s is refused only where nothing in it can change any more', (phase) => {
    for (const request of requests) {
      const judged = judgeRequest(runState({ 'node-1': 'Failed' }, { phase }), request);
      expect(judged.kind === 'refused', request.verb).toBe(nothingIn.includes(phase));
      if (judged.kind === 'refused') expect(judged.message).toContain(`Run monthly-2026-11 is ${phase}`);
    }
  });

  it('to a run that a person has deleted is refused', () => {
    const deleted = { ...runState({ 'node-1': 'Failed' }), isDeleted: true };
    for (const request of requests) {
      expect(judgeRequest(deleted, request)).toMatchObject({
        kind: 'refused',
        message: expect.stringContaining('was deleted') as string,
      });
    }
  });

  it.each(['', 'Retry', 'drop'])('with the verb "%s" is refused with the verbs there are', (verb) => {
    expect(judgeRequest(runState({ 'node-1': 'Failed' }), { verb, node: 'node-1' })).toEqual({
      kind: 'refused',
      message: `"${verb}" is none of retry, retry-again, skip, accept, resume.`,
    });
  });

  it('about a node without a turn names those that have one', () => {
    const state = runState({ 'node-1': 'Failed', 'node-2': 'Done' });
    expect(judgeRequest(state, { verb: 'skip', node: 'node-9' })).toEqual({
      kind: 'refused',
      message: 'Run monthly-2026-11 has no turn of node node-9; it has: node-1, node-2.',
    });
    expect(judgeRequest(state, { verb: 'retry' })).toMatchObject({
      message: expect.stringContaining('(none named)') as string,
    });
    expect(judgeRequest(runState({}), { verb: 'skip', node: 'node-9' })).toMatchObject({
      message: 'Run monthly-2026-11 has no turn of node node-9; it has: none.',
    });
  });

  it('about an unknown node of a large run names some and counts the others', () => {
    const nodes = Array.from({ length: 60 }, (_, place) => [`node-${String(place + 1)}`, 'Pending']);
    const judged = judgeRequest(runState(Object.fromEntries(nodes) as Record<string, string>), {
      verb: 'skip',
      node: 'x',
    });
    expect(judged).toMatchObject({ message: expect.stringMatching(/ node-40 and 20 more\.$/) as string });
  });
});

describe('the state of a run', () => {
  const judge = (phase: string, wanted: DesiredState, desired?: RunSpec['desired'], isDeleted = false) =>
    refusedState({ ...runState({}, { phase }), spec: { ...runSpec, desired }, isDeleted }, wanted);

  it.each(['Completed', 'Superseded'])('cannot change once it is %s', (phase) => {
    for (const wanted of ['Run', 'Pause', 'Abort', 'AbortNow'] as const) {
      expect(judge(phase, wanted)).toMatch(`Run monthly-2026-11 is ${phase}; it cannot be`);
    }
  });

  it.each(runPhases.filter((phase) => !nothingIn.includes(phase)))('can be anything while it is %s', (phase) => {
    for (const wanted of ['Run', 'Pause', 'Abort', 'AbortNow'] as const) {
      expect(judge(phase, wanted, { state: 'Run' }), wanted).toBeUndefined();
      expect(judge(phase, wanted), wanted).toBeUndefined();
    }
  });

  it.each<{ from: DesiredState; to: DesiredState; phase: string; says: RegExp }>([
    { from: 'AbortNow', to: 'Abort', phase: 'Running', says: /is to stop at once already \(asked for by anna\)/ },
    { from: 'Abort', to: 'Pause', phase: 'Running', says: /being aborted \(asked for by anna\).*turnus resume/ },
    { from: 'AbortNow', to: 'Pause', phase: 'Running', says: /a pause would soften that/ },
    { from: 'Abort', to: 'Pause', phase: 'Aborted', says: /is Aborted .*nothing to pause/ },
  ])('is not softened from $from to $to while it is $phase', ({ from, to, phase, says }) => {
    expect(judge(phase, to, { state: from, by: 'anna' })).toMatch(says);
  });

  it.each<{ from: DesiredState; to: DesiredState }>([
    { from: 'Abort', to: 'AbortNow' },
    { from: 'Abort', to: 'Run' },
    { from: 'AbortNow', to: 'Run' },
    { from: 'Pause', to: 'Abort' },
  ])('may go from $from to $to', ({ from, to }) => {
    expect(judge('Running', to, { state: from })).toBeUndefined();
  });

  it('can still be aborted where a person has deleted it, but neither paused nor resumed', () => {
    expect(judge('Running', 'Run', undefined, true)).toContain('was deleted');
    expect(judge('Running', 'Pause', undefined, true)).toContain('was deleted');
    expect(judge('Running', 'Abort', undefined, true)).toBeUndefined();
    expect(judge('Running', 'AbortNow', undefined, true)).toBeUndefined();
  });
});
