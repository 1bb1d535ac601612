import { setTimeout as sleep } from 'node:timers/promises';
import { TestbedError } from './testbedError.js';

export interface WaitOptions<T> {
  /** What is waited for, as it should stand in the error: "node-1 Ready". */
  what: string;
  /**
   * Answers `undefined` or `false` as long as the wait goes on. What it throws is remembered, and tried again; a
   * TestbedError ends the wait.
   */
  probe: () => Promise<T | undefined | false> | T | undefined | false;
  timeoutMs?: number;
  intervalMs?: number;
}

/** Waits for a condition instead of sleeping: asks `probe` until it answers, or fails after `timeoutMs` (60 s). */
export async function waitFor<T>({ what, probe, timeoutMs = 60_000, intervalMs = 50 }: WaitOptions<T>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      if (error instanceof TestbedError) throw error;
      failure = error;
    }
    if (Date.now() >= deadline) {
      const last = failure instanceof Error ? `; last failure: ${failure.message}` : '';
      throw new TestbedError(`Waited ${timeoutMs} ms in vain for ${what}${last}`, { cause: failure });
    }
    await sleep(intervalMs);
  }
}
