import type { RunState, Wait } from '../run/state.js';
import { plainText } from './plainText.js';

/** A wait that is over or still lasts, in the words that stood on the screen. */
export interface CollectedWait {
  /** Node, or undefined where the whole run waited. */
  readonly node: string | undefined;
  readonly what: string;
  /** All times that the same words stood there, added up. */
  readonly totalMs: number;
}

export interface WaitCollector {
  /** Takes each state of the run as it comes. */
  observe(state: RunState, now: number): void;
  /** The longest waits so far, the longest first. */
  longest(count: number, now: number): CollectedWait[];
}

interface Open {
  readonly wait: CollectedWait;
  readonly since: number;
}

/** Adds up what a run and its turns waited for, because their status has only the present wait. */
export function waitCollector(): WaitCollector {
  const open = new Map<string, Open>();
  const ended = new Map<string, CollectedWait>();

  const close = (subject: string, now: number) => {
    const waiting = open.get(subject);
    if (waiting === undefined) return;
    open.delete(subject);
    const ms = Math.max(0, now - waiting.since);
    const key = keyOf(waiting.wait);
    ended.set(key, { ...waiting.wait, totalMs: (ended.get(key)?.totalMs ?? 0) + ms });
  };

  const take = (node: string | undefined, wait: Wait | undefined, now: number) => {
    const subject = node ?? '';
    const what = wait === undefined ? undefined : plainText(wait.what);
    const before = open.get(subject);
    if (before?.wait.what === what) return;
    close(subject, now);
    if (wait === undefined || what === undefined) return;
    // A run that is continued has waited before; another machine's clock may be ahead.
    const since = Math.min(now, millisOf(wait.since) ?? now);
    open.set(subject, { wait: { node, what, totalMs: 0 }, since });
  };

  return {
    observe(state, now) {
      take(undefined, state.status.waitingFor, now);
      for (const { node, status } of state.turns.values()) take(node, status.waitingFor, now);
      for (const subject of open.keys()) if (subject !== '' && !state.turns.has(subject)) close(subject, now);
    },
    longest(count, now) {
      const all = new Map(ended);
      for (const { wait, since } of open.values()) {
        const key = keyOf(wait);
        all.set(key, { ...wait, totalMs: (all.get(key)?.totalMs ?? 0) + Math.max(0, now - since) });
      }
      return [...all.values()].sort((one, other) => other.totalMs - one.totalMs).slice(0, count);
    },
  };
}

function keyOf({ node, what }: CollectedWait): string {
  return JSON.stringify([node, what]);
}

function millisOf(timestamp: string): number | undefined {
  const at = Date.parse(timestamp);
  return Number.isNaN(at) ? undefined : at;
}
