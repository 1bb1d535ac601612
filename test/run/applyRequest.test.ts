import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyRequest, type AppliedRequest } from '../../src/run/applyRequest.js';
import { hasLeft } from '../../src/run/hasLeft.js';
import { isHostTouched } from '../../src/run/hostTouched.js';
import { judgeRequest } from '../../src/run/judgeRequest.js';
import { stages } from '../../src/run/stages.js';
import type { FailureReport, JobRecord, TurnStatus } from '../../src/run/state.js';
import { runState } from './runFixtures.js';

const now = '2026-11-23T03:00:00.000Z';

function job(changes: Partial<JobRecord> = {}): JobRecord {
  return { execution: 1, intentAt: now, bootIdBefore: 'b1', state: 'exited', exitCode: 0, ...changes };
}

function failure(code: string, phase: string): FailureReport {
  return { code, phase, node: 'cordoned', host: 'touched', who: 'somebody', next: [] };
}

/** A turn that failed with its node left cordoned. */
function left(code: string, phase: string, changes: Partial<TurnStatus> = {}): TurnStatus {
  return { phase: 'Failed', cordoned: true, failure: failure(code, phase), finishedAt: now, ...changes };
}

function ask(status: TurnStatus | string, verb: string): AppliedRequest {
  const request = { id: 'one', verb, node: 'n1', by: 'anna' };
  const state = runState({ n1: status, n2: 'Pending' });
  return applyRequest(state, request, { judged: judgeRequest(state, request), now });
}

function changed(status: TurnStatus, verb: string): TurnStatus {
  return { ...status, ...ask(status, verb).turns.get('n1') };
}

describe('an acceptance', () => {
  const accept = (status: TurnStatus, code = 'replica-spread', id = 'one') => {
    const request = { id, verb: 'accept', node: 'n1', by: 'anna', code, reason: 'its team is told' };
    const state = runState({ n1: status, n2: 'Pending' });
    return applyRequest(state, request, { judged: judgeRequest(state, request), now });
  };
  const record = { code: 'replica-spread', by: 'anna', reason: 'its team is told', time: now };

  it.each(['Blocked', 'Deferred'])('lets a turn that was %s be taken again, from its first step', (phase) => {
    const { result, turns } = accept({ phase });
    expect(result).toBe('done: replica-spread does not hold up n1 in this run');
    expect(turns.get('n1')).toEqual({
      accepted: [record],
      lastRequest: 'one',
      phase: 'Pending',
      retryFrom: 'Preparing',
      message: 'anna accepted replica-spread: its team is told',
    });
    expect([...turns.keys()]).toEqual(['n1']);
  });

  it('is only recorded where the turn is still to come, or failed', () => {
    expect(accept({ phase: 'Pending' }).turns.get('n1')).toEqual({ accepted: [record], lastRequest: 'one' });
    const failed = accept(left('blocked-after-touch', 'Draining'));
    expect(failed.turns.get('n1')).toEqual({ accepted: [record], lastRequest: 'one' });
    expect(failed.result).toContain('has its turn again with a retry');
  });

  it('stands beside others, once for each code, and is not made twice', () => {
    const first = { ...record, by: 'bert' };
    const other = { ...record, code: 'job-running' };
    const status: TurnStatus = { phase: 'Blocked', accepted: [first, other] };
    expect(accept(status).turns.get('n1')?.accepted).toEqual([other, record]);
    expect(accept({ ...status, lastRequest: 'one' }).turns.size).toBe(0);
  });
});

describe('a retry', () => {
  it.each<{ title: string; status: TurnStatus; retryFrom: string }>([
    { title: 'of a boot', status: left('boot-not-proved', 'Rebooting'), retryFrom: 'Rebooting' },
    { title: 'of a health check', status: left('not-healthy', 'Verifying'), retryFrom: 'Verifying' },
    {
      title: 'of an uncordon, with the health before it,',
      status: left('not-uncordoned', 'Uncordoning'),
      retryFrom: 'Verifying',
    },
    {
      title: 'of a health check, with the boot before it,',
      status: left('not-healthy', 'Verifying', { bootIdAfter: 'b2', rebootRequestedAt: now }),
      retryFrom: 'Rebooting',
    },
    {
      title: 'of a recovery, whose node is in service,',
      status: left('not-recovered', 'Settling', { cordoned: undefined }),
      retryFrom: 'Settling',
    },
    {
      title: 'of a drain that abort --now left',
      status: left('aborted', 'Draining'),
      retryFrom: 'Draining',
    },
  ])('$title goes on at the step that failed, and takes the failure away', ({ status, retryFrom }) => {
    const after = changed(status, 'retry');
    expect(after).toMatchObject({ phase: 'Pending', retryFrom, lastRequest: 'one' });
    expect(after.failure).toBeUndefined();
    expect(after.finishedAt).toBeUndefined();
  });

  it.each<{ title: string; ended: Partial<JobRecord>; code: string }>([
    { title: 'exited with 1', ended: { exitCode: 1, changed: 'yes' }, code: 'job-failed' },
    { title: 'was ended by its timeout', ended: { state: 'timed-out', changed: 'yes' }, code: 'job-timed-out' },
    { title: 'vanished', ended: { state: 'vanished', changed: 'yes' }, code: 'job-vanished' },
    { title: 'is not known to the host any more', ended: { state: 'absent', changed: 'yes' }, code: 'job-vanished' },
    { title: 'did not answer', ended: { exitCode: 0, changed: 'yes' }, code: 'no-reboot-answer' },
  ])('of a script that $title takes the host as mended by whoever asks, and runs no second one', ({ ended, code }) => {
    const after = changed(left(code, 'Updating', { jobs: { update: job(ended) } }), 'retry');
    expect(after.retryFrom).toBe('Updating');
    expect(after.jobs?.update).toEqual({ ...job(ended), vouchedBy: 'anna' });
  });

  it.each(['no-contact', 'still-running'])('of a script that is %s asks the host again', (state) => {
    const jobs = { update: job({ state, changed: 'yes' }) };
    const after = changed(left('job-no-contact', 'Updating', { jobs }), 'retry');
    expect(after.jobs?.update).toEqual({ execution: 1, intentAt: now, bootIdBefore: 'b1' });
    expect(isHostTouched(after)).toBe(true);
  });

  it('of a turn that was undone begins anew, with another execution of what was run', () => {
    const jobs = { prepare: job(), update: job({ exitCode: 1, changed: 'no' }) };
    const after = changed(left('job-failed', 'Updating', { jobs, cordoned: undefined }), 'retry');
    expect(after.retryFrom).toBe('Preparing');
    expect(after.jobs?.update?.again).toBe(true);
    expect(after.jobs?.prepare?.again).toBe(true);
  });

  it('of a turn that was undone follows a script whose end is not known, and starts no second one', () => {
    const jobs = { prepare: job({ state: 'no-contact', changed: 'yes' }) };
    const after = changed(left('job-no-contact', 'Preparing', { jobs, cordoned: undefined }), 'retry');
    expect(after.jobs?.prepare).toEqual({ execution: 1, intentAt: now, bootIdBefore: 'b1' });
  });

  it('of a node in service does not count what its scripts changed before: it was proved since', () => {
    const jobs = { update: job({ changed: 'yes', reboot: 'required' }) };
    const status = left('not-recovered', 'Settling', { jobs, cordoned: undefined, rebootRequestedAt: now });
    const after = changed(status, 'retry-again');
    expect(after.retryFrom).toBe('Preparing');
    expect(isHostTouched(after)).toBe(false);
  });

  it('leaves scripts alone that did what they should', () => {
    const jobs = { leave: job(), update: job({ exitCode: 1, changed: 'yes' }) };
    const after = changed(left('job-failed', 'Updating', { jobs }), 'retry');
    expect(after.jobs?.leave).toEqual(job());
  });
});

describe('a retry --again', () => {
  it('runs the failed script once more, and an earlier boot proves nothing any more', () => {
    const jobs = { update: job({ exitCode: 1, changed: 'yes' }) };
    const after = changed(
      left('job-failed', 'Updating', { jobs, rebootRequestedAt: now, bootIdAfter: 'b2' }),
      'retry-again',
    );
    expect(after).toMatchObject({ retryFrom: 'Updating', touchedBefore: true });
    expect(after.jobs?.update?.again).toBe(true);
    expect(after.bootIdAfter).toBeUndefined();
    expect(after.rebootRequestedAt).toBeUndefined();
  });

  it('runs the update where a later step failed', () => {
    const after = changed(left('not-healthy', 'Verifying', { jobs: { update: job() } }), 'retry-again');
    expect(after.retryFrom).toBe('Updating');
  });

  it.each(['no-contact', 'still-running', undefined])('is refused where the script may still run (%s)', (state) => {
    const { execution, intentAt, bootIdBefore } = job();
    const jobs = { update: { execution, intentAt, bootIdBefore, ...(state === undefined ? {} : { state }) } };
    const { result, turns } = ask(left('aborted', 'Updating', { jobs }), 'retry-again');
    expect(result).toMatch(/^refused: .*still runs/);
    expect(turns.size).toBe(0);
  });

  it('is refused where no script was run', () => {
    expect(ask(left('not-healthy', 'Verifying'), 'retry-again').result).toMatch(/^refused: no script/);
  });
});

describe('a retry of an undo in which join failed', () => {
  const failed = job({ exitCode: 1, changed: 'yes' });

  it.each(['retry', 'retry-again'])('goes on with the undo and executes join once more (%s)', (verb) => {
    const after = changed(left('undo-not-joined', 'Draining', { jobs: { leave: failed, join: failed } }), verb);
    expect(after).toMatchObject({
      phase: 'Undoing',
      undoTo: 'Pending',
      jobs: { leave: failed, join: { again: true } },
    });
    expect(after.retryFrom).toBeUndefined();
    expect(hasLeft(after)).toBe(true);
  });

  it('follows a leave whose end is not known', () => {
    const { execution, intentAt, bootIdBefore } = job();
    const leave = { execution, intentAt, bootIdBefore, state: 'no-contact' };
    const after = changed(left('undo-not-joined', 'Draining', { jobs: { leave } }), 'retry');
    expect(after.jobs?.leave).toEqual({ execution, intentAt, bootIdBefore });
  });
});

describe('a skip', () => {
  it.each(['Pending', 'Blocked', 'Deferred'])('takes a %s node out of the run', (phase) => {
    expect(changed({ phase }, 'skip')).toMatchObject({ phase: 'Skipped', skippedBy: 'anna' });
  });

  it('of a node that was left cordoned says that it stays so', () => {
    expect(changed(left('not-healthy', 'Verifying'), 'skip').message).toContain('kubectl uncordon n1');
  });
});

describe('a resume', () => {
  it('lets every failure stand that nobody has let stand yet', () => {
    const state = runState({ n1: left('not-healthy', 'Verifying'), n2: { phase: 'Failed', acknowledgedBy: 'bob' } });
    const request = { id: 'two', verb: 'resume', by: 'anna' };
    const { turns } = applyRequest(state, request, { judged: judgeRequest(state, request), now });
    expect([...turns]).toEqual([['n1', { acknowledgedBy: 'anna', lastRequest: 'two' }]]);
  });

  it('of which a crash wrote a half is finished by the next actor', () => {
    const first = { ...left('not-healthy', 'Verifying'), acknowledgedBy: 'anna', lastRequest: 'two' };
    const state = runState({ n1: first, n2: left('not-healthy', 'Verifying') });
    const request = { id: 'two', verb: 'resume', by: 'anna' };
    const { turns } = applyRequest(state, request, { judged: judgeRequest(state, request), now });
    expect([...turns.keys()]).toEqual(['n2']);
  });
});

describe('any request', () => {
  it('that has changed a turn before changes nothing when it is answered again', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('retry', 'retry-again', 'skip'),
        fc.constantFrom('Rebooting', 'Verifying', 'Updating'),
        fc.constantFrom('exited', 'timed-out', 'vanished', 'no-contact', 'absent'),
        (verb, phase, state) => {
          const before = left('job-failed', phase, { jobs: { update: job({ state, exitCode: 1, changed: 'yes' }) } });
          const after = changed(before, verb);
          if (after.lastRequest === undefined) return;
          const again = ask(after, verb);
          expect(again.turns.size).toBe(0);
          expect(again.result).toMatch(/^done:/);
        },
      ),
    );
  });

  it('never makes a touched host count as untouched while its node is out of service', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('retry', 'retry-again', 'skip', 'resume'),
        fc.record({
          stage: fc.constantFrom(...stages),
          state: fc.constantFrom(
            'exited',
            'timed-out',
            'vanished',
            'no-contact',
            'still-running',
            'absent',
            'not-started',
          ),
          exitCode: fc.constantFrom(0, 1),
          changed: fc.constantFrom('yes', 'no'),
          rebooted: fc.boolean(),
        }),
        (verb, { stage, rebooted, ...ended }) => {
          const before = left('job-failed', 'Updating', {
            jobs: { [stage]: job(ended) },
            ...(rebooted ? { rebootRequestedAt: now } : {}),
          });
          const after = changed(before, verb);
          if (isHostTouched(before)) expect(isHostTouched(after)).toBe(true);
        },
      ),
    );
  });
});
