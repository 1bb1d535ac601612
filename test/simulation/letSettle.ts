import type { VirtualTime } from './virtualTime.js';

/** Whether a promise is settled, looked at from outside. */
export function outcomeOf(promise: Promise<unknown>): { readonly isSettled: () => boolean } {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  return { isSettled: () => isSettled };
}

/** Lets time pass until the promise is settled; rejects where nothing comes of it in an hour. */
export async function letSettle<T>(time: VirtualTime, promise: Promise<T>): Promise<T> {
  const { isSettled } = outcomeOf(promise);
  if (!(await time.run(isSettled, 3_600_000))) throw new Error('nothing came of it in an hour of virtual time');
  return await promise;
}
