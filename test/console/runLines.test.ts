import { describe, expect, it } from 'vitest';
import { runLines } from '../../src/console/runLines.js';
import type { Wait } from '../../src/run/state.js';
import { runState } from '../run/runFixtures.js';

const wait: Wait = {
  what: 'a replacement of shop/cart-0',
  since: '2026-11-10T21:04:00.000Z',
  until: '2026-11-10T21:19:00.000Z',
  who: 'the controllers',
};

describe('the lines of a run', () => {
  it('begin with the phase of the run and nothing about nodes whose turn has not begun', () => {
    expect(runLines(undefined, runState({ n1: 'Pending', n2: 'Pending' }))).toEqual(['run monthly-2026-11: Running']);
  });

  it('begin with what is already there where a run is continued', () => {
    expect(runLines(undefined, runState({ n1: 'Done', n2: 'Draining', n3: 'Pending' }))).toEqual([
      'run monthly-2026-11: Running',
      'n1: Done',
      'n2: Draining',
    ]);
  });

  it('are none where nothing has changed', () => {
    const state = runState({ n1: 'Draining', n2: { phase: 'Settling', waitingFor: wait } });
    expect(runLines(state, state)).toEqual([]);
  });

  it('tell each new phase once, with its message', () => {
    const before = runState({ n1: 'Draining', n2: 'Pending' });
    const state = runState({ n1: { phase: 'Deferred', message: 'Budget shop/cart is full.' }, n2: 'Preparing' });
    expect(runLines(before, state)).toEqual(['n1: Deferred - Budget shop/cart is full.', 'n2: Preparing']);
    expect(runLines(state, state)).toEqual([]);
  });

  it('tell that a turn was given back to Pending', () => {
    const before = runState({ n1: 'Undoing' });
    expect(runLines(before, runState({ n1: 'Pending' }))).toEqual(['n1: Pending']);
  });

  it('tell the end of the run', () => {
    const before = runState({ n1: 'Done' });
    expect(runLines(before, runState({ n1: 'Done' }, { phase: 'Completed' }))).toEqual([
      'run monthly-2026-11: Completed',
    ]);
  });

  it('tell a wait once, with until when and whom it is up to', () => {
    const before = runState({ n1: 'Draining' });
    const waits = runState({ n1: { phase: 'Draining', waitingFor: wait } });
    const later = runState({ n1: { phase: 'Draining', waitingFor: { ...wait, until: '2026-11-10T21:20:00.000Z' } } });
    expect(runLines(before, waits)).toEqual([
      'n1: waiting: a replacement of shop/cart-0 (until 21:19:00Z, up to the controllers)',
    ]);
    expect(runLines(waits, later)).toEqual([]);
  });

  it('tell another wait of the same phase', () => {
    const before = runState({ n1: { phase: 'Draining', waitingFor: wait } });
    const state = runState({ n1: { phase: 'Draining', waitingFor: { what: 'shop/pay-0 to end', since: wait.since } } });
    expect(runLines(before, state)).toEqual(['n1: waiting: shop/pay-0 to end']);
  });

  it('tell nothing when a wait is over', () => {
    const before = runState({ n1: { phase: 'Draining', waitingFor: wait } });
    expect(runLines(before, runState({ n1: 'Draining' }))).toEqual([]);
  });

  it('let nothing act on the terminal that a host or a server has said', () => {
    const before = runState({ n1: 'Updating' });
    const state = runState({
      n1: {
        phase: 'Failed',
        message: 'Script said\n\u001b[2J\u001b[31mno space\u0007 left',
        waitingFor: { what: 'x\ry', since: wait.since, until: '\u001b[H', who: '\u001b[1mops' },
      },
    });
    expect(runLines(before, state)).toEqual([
      'n1: Failed - Script said no space left',
      'n1: waiting: x y (until ?, up to ops)',
    ]);
  });
});
