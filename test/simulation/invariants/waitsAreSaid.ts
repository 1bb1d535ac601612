import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import { isInWork } from '../../../src/run/nextTurn.js';
import { turnResource } from '../../../src/run/objects.js';
import { timeText } from '../nightText.js';
import { holderOf, isSame, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** Calls to hosts have deadlines of about half a minute, and a few follow one another. */
const longestSilenceMs = 3 * 60_000;

/**
 * A turn in work that goes on after a long time without a change has said for what it waited (rule 15). What nobody
 * could say is not asked for: nobody was at work, or the API did not take it.
 */
export const waitsAreSaid: MakeInvariant = (night) => {
  const { say, violations } = complaints('waits-are-said', night);
  const outages = night.night.troubles.flatMap((trouble) =>
    trouble.kind === 'api-down' || trouble.kind === 'api-answers'
      ? [{ from: trouble.atMs, until: trouble.atMs + trouble.forMs }]
      : [],
  );
  const changedAt = new Map<string, number>();
  /** When an actor last came or went, or the lease changed hands. */
  let handedOverAt = 0;
  let holder = '';

  const judge = (node: string, before: ApiObject): void => {
    const now = night.elapsedMs();
    const since = changedAt.get(node) ?? now;
    const { phase = 'Pending', waitingFor } = turnStatusOf(before);
    if (now - since < longestSilenceMs || waitingFor !== undefined || !isInWork(phase) || handedOverAt >= since) return;
    if (outages.some(({ from, until }) => from <= now && since <= until)) return;
    say(
      `the turn of ${node} was ${phase} from ${timeText(since)} to ${timeText(now)} and did not say for what it waited`,
    );
  };

  return {
    actor() {
      handedOverAt = night.elapsedMs();
    },
    changed({ resource, object, before, type }) {
      if (isSame(resource, resources.leases) && object.metadata.name === 'turnus' && holderOf(object) !== holder) {
        holder = holderOf(object);
        handedOverAt = night.elapsedMs();
      }
      if (!isSame(resource, turnResource) || type === 'deleted') return;
      const node = nodeOfTurn(object);
      if (before !== undefined) judge(node, before);
      changedAt.set(node, night.elapsedMs());
    },
    violations,
  };
};
