import type { JournalType } from '../../../src/journal/entry.js';
import type { Call } from '../witness.js';
import { cordonChange } from './holdIsKept.js';
import { runStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

interface Act {
  readonly what: JournalType;
  readonly node: string;
  readonly actor: string;
  readonly atMs: number;
  /** Number of the last entry whose hash stood in the run's status. */
  readonly anchored: number;
}

/** Before a cordon, a script, a reboot and an uncordon the journal says so, and its head is in the run's status. */
export const anchoredBeforeActing: MakeInvariant = (night) => {
  const { say, violations } = complaints('anchored-before-acting', night);
  const acts: Act[] = [];
  return {
    sent(call) {
      const what = announcedBy(call);
      if (what === undefined || call.name === undefined) return;
      const anchored = Math.max(0, ...night.truth.runs().map((run) => runStatusOf(run).journal?.seq ?? 0));
      acts.push({ what, node: call.name, actor: call.actor, atMs: night.elapsedMs(), anchored });
    },
    atEnd({ journal }) {
      for (const { what, node, actor, atMs, anchored } of acts) {
        const isThere = journal.some((entry) => entry.type === what && entry.node === node && entry.seq <= anchored);
        if (!isThere) say(`${actor} acted on ${node} before ${what} was anchored in the run's status`, atMs);
      }
    },
    violations,
  };
};

function announcedBy(call: Call): JournalType | undefined {
  if (call.port === 'host' && call.verb === 'startJob') return 'job.started';
  if (call.port === 'host' && call.verb === 'reboot') return 'reboot.requested';
  switch (cordonChange(call)) {
    case 'cordon':
      return 'node.cordoning';
    case 'uncordon':
      return 'node.uncordoning';
    case undefined:
      return undefined;
  }
}
