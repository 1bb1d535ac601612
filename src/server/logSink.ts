import type { JournalEntry, JournalSink, JournalType } from '../journal/entry.js';
import type { Log, LogLevel } from './log.js';
import type { LogDetails, LogValue } from './log/safeDetails.js';

/**
 * Writes a line for each entry of a journal: its type as the event, its number as `entry`, a sentence, and of the evidence
 * the few plain values that people look for. The evidence is in the journal. Never fails; put it after the sinks that keep
 * the journal, so that no log says what no journal does.
 */
export function logSink(log: Log): JournalSink {
  return {
    name: 'the log',
    write(entry) {
      const { type, run, node } = entry;
      const line = lines[type];
      const level = line.level(entry);
      log[level]({
        event: type,
        msg: line.says(entry),
        run,
        node,
        playbook: textOf(entry['playbook']),
        details: { entry: entry.seq, ...plainOf(entry, line.tells) },
      });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

interface Line {
  readonly level: (entry: JournalEntry) => LogLevel;
  readonly says: (entry: JournalEntry) => string;
  /** Names of the evidence that the line carries. */
  readonly tells: readonly string[];
}

type Says = (entry: JournalEntry & { readonly at: string }) => string;

function line(level: LogLevel | ((entry: JournalEntry) => LogLevel), says: Says, tells: readonly string[] = []): Line {
  return {
    level: typeof level === 'function' ? level : () => level,
    says: (entry) => says({ ...entry, at: entry.node ?? entry.run }),
    tells,
  };
}

const begun = ['actor', 'requester', 'planHash', 'rehearsal', 'change', 'reason', 'overrides'];

/** An entry of a type of which another version of Turnus knows has no line here. */
const lines: Readonly<Record<JournalType, Line>> = {
  'run.started': line('info', ({ run }) => `Run ${run} begins.`, begun),
  'run.resumed': line('info', ({ run }) => `Run ${run} goes on.`, begun),
  'run.finished': line(
    (entry) => (entry['phase'] === 'Failed' || entry['phase'] === 'Aborted' ? 'error' : 'info'),
    (entry) => `Work on run ${entry.run} has ended: ${textOf(entry['phase']) ?? ''} (${textOf(entry['stop']) ?? ''}).`,
    ['phase', 'stop'],
  ),
  'run.handed-over': line(
    'info',
    (entry) => `Run ${entry.run} is left to another actor (${textOf(entry['stop']) ?? ''}).`,
    ['phase', 'stop'],
  ),
  'run.paused': line('warn', ({ run }) => `Run ${run} is paused.`, ['by', 'problems']),
  'run.superseded': line(
    'info',
    (entry) => `Run ${entry.run} supersedes ${textOf(entry['superseded']) ?? 'another'}.`,
    ['superseded'],
  ),
  'runs.deleting': line('info', () => 'Old runs are deleted.', ['runs']),
  'request.answered': line('info', ({ run }) => `A request to run ${run} is answered.`, ['id', 'verb', 'by', 'result']),
  'turn.started': line('info', ({ at }) => `The turn of ${at} begins.`, ['attempt']),
  'turn.finished': line(
    (entry) => (entry['phase'] === 'Failed' ? 'error' : entry['phase'] === 'Done' ? 'info' : 'warn'),
    (entry) => withReason(`The turn of ${entry.at} has ended: ${textOf(entry['phase']) ?? ''}.`, entry['message']),
    ['phase'],
  ),
  'gate.checked': line(
    (entry) => (blocking(entry).length > 0 || entry['notRecovered'] !== undefined ? 'warn' : 'info'),
    (entry) => {
      const codes = blocking(entry);
      if (codes.length > 0) return `The gates of ${entry.at} say no: ${codes.join(', ')}.`;
      return entry['notRecovered'] === undefined
        ? `The gates of ${entry.at} let it go.`
        : withReason(`What an earlier turn took is not back.`, entry['notRecovered']);
    },
    ['moment'],
  ),
  'node.cordoning': line('debug', ({ at }) => `${at} is about to be cordoned.`),
  'node.cordoned': line('info', ({ at }) => `${at} is cordoned.`, ['again']),
  'node.uncordoning': line('debug', ({ at }) => `${at} is about to be uncordoned.`, ['undo']),
  'node.uncordoned': line('info', ({ at }) => `${at} is uncordoned.`, ['undo']),
  'nodes.steering': line('info', () => 'Pods are turned away from other nodes than before.', ['taint', 'away', 'back']),
  'nodes.steering-failed': line('warn', () => 'Nodes could not be given, or rid of, the taint that turns pods away.', [
    'taint',
  ]),
  'pod.evicting': line('debug', (entry) => `${podOf(entry)} is about to be evicted.`, ['pod']),
  'pod.gone': line('debug', (entry) => `${podOf(entry)} has left.`, ['pod', 'afterMs']),
  'eviction.refused': line(
    'warn',
    (entry) => withReason(`The eviction of ${podOf(entry)} is refused.`, entry['reason']),
    ['pod', 'answer'],
  ),
  'owner.surging': line(
    'info',
    (entry) => `The Deployment of ${podOf(entry)} is restarted, so that its replacement comes first.`,
    ['pod', 'owner'],
  ),
  'owner.surged': line('info', (entry) => `${podOf(entry)} was replaced.`, ['pod', 'owner', 'afterMs']),
  'surge.refused': line(
    'warn',
    (entry) => withReason(`The Deployment of ${podOf(entry)} could not be restarted.`, entry['reason']),
    ['pod', 'owner'],
  ),
  'drain.requested': line('info', ({ at }) => `A person drains ${at}.`, ['actor', 'requester']),
  'drain.finished': line(
    (entry) => (entry['result'] === 'empty' ? 'info' : 'warn'),
    (entry) => `The drain of ${entry.at} has ended: ${textOf(entry['result']) ?? ''}.`,
    ['result', 'evicted', 'surged'],
  ),
  'host.connected': line('info', ({ at }) => `The host of ${at} answers.`, ['address', 'bootId', 'kernel']),
  'job.started': line('info', (entry) => `Script ${textOf(entry['stage']) ?? ''} starts on ${entry.at}.`, [
    'stage',
    'execution',
    'scriptDigest',
  ]),
  'job.finished': line(
    (entry) => (entry['exitCode'] === 0 ? 'info' : 'error'),
    (entry) => `Script ${textOf(entry['stage']) ?? ''} on ${entry.at}: ${textOf(entry['state']) ?? ''}.`,
    // Its output may hold anything: it stays on the host and, its end, in the journal.
    ['stage', 'execution', 'state', 'exitCode', 'changed', 'reboot', 'outputDigest'],
  ),
  'reboot.requested': line('info', ({ at }) => `${at} is about to be rebooted.`, ['bootId']),
  'boot.proved': line(
    (entry) => (entry['unasked'] === true ? 'warn' : 'info'),
    (entry) => `${entry.at} has booted${entry['unasked'] === true ? ', and nobody had asked for it' : ''}.`,
    ['bootIdBefore', 'bootIdAfter'],
  ),
  'health.checked': line(
    (entry) => (entry['healthy'] === true ? 'info' : 'error'),
    (entry) => `${entry.at} is ${entry['healthy'] === true ? 'well again' : 'not well'}.`,
    ['healthy', 'passes', 'problems'],
  ),
  'window.closed': line('info', (entry) => withReason('The window is over for this run.', entry['message']), [
    'left',
    'opensAt',
  ]),
};

function plainOf(entry: JournalEntry, names: readonly string[]): LogDetails {
  return Object.fromEntries(names.map((name): [string, LogValue] => [name, plainValue(entry[name])]));
}

function plainValue(value: unknown): LogValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

/** Codes of the findings that hold the node up. */
function blocking(entry: JournalEntry): string[] {
  const findings: readonly unknown[] = Array.isArray(entry['findings']) ? entry['findings'] : [];
  const codes = findings.flatMap((finding) =>
    isObject(finding) && finding['severity'] === 'block' && typeof finding['code'] === 'string'
      ? [finding['code']]
      : [],
  );
  return [...new Set(codes)];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function podOf(entry: JournalEntry): string {
  return `Pod ${textOf(entry['pod']) ?? ''}`;
}

function withReason(sentence: string, reason: unknown): string {
  const text = textOf(reason);
  return text === undefined ? sentence : `${sentence} ${text}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
