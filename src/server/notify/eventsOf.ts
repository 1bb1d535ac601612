import { createHash } from 'node:crypto';
import type { JournalEntry } from '../../journal/entry.js';
import type { RunState } from '../../run/state.js';
import { withoutSecrets } from '../log/withoutSecrets.js';
import type { CloudEventData, EventName } from './cloudEvent.js';

/**
 * What webhooks are told of an entry; mostly nothing. `state`: the run as it was last known before the entry, undefined
 * where it was not. The id is the entry's hash, but for a window's opening: an actor that takes a run over in an open
 * window tells the same event again.
 */
export function eventsOf(entry: JournalEntry, state: RunState | undefined): CloudEventData[] {
  switch (entry.type) {
    case 'run.started':
    case 'run.resumed':
      return windowOpened(entry, state);
    case 'turn.started':
      return [about(entry, 'turn.started', { ...ofTurn(entry, state), ...given('attempt', entry['attempt']) })];
    case 'turn.finished':
      return [turnEnded(entry, state)];
    case 'window.closed':
      return [
        about(entry, 'window.closed', {
          ...ofRun(entry.run, state),
          ...given('message', textOf(entry['message'])),
          left: names(entry['left']),
          ...given('opensAt', entry['opensAt']),
        }),
      ];
    case 'run.finished':
      return isEnd(entry['phase']) ? [about(entry, 'run.finished', runSummary(entry, state))] : [];
    case 'run.superseded':
      return superseded(entry, state);
    default:
      return [];
  }
}

/** Work on a run that is not at its end goes on in another window, or by another actor. */
function isEnd(phase: unknown): boolean {
  return phase === 'Completed' || phase === 'Failed' || phase === 'Aborted';
}

function windowOpened(entry: JournalEntry, state: RunState | undefined): CloudEventData[] {
  const { opensAt, closesAt, endedBy } = membersOf(entry['window']);
  // Without both no window is open: the run was started outside of one, or there are none.
  if (typeof opensAt !== 'string' || typeof closesAt !== 'string') return [];
  const known = state?.name === entry.run ? state.status.window : undefined;
  if (entry.type === 'run.resumed' && known?.closesAt !== undefined && known.opensAt === opensAt) return [];
  const data = {
    ...ofRun(entry.run, state),
    ...given('playbook', entry['playbook']),
    rehearsal: entry['rehearsal'] === true,
    window: { opensAt, closesAt, ...given('endedBy', endedBy) },
    nodes: Array.isArray(entry['order']) ? entry['order'].length : 0,
    ...given('planHash', entry['planHash']),
    ...given('requester', entry['requester']),
    ...given('change', entry['change']),
  };
  const id = createHash('sha256').update(`window.opened ${entry.run} ${opensAt}`).digest('hex');
  return [{ ...about(entry, 'window.opened', data), id }];
}

function turnEnded(entry: JournalEntry, state: RunState | undefined): CloudEventData {
  const { phase } = entry;
  const isFailed = phase === 'Failed';
  const { code, phase: step, node, host, who, next } = membersOf(entry['failure']);
  const failure = { code, step, node, host, who, next: names(next) };
  return about(entry, isFailed ? 'turn.failed' : 'turn.finished', {
    ...ofTurn(entry, state),
    phase,
    ...given('message', textOf(entry['message'])),
    ...(isFailed && code !== undefined ? { failure } : {}),
  });
}

function runSummary(entry: JournalEntry, state: RunState | undefined): Record<string, unknown> {
  const known = state?.name === entry.run ? state : undefined;
  const inPhase = (phase: string) =>
    [...(known?.turns.values() ?? [])].flatMap(({ node, status }) =>
      status.phase === phase ? [{ node, ...given('message', textOf(status.message)) }] : [],
    );
  return {
    ...ofRun(entry.run, state),
    phase: entry['phase'],
    ...given('counts', entry['counts']),
    ...given('stop', entry['stop']),
    ...given('startedAt', known?.status.startedAt),
    failed: inPhase('Failed').slice(0, mostNodes),
    blocked: [...inPhase('Blocked'), ...inPhase('Deferred')].slice(0, mostNodes),
    skipped: inPhase('Skipped').slice(0, mostNodes),
  };
}

/** Nobody acts on the former run any more, so that its own end is told by the one that took its place. */
function superseded(entry: JournalEntry, state: RunState | undefined): CloudEventData[] {
  const run = entry['superseded'];
  if (typeof run !== 'string') return [];
  const { playbook, rehearsal } = ofRun(entry.run, state);
  const data = { run, ...given('playbook', playbook), ...given('rehearsal', rehearsal), phase: 'Superseded' };
  return [{ ...about(entry, 'run.finished', { ...data, supersededBy: entry.run }), subject: run }];
}

/** As many nodes are told of by name. */
const mostNodes = 100;

function about(entry: JournalEntry, type: EventName, data: CloudEventData['data']): CloudEventData {
  const subject = type.startsWith('turn.') ? `${entry.run}/${entry.node ?? ''}` : entry.run;
  return { type, id: entry.hash, time: entry.time, subject, data };
}

function ofRun(run: string, state: RunState | undefined): { run: string; playbook?: unknown; rehearsal?: unknown } {
  if (state?.name !== run) return { run };
  return { run, playbook: state.spec.playbook.name, rehearsal: state.spec.rehearsal };
}

function ofTurn(entry: JournalEntry, state: RunState | undefined): Record<string, unknown> {
  return { ...ofRun(entry.run, state), node: entry.node };
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value };
}

function names(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).flatMap((item: unknown) => textOf(item) ?? []).slice(0, mostNodes);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Words of hosts, webhooks and people leave the cluster with it. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? withoutSecrets(value) : undefined;
}
