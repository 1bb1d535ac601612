/** What the checks of a node amount to so far. */
export interface CheckCount {
  /** Checks in a row that found nothing wrong, each with another heartbeat than the one before. */
  readonly passes: number;
  /** The most that there were in a row. */
  readonly mostPasses: number;
  /** What the last check found wrong. */
  readonly problems: readonly string[];
  /** What the last check found that found anything: a node whose readiness comes and goes may be well just now. */
  readonly lastProblems: readonly string[];
  /** The last one that was read. */
  readonly heartbeat: string | undefined;
  /** The last check saw another heartbeat than the one before. */
  readonly isFresh: boolean;
}

export const noCheck: CheckCount = {
  passes: 0,
  mostPasses: 0,
  problems: [],
  lastProblems: [],
  heartbeat: undefined,
  isFresh: false,
};

/**
 * Counts one check more. A problem begins the count anew; a check without a new heartbeat changes nothing, and the
 * first heartbeat is only what later ones are compared with (rule 8: Ready may still be from before the boot).
 */
export function countCheck(
  count: CheckCount,
  check: { readonly problems: readonly string[]; readonly heartbeat: string | undefined },
): CheckCount {
  const { problems, heartbeat = count.heartbeat } = check;
  const isFresh = heartbeat !== undefined && heartbeat !== count.heartbeat;
  const isWell = problems.length === 0;
  const passes = isWell ? count.passes + (isFresh && count.heartbeat !== undefined ? 1 : 0) : 0;
  return {
    passes,
    mostPasses: Math.max(passes, count.mostPasses),
    problems,
    lastProblems: isWell ? count.lastProblems : problems,
    heartbeat,
    isFresh,
  };
}

/** Why the node does not count as well, given as many passes in a row as are asked for; one sentence part each. */
export function whyNotWell(
  count: CheckCount,
  asked: { readonly node: string; readonly consecutive: number },
): string[] {
  const { passes, mostPasses, problems, lastProblems, isFresh } = count;
  if (passes >= asked.consecutive) return ['the cluster sees it well, but its host did not answer in time'];
  const inARow = (checks: number) => `${String(checks)} of ${String(asked.consecutive)} checks in a row`;
  if (lastProblems.length > 0 && mostPasses > 0) {
    const known =
      problems.length > 0 ? [...problems] : lastProblems.map((problem) => `${problem}, and then well again`);
    return [...known, `it comes and goes: at most ${inARow(mostPasses)} passed`];
  }
  if (problems.length > 0) return [...problems];
  const heartbeat = isFresh ? '' : `; the kubelet of ${asked.node} has not sent a new heartbeat`;
  return [`${inARow(passes)} passed${heartbeat}`];
}
