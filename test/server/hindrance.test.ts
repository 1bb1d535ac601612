import { describe, expect, it } from 'vitest';
import { hindranceOf } from '../../src/server/acts/hindrance.js';
import { subjectOf, type Because, type ServedPlaybook } from '../../src/server/acts/nextDeed.js';
import type { Attempt } from '../../src/server/acts/rest.js';
import { served, servedRun as run, trigger } from './servedFixtures.js';

const now = Date.parse('2026-11-10T23:00:00Z');
const outside = Date.parse('2026-11-12T12:00:00Z');
const message = 'Run monthly-2026-11 was made from another plan.';

function tried(playbook: Partial<ServedPlaybook>, because: Because, kind: 'refused' | 'failed'): ServedPlaybook {
  const of = subjectOf(served(playbook), because);
  const attempt: Attempt =
    kind === 'failed' ? { of, endedAt: now, kind, message, times: 1 } : { of, endedAt: now, kind, message };
  return served({ ...playbook, attempts: [attempt] });
}

const window: Because = { kind: 'window', period: '2026-11' };
const unfinished: Because = { kind: 'unfinished', run: 'monthly-2026-11' };

describe('what hinders a playbook', () => {
  it.each(['refused', 'failed'] as const)('is what is due and %s', (kind) => {
    expect(hindranceOf(tried({ runs: [run()] }, window, kind), { now, isAtWork: false })).toEqual({ kind, message });
    const inWork = tried({ runs: [run({ hasTurnInWork: true })] }, unfinished, kind);
    expect(hindranceOf(inWork, { now: outside, isAtWork: false })).toEqual({ kind, message });
    // It was tried again, and goes well.
    expect(hindranceOf(inWork, { now: outside, isAtWork: true })).toEqual({ kind: 'none' });
  });

  it.each<{ title: string; playbook: ServedPlaybook; at: number; kind?: string }>([
    { title: 'nothing was tried', playbook: served(), at: now, kind: 'untried' },
    { title: 'nothing is due', playbook: served(), at: outside },
    { title: 'it is not due any more', playbook: tried({ runs: [run()] }, window, 'refused'), at: outside },
    {
      title: 'the run was superseded meanwhile',
      playbook: { ...tried({ runs: [run()] }, window, 'refused'), runs: [run({ phase: 'Superseded' })] },
      at: outside,
    },
    {
      title: 'the playbook is another one since',
      playbook: { ...tried({ runs: [run()] }, window, 'refused'), version: 'v2' },
      at: now,
      kind: 'untried',
    },
    {
      title: 'a trigger was refused, which has an answer of its own',
      playbook: tried({ trigger, runs: [run({ phase: 'Completed' })] }, { kind: 'trigger', trigger }, 'refused'),
      at: outside,
    },
  ])('is nothing where $title', ({ playbook, at, kind = 'none' }) => {
    expect(hindranceOf(playbook, { now: at, isAtWork: false })).toEqual({ kind });
  });
});
