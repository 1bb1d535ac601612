import { scaledCount } from '../../cluster/budgetArithmetic.js';
import { numberOf, stringOf, type JsonRecord } from '../../cluster/json.js';

interface Counts {
  /** `spec.replicas` of the ReplicaSet. */
  readonly wanted: number;
  readonly available: number;
}

/**
 * How many replicas each ReplicaSet of a Deployment is to have next: the new one grows as far as the surge allows, old
 * ones shrink as far as enough stay available (pkg/controller/deployment/rolling.go, recreate.go).
 */
export function replicaPlan(situation: {
  readonly replicas: number;
  /** `spec.strategy.rollingUpdate`, or that old pods end before new ones start. */
  readonly strategy: 'Recreate' | JsonRecord;
  /** The ReplicaSet of the present template. */
  readonly current: Counts | undefined;
  /** In the order of their age. */
  readonly old: readonly Counts[];
  readonly hasOldPods: boolean;
}): { readonly current: number; readonly old: readonly number[] } {
  const { replicas, strategy, current, old } = situation;
  if (strategy === 'Recreate') return { current: situation.hasOldPods ? 0 : replicas, old: old.map(() => 0) };

  const total = sum([...old.map(({ wanted }) => wanted), current?.wanted ?? 0]);
  const { surge, unavailable } = limitsOf(strategy, replicas);
  const oldWanted = sum(old.map(({ wanted }) => wanted));
  const grown = current === undefined ? 0 : Math.min(replicas, current.wanted + Math.max(0, replicas + surge - total));
  if (oldWanted === 0) return { current: replicas, old: old.map(() => 0) };

  // Old replicas that are not available go first; of the available ones as many as are more than enough.
  const least = replicas - unavailable;
  const newUnavailable = current === undefined ? 0 : Math.max(0, current.wanted - current.available);
  let mayGo = Math.max(0, total - least - newUnavailable);
  const kept = old.map(({ wanted, available }) => {
    const gone = Math.min(mayGo, Math.max(0, wanted - available));
    mayGo -= gone;
    return wanted - gone;
  });
  const availableAll = sum(old.map(({ wanted, available }) => Math.min(wanted, available))) + (current?.available ?? 0);
  let surplus = Math.max(0, availableAll - least);
  const left = kept.map((wanted) => {
    const gone = Math.min(surplus, mayGo, wanted);
    surplus -= gone;
    mayGo -= gone;
    return wanted - gone;
  });
  return { current: grown, old: left };
}

/** Both 25 % where absent; the surge is rounded up, the other down, and both cannot be 0 (deploymentutil.ResolveFenceposts). */
function limitsOf(rollingUpdate: JsonRecord, replicas: number): { surge: number; unavailable: number } {
  const countOf = (name: string): number | string =>
    numberOf(rollingUpdate[name]) ?? stringOf(rollingUpdate[name]) ?? '25%';
  const written = countOf('maxUnavailable');
  const surge = scaledCount(countOf('maxSurge'), replicas);
  const unavailable =
    typeof written === 'number' ? written : Math.floor((Number(written.slice(0, -1)) * replicas) / 100);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, replicas) };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
