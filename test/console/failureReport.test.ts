import { describe, expect, it } from 'vitest';
import { failureReport } from '../../src/console/failureReport.js';
import type { TurnStatus } from '../../src/run/state.js';

const now = Date.parse('2026-11-11T03:00:00.000Z');
const failed: TurnStatus = {
  phase: 'Failed',
  message: 'Script update on node-3 ended with exit code 1 after it had changed the host.',
  startedAt: '2026-11-11T01:00:00.000Z',
  finishedAt: '2026-11-11T01:14:05.000Z',
  attempts: 1,
  evictions: 12,
  cordoned: true,
  bootIdBefore: 'aaaa-1111',
  steps: [{ phase: 'Updating', startedAt: '2026-11-11T01:10:00.000Z' }],
  jobs: {
    update: {
      execution: 1,
      intentAt: '2026-11-11T01:10:00.000Z',
      finishedAt: '2026-11-11T01:14:00.000Z',
      bootIdBefore: 'aaaa-1111',
      state: 'exited',
      exitCode: 1,
      changed: 'yes',
      outputTail:
        'Reading package lists...\n\u001b[31mE: Sub-process /usr/bin/dpkg returned an error code (1)\u001b[0m\n',
    },
  },
  failure: {
    code: 'job-failed',
    phase: 'Updating',
    node: 'cordoned',
    host: 'touched',
    who: 'whoever looks after the update script and the host of node-3',
    next: [
      'on the host, the output of script update: sudo cat /var/lib/turnus/jobs/x/output',
      'when the host is mended by hand, to go on without the script: turnus retry monthly-2026-11 node-3',
    ],
  },
};

function report(status: TurnStatus): string[] {
  return failureReport({ node: 'node-3', nodeUid: 'uid', status }, now);
}

describe('the report of a failed turn', () => {
  it('says what happened, what was left how, who can end it and what to do next', () => {
    expect(report(failed)).toEqual([
      'Node node-3 is Failed in step Updating at 01:14:05Z (job-failed)',
      '  What happened: Script update on node-3 ended with exit code 1 after it had changed the host.',
      '  Left as: node cordoned by Turnus, host may have been changed, 1 drain begun, 12 pods evicted, after 14 min 5 s',
      '  Script update: execution 1: exited, exit code 1, changed=yes, seen at 01:14:00Z; last 2 lines of its output:',
      '    | Reading package lists...',
      '    | E: Sub-process /usr/bin/dpkg returned an error code (1)',
      '  Boot ids: before aaaa-1111, after not known; no reboot was asked for',
      '  Who can end it: whoever looks after the update script and the host of node-3',
      '  What to do next:',
      '    1. on the host, the output of script update: sudo cat /var/lib/turnus/jobs/x/output',
      '    2. when the host is mended by hand, to go on without the script: turnus retry monthly-2026-11 node-3',
    ]);
  });

  it('is one screen, however much a script has said', () => {
    const update = {
      ...failed.jobs?.update,
      outputTail: Array.from({ length: 300 }, (_, n) => `line ${String(n)}`).join('\n'),
    };
    const lines = report({ ...failed, jobs: { update } } as TurnStatus);
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines).toContain('    | line 299');
    expect(lines).not.toContain('    | line 287');
  });

  it('shows both boot ids and when the reboot was asked for', () => {
    const rebooted = { ...failed, bootIdAfter: 'aaaa-1111', rebootRequestedAt: '2026-11-11T01:12:00.000Z' };
    expect(report(rebooted)).toContain('  Boot ids: before aaaa-1111, after aaaa-1111; reboot asked for at 01:12:00Z');
  });

  it('does without what an older record does not have', () => {
    expect(report({ phase: 'Failed', cordoned: true, rebootRequestedAt: '2026-11-11T01:12:00.000Z' })).toEqual([
      'Node node-3 is Failed',
      '  What happened: nothing was recorded',
      '  Left as: node cordoned by Turnus, host may have been changed',
    ]);
  });
});

describe('the report of a turn that a gate left', () => {
  const finding = {
    code: 'singleton-blocked',
    severity: 'block',
    message: 'Deployment shop/pay has one replica.',
    hint: 'Give it two.',
  };
  const blocked: TurnStatus = {
    phase: 'Blocked',
    message: 'Deployment shop/pay has one replica. Give it two.',
    findings: [finding, { ...finding, code: 'local-data-lost', severity: 'caution' }],
    steps: [{ phase: 'Checking', startedAt: '2026-11-11T01:10:00.000Z' }],
  };

  it('names the findings that block, says each sentence once, and how to go on', () => {
    expect(report(blocked)).toEqual([
      'Node node-3 is Blocked in step Checking at 01:10:00Z (singleton-blocked)',
      '  What happened: Deployment shop/pay has one replica. Give it two.',
      '  Left as: node not cordoned by Turnus, host is untouched',
      '  What to do next:',
      '    1. change what the findings name',
      '    2. start the run again, which tries the node anew: turnus run -f PLAYBOOK',
    ]);
  });

  it('tells findings that the message does not tell', () => {
    expect(report({ ...blocked, message: 'The node stays in service.' })).toContain(
      '  Finding singleton-blocked: Deployment shop/pay has one replica.',
    );
  });
});
