import type { Counts } from '../run/state.js';

/** How many turns stand where: `3 of 12 done, 1 failed, 0 blocked, 8 left`. */
export function tallyText({ total, done, failed, blocked, left, skipped = 0 }: Counts): string {
  const more = skipped === 0 ? '' : `, ${String(skipped)} skipped`;
  return `${String(done)} of ${String(total)} done, ${String(failed)} failed, ${String(blocked)} blocked, ${String(left)} left${more}`;
}
