import { dueActs, subjectOf, type ServedPlaybook } from './nextDeed.js';

/** What keeps a playbook from something that is due, though nobody else is at work on it. */
export type Hindrance =
  | { readonly kind: 'none' }
  /** Something is due that this process has not tried yet: what another one has found of it may still hold. */
  | { readonly kind: 'untried' }
  /** Another actor was at work when it was tried: nothing failed, and whether it would be refused is not known. */
  | { readonly kind: 'held' }
  /** Refused: only a person can change that. Failed: something did not answer, and is tried again. */
  | { readonly kind: 'refused' | 'failed'; readonly message: string };

/**
 * Of what is due for the playbook the first that this process has tried in vain; a trigger has an answer of its own. What
 * is not due any more, or is in work, hinders nobody.
 */
export function hindranceOf(
  playbook: ServedPlaybook,
  { now, isAtWork }: { readonly now: number; readonly isAtWork: boolean },
): Hindrance {
  if (isAtWork) return { kind: 'none' };
  let unknown: 'untried' | 'held' | undefined;
  for (const { because } of dueActs(playbook, now)) {
    if (because.kind === 'trigger') continue;
    const subject = subjectOf(playbook, because);
    const attempt = playbook.attempts.find(({ of }) => of === subject);
    if (attempt?.kind === 'refused' || attempt?.kind === 'failed')
      return { kind: attempt.kind, message: attempt.message };
    if (attempt === undefined) unknown = 'untried';
    else if (attempt.kind === 'held') unknown ??= 'held';
  }
  return { kind: unknown ?? 'none' };
}
