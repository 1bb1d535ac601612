import type { PodView } from './view.js';

/** Succeeded or Failed: nothing runs any more. */
export function isFinished({ phase }: Pick<PodView, 'phase'>): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
