import type { ScheduleState } from '../calendar/decide.js';
import { closeOf } from './runWindow.js';

/** May a turn of this length (milliseconds) start now, so that it ends before the window closes? */
export function turnFits(at: {
  readonly window: ScheduleState;
  readonly now: number;
  readonly turnMs: number;
}): boolean {
  const { window, now, turnMs } = at;
  if (window.kind === 'closed') return false;
  return now + turnMs <= (closeOf(window) ?? Number.POSITIVE_INFINITY);
}
