import { describe, expect, it } from 'vitest';
import { isHostTouched } from '../../src/run/hostTouched.js';
import type { JobRecord, TurnStatus } from '../../src/run/state.js';
import { mustStop } from '../../src/run/stopRule.js';

const intent: JobRecord = { execution: 1, intentAt: '2026-11-10T21:00:00.000Z', bootIdBefore: 'boot-1' };
const policy = { canaries: 1, stopAfterFailures: 2 };

describe('a host', () => {
  it.each<{ title: string; status: Pick<TurnStatus, 'jobs' | 'rebootRequestedAt'>; touched: boolean }>([
    { title: 'nothing was begun', status: {}, touched: false },
    { title: 'only prepare ran', status: { jobs: { prepare: { ...intent, changed: 'yes' } } }, touched: false },
    { title: 'the intent of a job is recorded and no end', status: { jobs: { update: intent } }, touched: true },
    { title: 'a job answered changed=yes', status: { jobs: { update: { ...intent, changed: 'yes' } } }, touched: true },
    {
      title: 'leave ran, which join takes back',
      status: { jobs: { leave: { ...intent, changed: 'yes' } } },
      touched: false,
    },
    {
      title: 'the host was rebooted while leave ran',
      status: { jobs: { leave: { ...intent, changed: 'no', rebootedUnasked: true } } },
      touched: true,
    },
    {
      title: 'join failed and answered changed=no',
      status: { jobs: { join: { ...intent, state: 'exited', exitCode: 1, changed: 'no' } } },
      touched: true,
    },
    {
      title: 'join of an undo is over',
      status: { jobs: { join: { ...intent, state: 'exited', exitCode: 0, changed: 'no', again: true } } },
      touched: false,
    },
    { title: 'a job answered changed=no', status: { jobs: { update: { ...intent, changed: 'no' } } }, touched: false },
    { title: 'a reboot was requested', status: { rebootRequestedAt: intent.intentAt }, touched: true },
  ])('counts as touched: $touched, where $title', ({ status, touched }) => {
    expect(isHostTouched(status)).toBe(touched);
  });
});

describe('a run', () => {
  it.each([
    { title: 'nothing failed', failed: [], stops: false },
    { title: 'fewer failed than stopAfterFailures', failed: ['n2'], stops: false },
    { title: 'as many failed as stopAfterFailures', failed: ['n2', 'n3'], stops: true },
    { title: 'a canary failed', failed: ['n1'], stops: true },
  ])('stops: $stops, where $title', ({ failed, stops }) => {
    expect(mustStop({ failed, order: ['n1', 'n2', 'n3'], policy })).toBe(stops);
  });
});
