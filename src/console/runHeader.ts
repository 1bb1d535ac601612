import type { LeaseSight } from '../cluster/leaseSight.js';
import { countTurns } from '../run/runEnd.js';
import type { RunState } from '../run/state.js';
import { actorText } from './actorText.js';
import { plainText } from './plainText.js';
import { tallyText } from './tallyText.js';
import { spanMs, spanText, timeText } from './timeText.js';
import { liveWaitText } from './waitText.js';

/** A run in a few lines, the most important one first. `actor`: what the Lease says; absent: what the status says. */
export function runHeader(state: RunState, seen: { now: number; actor?: LeaseSight | undefined }): string[] {
  const { spec, status } = state;
  const word = spec.rehearsal ? 'Rehearsal' : 'Run';
  const deleted = state.isDeleted ? ', deleted by a person' : '';
  const lines = [
    `${word} ${plainText(state.name)}: ${plainText(status.phase)}${deleted} (playbook ${plainText(spec.playbook.name)})`,
    [tallyText(countTurns(state)), ...timesText(state, seen.now)].join('; '),
  ];
  if (status.waitingFor !== undefined) lines.push(liveWaitText(status.waitingFor, seen.now));
  else if (status.message !== undefined) lines.push(plainText(status.message));
  const change = spec.change === undefined ? [] : [`change ${plainText(spec.change)}`];
  lines.push(
    [
      ...windowText(state, seen.now),
      ...actingText(state, seen),
      ...change,
      `asked for by ${plainText(spec.requester)}`,
    ].join('; '),
  );
  return lines;
}

/** Until when turns may start, while somebody is at work. */
function windowText({ status }: RunState, now: number): string[] {
  const { closesAt, endedBy } = status.window ?? {};
  if (status.phase !== 'Running' || closesAt === undefined) return [];
  return [
    `turns start until ${timeText(closesAt, now)}${endedBy === undefined ? '' : `, then freeze ${plainText(endedBy)}`}`,
  ];
}

function timesText({ status }: RunState, now: number): string[] {
  if (status.startedAt === undefined) return [];
  const started = `started ${timeText(status.startedAt, now)}`;
  if (status.finishedAt === undefined) return [started, `${spanText(spanMs(status.startedAt, now))} ago`];
  return [started, `ended after ${spanText(spanMs(status.startedAt, status.finishedAt))}`];
}

function actingText({ status }: RunState, seen: { now: number; actor?: LeaseSight | undefined }): string[] {
  if (status.finishedAt !== undefined) return [];
  if (seen.actor !== undefined) return [actorText(seen.actor, seen.now)];
  return status.actor === undefined ? [] : [`actor ${plainText(status.actor)}`];
}
