import { dueActs, subjectOf, type ServedPlaybook } from './nextDeed.js';

/** What keeps a playbook from something that is due, though nobody else is at work on it. */
export interface Hindrance {
  /** Refused: only a person can change that. Failed: something did not answer, and is tried again. */
  readonly kind: 'refused' | 'failed';
  readonly message: string;
}

/**
 * Of what is due for the playbook the first that this process has tried in vain; a trigger has an answer of its own. What
 * is not due any more hinders nobody.
 */
export function hindranceOf(playbook: ServedPlaybook, now: number): Hindrance | undefined {
  for (const { because } of dueActs(playbook, now)) {
    if (because.kind === 'trigger') continue;
    const subject = subjectOf(playbook, because);
    const attempt = playbook.attempts.find(({ of }) => of === subject);
    if (attempt?.kind === 'refused' || attempt?.kind === 'failed')
      return { kind: attempt.kind, message: attempt.message };
  }
  return undefined;
}
