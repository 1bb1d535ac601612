import { describe, expect, it } from 'vitest';
import { failureCodeOf, failureReport, type TurnFailureCode } from '../../src/run/failure.js';
import { failureCodes } from '../../src/run/outcome.js';
import type { TurnStatus } from '../../src/run/state.js';

const run = { name: 'monthly-2026-11', uid: '1b2c', rehearsal: false };
const update = { execution: 2, intentAt: '2026-11-23T03:00:00Z', bootIdBefore: 'b1', state: 'exited', changed: 'yes' };
const codes: readonly TurnFailureCode[] = [
  ...failureCodes,
  'blocked-after-touch',
  'deferred-after-touch',
  'not-recovered',
  'node-gone',
  'aborted',
];

function report(code: TurnFailureCode, status: Partial<TurnStatus> = {}): ReturnType<typeof failureReport> {
  const left = { phase: 'Updating', cordoned: true, jobs: { update }, ...status };
  return failureReport({ run, node: 'n1', code, phase: 'Updating', status: left });
}

describe('the report of a failed turn', () => {
  it.each(codes)('says for %s who can mend it and which commands go on', (code) => {
    const { who, next } = report(code);
    expect(who).toMatch(/^whoever/);
    expect(next.join('\n')).toContain('turnus retry monthly-2026-11 n1');
    expect(next.join('\n')).toContain('turnus skip monthly-2026-11 n1');
  });

  it('names the file with the output of the script that failed, of its latest execution', () => {
    expect(report('job-failed').next[0]).toContain('/var/lib/turnus/jobs/1b2c/n1.update.2/output');
  });

  it('says of a node that was left that it stays cordoned, and how to end that', () => {
    expect(report('not-healthy')).toMatchObject({ node: 'cordoned', host: 'touched' });
    expect(report('not-healthy').next.at(-1)).toContain('kubectl uncordon n1');
  });

  it('says of a node that was given back that a retry begins anew, and offers no second execution', () => {
    const undone = report('job-failed', { cordoned: undefined, jobs: { update: { ...update, changed: 'no' } } });
    expect(undone).toMatchObject({ node: 'in-service', host: 'untouched' });
    expect(undone.next.join('\n')).toMatch(/begin the turn anew/);
    expect(undone.next.join('\n')).not.toContain('--again');
  });

  it('offers no second execution where there is no script, nor in a rehearsal', () => {
    expect(report('not-healthy', { jobs: undefined }).next.join('\n')).not.toContain('--again');
    const status = { phase: 'Verifying', cordoned: true, jobs: { update } };
    const rehearsed = failureReport({
      run: { ...run, rehearsal: true },
      node: 'n1',
      code: 'not-healthy',
      phase: 'Verifying',
      status,
    });
    expect(rehearsed.next.join('\n')).not.toContain('--again');
  });

  it('of a code that only another version knows is that of an aborted turn', () => {
    expect(failureCodeOf('something-new')).toBe('aborted');
    expect(failureCodeOf('old-kernel')).toBe('old-kernel');
  });
});
