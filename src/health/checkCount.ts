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

interface Asked {
  readonly node: string;
  /** Passes in a row that are asked for. */
  readonly consecutive: number;
}

/** What is waited for now: the problems of the last check, else how far the count has come. */
export function checksInWords(count: CheckCount, asked: Asked): string {
  if (count.problems.length > 0) return count.problems.join('; ');
  const heartbeat = count.isFresh ? '' : `; the kubelet of ${asked.node} has not sent a new heartbeat`;
  return `${inARow(count.passes, asked)} passed${heartbeat}`;
}

/** Why the node was not well in time, one part of a sentence each. */
export function whyNotWell(count: CheckCount, asked: Asked): string[] {
  const { passes, mostPasses, problems, lastProblems } = count;
  if (passes >= asked.consecutive) return ['the cluster sees it well, but its host did not answer in time'];
  if (problems.length > 0 && mostPasses === 0) return [...problems];
  // The host is asked only after enough passes: what it said stands, also while the cluster sees the node well.
  if (mostPasses >= asked.consecutive) return [...lastProblems];
  if (lastProblems.length === 0) return [checksInWords(count, asked)];
  const comesAndGoes = `it comes and goes: at most ${inARow(mostPasses, asked)} passed`;
  if (problems.length > 0) return [...problems, comesAndGoes];
  const before = lastProblems.map((problem) => `${problem}, though not at the last check`);
  return [...before, mostPasses === 0 ? checksInWords(count, asked) : comesAndGoes];
}

function inARow(checks: number, { consecutive }: Asked): string {
  return `${String(checks)} of ${String(consecutive)} checks in a row`;
}
