/** How the cordon of `turnus drain` is marked: with who asked for it, not with a run. */
export function drainMark(user: string): string {
  return `drain/${user}`;
}
