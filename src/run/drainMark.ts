/** How the cordon of `turnus drain` is marked: with who asked for it, not with a run. */
export function drainMark(user: string): string {
  return `drain/${user}`;
}

/**
 * What Deployments carry that a drain by hand has restarted, before the node's name: one that goes on after a crash
 * restarts nothing twice, and one of another day (UTC) does.
 */
export function drainRestartMark(user: string, now: number): string {
  return `${drainMark(user)}@${new Date(now).toISOString().slice(0, 'YYYY-MM-DD'.length)}`;
}
