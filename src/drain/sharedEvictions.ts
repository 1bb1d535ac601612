import type { EvictionLedger } from './evictionLedger.js';

/** The evictions under way of every drain of one actor, so that two drains never count on the same replica. */
export interface SharedEvictions {
  /** The drain with this ledger begins; the answer ends it. */
  join(ledger: EvictionLedger): () => void;
  /** UIDs of evictions under way in all drains. */
  inFlight(): ReadonlySet<string>;
  /** True while more than one drain is under way. */
  isShared(): boolean;
}

export function sharedEvictions(): SharedEvictions {
  const ledgers = new Set<EvictionLedger>();
  return {
    join(ledger) {
      ledgers.add(ledger);
      return () => ledgers.delete(ledger);
    },
    inFlight() {
      const [first, ...others] = ledgers;
      if (first === undefined) return new Set();
      if (others.length === 0) return first.inFlight();
      return new Set([...ledgers].flatMap((ledger) => [...ledger.inFlight()]));
    },
    isShared: () => ledgers.size > 1,
  };
}
