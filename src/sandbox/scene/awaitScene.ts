import { TurnusError } from '../../turnusError.js';
import type { SimulatedApi } from '../api/simulatedApi.js';
import type { Timeline } from '../timeline.js';

/** More than the slowest pods need. */
const withinMs = 60_000;

/**
 * Waits for the change that makes it true.
 *
 * @throws TurnusError `scene-not-ready`
 */
export async function awaitScene(
  scene: { readonly api: SimulatedApi; readonly timeline: Timeline },
  wanted: { readonly what: string; readonly holds: () => boolean },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (wanted.holds()) return;
  await new Promise<void>((resolve, reject) => {
    const end = () => {
      stopObserving();
      takeBack();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      end();
      reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    };
    const stopObserving = scene.api.observe(() => {
      if (!wanted.holds()) return;
      end();
      resolve();
    });
    const takeBack = scene.timeline.after(withinMs, () => {
      end();
      reject(notReady(wanted.what));
    });
    signal.addEventListener('abort', onAbort);
  });
}

function notReady(what: string): TurnusError {
  return new TurnusError({
    code: 'scene-not-ready',
    message: `The sandbox did not come up: after ${String(withinMs / 1000)} s it was still not so that ${what}.`,
    hint: 'The machine may be very busy; try again.',
    exitCode: 1,
  });
}
