import type { RunState } from '../../run/state.js';
import type { ActEnd } from './actFor.js';
import { subjectOf, type Because, type ServedPlaybook } from './nextDeed.js';
import type { Ended } from './rest.js';
import { askedOf } from '../playbooks/servedRuns.js';

/** What is remembered of an act. */
export function endedAttempt(act: {
  readonly playbook: Pick<ServedPlaybook, 'version' | 'runs'>;
  readonly because: Because;
  readonly end: ActEnd;
  readonly now: number;
}): Ended {
  const { playbook, because, end, now } = act;
  const runs = asHeard(playbook.runs, end.kind === 'ran' ? end.state : undefined);
  const common = { of: subjectOf({ version: playbook.version, runs }, because), endedAt: now };
  if (end.kind === 'other') return { ...common, kind: 'held' };
  return end.kind === 'ran'
    ? { ...common, kind: 'ran', stop: end.stop }
    : { ...common, kind: end.kind, message: end.message };
}

/**
 * What people asked meanwhile, and the act has heard of, is part of what was tried: a run that was paused during it, and is
 * resumed, is something else.
 */
function asHeard(
  runs: ServedPlaybook['runs'],
  state: RunState | undefined,
): readonly { readonly name: string; readonly asked: string }[] {
  if (state === undefined) return runs;
  return [...runs.filter(({ name }) => name !== state.name), { name: state.name, asked: askedOf(state.spec) }];
}
