import type { ClusterView } from '../cluster/view.js';
import type { EvictionLedger } from './evictionLedger.js';

/** The evictions under way of every drain of one actor, so that two drains never count on the same replica. */
export interface SharedEvictions {
  /** The drain with this ledger begins; the answer ends it. What it has evicted counts until a view shows it. */
  join(ledger: EvictionLedger): () => void;
  /** UIDs of evictions that are under way in all drains, as far as this view does not show them yet. */
  inFlight(view: ClusterView): ReadonlySet<string>;
  /** True while more than one drain is under way. */
  isShared(): boolean;
}

export function sharedEvictions(): SharedEvictions {
  const ledgers = new Set<EvictionLedger>();
  /** By UID the key of each pod that a drain has evicted that is over, until it is seen to go. */
  const unseen = new Map<string, string>();
  return {
    join(ledger) {
      ledgers.add(ledger);
      return () => {
        ledgers.delete(ledger);
        for (const { uid, pod, goneAt } of ledger.evicted()) if (goneAt === undefined) unseen.set(uid, pod);
      };
    },
    inFlight(view) {
      for (const [uid, key] of unseen) {
        const pod = view.pods.get(key);
        if (pod?.uid !== uid || pod.terminating) unseen.delete(uid);
      }
      const [first, ...others] = ledgers;
      if (first !== undefined && others.length === 0 && unseen.size === 0) return first.inFlight();
      return new Set([...unseen.keys(), ...[...ledgers].flatMap((ledger) => [...ledger.inFlight()])]);
    },
    isShared: () => ledgers.size > 1,
  };
}
