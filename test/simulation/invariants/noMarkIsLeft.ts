import { runFinalizer } from '../../../src/run/objects.js';
import type { Trouble } from '../night.js';
import { cordonMark, nameOf, nodeOfTurn, runStatusOf, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** How long after its last moment a bad answer of the API may keep an actor from cleaning up. */
const releasedWithinMs = 60_000;

/**
 * When everybody has ended, nothing of ours is left: no cordon mark, but on a node whose turn is Failed and says so,
 * that a person skipped, or that a person holds; no finalizer on a run, no lease that is held.
 */
export const noMarkIsLeft: MakeInvariant = (night) => {
  const { say, violations } = complaints('no-mark-is-left', night);
  let lastEndAt = 0;
  let lastCrashed = false;
  return {
    actor({ what }) {
      if (what === 'begins') return;
      lastEndAt = night.elapsedMs();
      lastCrashed = what === 'crashes';
    },
    atEnd({ isOver }) {
      if (!isOver || lastCrashed) return;
      const apiFailed = night.night.troubles.some((trouble) => isBadApi(trouble, lastEndAt));
      for (const node of night.truth.nodes()) {
        const mark = cordonMark(node);
        if (mark === undefined) continue;
        const turn = night.truth.turns().find((one) => nodeOfTurn(one) === nameOf(node));
        const { phase = 'no turn', message = '', failure, skippedBy } = turn === undefined ? {} : turnStatusOf(turn);
        const isExplained =
          (phase === 'Failed' && failure !== undefined) || skippedBy !== undefined || message.includes('held');
        if (!isExplained && !apiFailed)
          say(`${nameOf(node)} still carries the mark of ${mark}; its turn is ${phase} (${message})`);
      }
      for (const run of night.truth.runs()) {
        const { phase } = runStatusOf(run);
        const isHeld = run.metadata.finalizers?.includes(runFinalizer) === true;
        if (isHeld && !apiFailed) say(`run ${nameOf(run)} is ${phase ?? 'new'} and still has the finalizer`);
      }
      const holder = night.truth.leaseHolder();
      if (holder !== '' && !apiFailed) say(`the lease is still held by ${holder}`);
    },
    violations,
  };
};

/** A bad answer of the API at this moment, or shortly before, may have kept an actor from cleaning up. */
export function isBadApi(trouble: Trouble, at: number): boolean {
  if (trouble.kind !== 'api-down' && trouble.kind !== 'api-answers') return false;
  return trouble.atMs <= at && at <= trouble.atMs + trouble.forMs + releasedWithinMs;
}
