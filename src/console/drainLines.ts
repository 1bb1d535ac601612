import type { JournalRecord } from '../journal/entry.js';
import type { TurnStatus } from '../run/state.js';
import { formatDuration } from '../time/duration.js';
import { plainText } from './plainText.js';
import { waitText } from './waitText.js';

/** What people read of an entry of the journal while a node is drained by hand; undefined: nothing. */
export function drainLine({ type, ...evidence }: JournalRecord): string | undefined {
  const text = (name: string) => {
    const value = evidence[name];
    return typeof value === 'string' ? plainText(value) : '';
  };
  switch (type) {
    case 'node.cordoned':
      return `node ${text('node')} is cordoned`;
    case 'node.uncordoned':
      return `node ${text('node')} is uncordoned again`;
    case 'pod.evicting':
      return `evicting Pod ${text('pod')}`;
    case 'pod.gone': {
      const afterMs = Number(evidence['afterMs']);
      return `Pod ${text('pod')} has left${Number.isNaN(afterMs) ? '' : ` after ${formatDuration(afterMs)}`}`;
    }
    case 'eviction.refused':
      return text('reason');
    default:
      return undefined;
  }
}

/** The wait of a drain, told when it is another one than before. */
export function drainWaitLine(before: TurnStatus | undefined, status: TurnStatus): string | undefined {
  const wait = status.waitingFor;
  if (wait === undefined || wait.what === before?.waitingFor?.what) return undefined;
  const { podsLeft } = status;
  return `${podsLeft === undefined || podsLeft === 0 ? '' : `${String(podsLeft)} left; `}${waitText(wait)}`;
}

/** How a drained node was left, and how that is ended. */
export function drainedLines(drained: {
  readonly node: string;
  readonly foundCordoned: boolean;
  readonly mark: string;
  readonly status: TurnStatus;
}): string[] {
  const { node, foundCordoned, mark, status } = drained;
  const evicted = status.evictions ?? 0;
  const bound = (status.findings ?? []).filter(({ code }) => code === 'bound-to-node');
  const cordon = foundCordoned ? 'It stays cordoned, as it was before.' : `It stays cordoned, marked ${mark}.`;
  return [
    `Node ${node} is drained: ${String(evicted)} ${evicted === 1 ? 'pod' : 'pods'} evicted. ${cordon}`,
    ...bound.map(({ message }) => plainText(message)),
    `When it may take pods again: kubectl uncordon ${node}`,
  ];
}
