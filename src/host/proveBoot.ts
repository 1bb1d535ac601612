import { isDeadlineExceeded, type Clock } from '../time/clock.js';
import type { HostFailure, HostPort } from './hostPort.js';

/** Whether the host has booted since a boot id was recorded. */
export type BootProof =
  | { readonly kind: 'proved'; readonly bootId: string }
  /** The deadline passed and the host still answers from the old boot. */
  | { readonly kind: 'same-boot-id'; readonly bootId: string }
  /** The deadline passed and the host does not answer. */
  | { readonly kind: 'no-contact'; readonly failure: HostFailure };

const firstPauseMs = 1000;
const longestPauseMs = 5000;
/** After the sign: the kubelet may be a moment before the SSH server. */
const pauseAfterSignMs = 300;

/**
 * Waits until the host answers, over a fresh connection, with another boot id than the recorded one. Whatever it
 * answers until the deadline is waited out: a machine that boots refuses connections and logins for a while, and one
 * that asks for a disk's passphrase shows another host key. Rejects with the signal's reason when that aborts.
 */
export async function proveBoot(
  wait: {
    readonly host: HostPort;
    readonly recordedBootId: string;
    readonly clock: Clock;
    /** From now, milliseconds. */
    readonly deadlineMs: number;
    /** Told what is waited for, whenever that changes. */
    readonly onWaiting?: (text: string) => void;
    /** Resolves at a sign from elsewhere that the host may be back: it is asked at once then, and not only after a pause. */
    readonly sign?: (signal: AbortSignal) => Promise<unknown>;
    /** Called each time the host answers from the old boot; `stop` ends the wait with `same-boot-id`. */
    readonly onOldBoot?: (signal: AbortSignal) => Promise<'wait' | 'stop'>;
  },
  signal: AbortSignal,
): Promise<BootProof> {
  const { host, recordedBootId, clock, onWaiting } = wait;
  const deadline = clock.deadline(wait.deadlineMs, signal);
  let last: BootProof = {
    kind: 'no-contact',
    failure: { kind: 'unreachable', message: 'The host has not answered yet.' },
  };
  let said = '';
  const say = (text: string) => {
    if (text !== said) onWaiting?.(text);
    said = text;
  };
  const pause = pauseUntilSign(clock, wait.sign);
  try {
    for (let pauseMs = firstPauseMs; ;) {
      const answer = await host.bootId(deadline.signal);
      if (answer.kind !== 'ok') {
        last = { kind: 'no-contact', failure: answer };
        say(`the host to come back: ${answer.message}`);
      } else if (answer.value !== recordedBootId) {
        return { kind: 'proved', bootId: answer.value };
      } else {
        last = { kind: 'same-boot-id', bootId: answer.value };
        if ((await wait.onOldBoot?.(deadline.signal)) === 'stop') return last;
        say(`the host to go down: it still answers from the boot ${recordedBootId}`);
      }
      const end = await pause(pauseMs, deadline.signal);
      pauseMs = end === 'sign' ? pauseAfterSignMs : Math.min(longestPauseMs, pauseMs * 1.5);
    }
  } catch (error) {
    if (signal.aborted || !isDeadlineExceeded(deadline.signal)) throw error;
    return last;
  } finally {
    deadline.clear();
  }
}

/** Sleeps, but no longer than until the sign, which counts once. */
function pauseUntilSign(clock: Clock, sign: ((signal: AbortSignal) => Promise<unknown>) | undefined) {
  let awaited = sign;
  return async (pauseMs: number, signal: AbortSignal): Promise<'slept' | 'sign'> => {
    if (awaited === undefined) {
      await clock.sleep(pauseMs, signal);
      return 'slept';
    }
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const waits = [
      clock.sleep(pauseMs, either).then(() => 'slept' as const),
      awaited(either).then(() => {
        awaited = undefined;
        return 'sign' as const;
      }),
    ];
    try {
      return await Promise.race(waits);
    } finally {
      over.abort('the pause is over');
      await Promise.allSettled(waits);
    }
  };
}
