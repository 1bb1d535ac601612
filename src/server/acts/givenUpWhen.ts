import type { HeldLease } from '../../cluster/heldLease.js';

/** Gives the lease up when the signal aborts; answers how to stop listening. */
export function givenUpWhen(signal: AbortSignal, lease: HeldLease): () => void {
  const giveUp = () => {
    lease.giveUp(signal.reason instanceof Error ? signal.reason.message : 'the process has to end');
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp);
  return () => {
    signal.removeEventListener('abort', giveUp);
  };
}
