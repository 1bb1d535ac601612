import { setTimeout as sleep } from 'node:timers/promises';
import { DeadlineExceeded, type Clock } from './time/clock.js';

/** The longest delay that a Node timer takes; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),

  async sleep(durationMs, signal) {
    let leftMs = durationMs;
    do {
      const stepMs = Math.min(leftMs, longestTimerMs);
      try {
        await sleep(Math.max(0, stepMs), undefined, { signal });
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      }
      leftMs -= stepMs;
    } while (leftMs > 0);
  },

  deadline(afterMs, parent) {
    const controller = new AbortController();
    const onParentAbort = () => {
      clear();
      controller.abort(parent.reason);
    };
    let timer: NodeJS.Timeout | undefined;
    let leftMs = afterMs;
    const wait = () => {
      const stepMs = Math.min(leftMs, longestTimerMs);
      leftMs -= stepMs;
      timer = setTimeout(leftMs > 0 ? wait : expire, stepMs);
    };
    const expire = () => {
      clear();
      controller.abort(new DeadlineExceeded(`the deadline of ${String(afterMs)} ms has passed`));
    };
    const clear = () => {
      clearTimeout(timer);
      parent.removeEventListener('abort', onParentAbort);
    };
    if (parent.aborted) onParentAbort();
    else {
      parent.addEventListener('abort', onParentAbort);
      wait();
    }
    return { signal: controller.signal, clear };
  },
};
