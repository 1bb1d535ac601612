import type { Conducting } from './conducting.js';
import { turnFits } from './turnFits.js';

/** Whether a turn of the node that starts now ends before the window closes, as far as former turns tell. */
export function fitsWindow({ window, clock, turnLengthMs }: Conducting, node: string): boolean {
  const state = window.state();
  return !window.closed.aborted && turnFits({ window: state, now: clock.now(), turnMs: turnLengthMs(node) });
}
