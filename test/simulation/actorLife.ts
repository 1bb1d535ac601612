import type { Timeline } from '../../src/sandbox/timeline.js';
import { DeadlineExceeded, type Clock } from '../../src/time/clock.js';

/** Time of a night: VirtualTime is it. */
export interface NightTime extends Timeline {
  readonly clock: Clock;
}

/**
 * Whether an actor still lives. A dead one hears nothing any more: no call of its ports settles, no sleep ends, no
 * deadline passes, no watch yields; and nothing that it does reaches anybody.
 */
export interface ActorLife {
  /** Calls of its ports so far, to the cluster and to hosts. */
  readonly calls: number;
  readonly isDead: boolean;
  /** Counts a call that is about to be made, and says what becomes of the actor by it. */
  countCall(): 'lives' | 'dies-before' | 'dies-after';
  /** Ends it, now. */
  crash(): void;
  /** Calls the listener when it crashes; the answer takes that back. */
  whenCrashed(listener: () => void): () => void;
}

/** A life that ends at its n-th call, before the call leaves or when it has been decided on the other side, or never. */
export function actorLife(plan?: { readonly call: number; readonly moment: 'before' | 'after' }): ActorLife {
  const listeners = new Set<() => void>();
  let calls = 0;
  let isDead = false;
  return {
    get calls() {
      return calls;
    },
    get isDead() {
      return isDead;
    },
    countCall() {
      calls += 1;
      if (calls !== plan?.call) return 'lives';
      return plan.moment === 'before' ? 'dies-before' : 'dies-after';
    },
    crash() {
      if (isDead) return;
      isDead = true;
      for (const listener of [...listeners]) listener();
      listeners.clear();
    },
    whenCrashed(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** The clock of an actor: when it is dead, no sleep ends and no deadline passes. */
export function mortalClock(time: NightTime, life: ActorLife): Clock {
  return {
    now: () => time.clock.now(),
    monotonic: () => time.clock.monotonic(),
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (life.isDead) return;
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = () => {
          cancel();
          if (!life.isDead) reject(signal.reason as Error);
        };
        const cancel = time.after(durationMs, () => {
          signal.removeEventListener('abort', onAbort);
          if (!life.isDead) resolve();
        });
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    deadline: (afterMs, parent) => {
      const controller = new AbortController();
      const clear = () => {
        cancel();
        parent.removeEventListener('abort', onParentAbort);
      };
      const onParentAbort = () => {
        clear();
        if (!life.isDead) controller.abort(parent.reason);
      };
      const cancel = time.after(afterMs, () => {
        clear();
        if (!life.isDead) controller.abort(new DeadlineExceeded(`the deadline of ${String(afterMs)} ms has passed`));
      });
      if (parent.aborted) onParentAbort();
      else parent.addEventListener('abort', onParentAbort);
      return { signal: controller.signal, clear };
    },
  };
}
