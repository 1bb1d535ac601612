import type { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import type { Clock } from '../time/clock.js';
import { errorRecord, type ErrorRecord } from './log/errorRecord.js';
import { safeDetails, type LogDetails } from './log/safeDetails.js';
import { withoutSecrets } from './log/withoutSecrets.js';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One event. */
export interface LogLine extends LogSubject {
  /** Stable name of what happened, for programs: `turn.started`, `lease.lost`. */
  readonly event: string;
  /** One sentence for people. */
  readonly msg: string;
  /** Told by name, code, message, hint and stack; nothing else that hangs on it is written. */
  readonly error?: unknown;
  /** Plain values under stable names. */
  readonly details?: LogDetails;
}

/** What a line is about. */
export interface LogSubject {
  readonly run?: string | undefined;
  readonly node?: string | undefined;
  readonly playbook?: string | undefined;
}

/** Writes lines of JSON, one an event. Never rejects or throws: a run does not end because nobody reads its log. */
export type Log = Readonly<Record<LogLevel, (line: LogLine) => void>> & {
  /** The same log, whose lines are about this where they do not say otherwise. */
  about(subject: LogSubject): Log;
};

/**
 * Writes to a stream that belongs to someone else (standard output), lines of `level` and above. Members: `level` as a
 * word, `time`, `event`, `run`, `node`, `playbook`, details, `err`, `msg`. Secrets never stand in it: only plain values
 * pass, under names that promise no secret, and texts are cleared of what looks like one.
 */
export function openLog(options: {
  readonly stream: Writable;
  readonly level: LogLevel;
  readonly clock: Pick<Clock, 'now'>;
}): Log {
  const { stream, level, clock } = options;
  // Where it is the journal's stream too, its sink says what is wrong with it.
  stream.on('error', () => undefined);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      // Ours is a record already; pino's would read it as an error with other members.
      serializers: { err: (record: ErrorRecord) => record },
      formatters: { level: (label) => ({ level: label }) },
      // What gets here is plain already; should that be broken one day, these stay out all the same.
      redact: { paths: [...redacted, ...redacted.map((name) => `*.${name}`)], censor: '[redacted]' },
    },
    stream,
  );
  return logOf(logger, {});
}

const redacted = [
  ...['authorization', 'headers', 'cookie', 'token', 'password', 'passphrase', 'secret', 'key', 'privateKey'],
  ...['data', 'stringData', 'body'],
];

function logOf(logger: Logger, subject: LogSubject): Log {
  const write = (level: LogLevel) => (line: LogLine) => {
    if (!logger.isLevelEnabled(level)) return;
    const { run = subject.run, node = subject.node, playbook = subject.playbook } = line;
    const record = {
      event: line.event,
      ...{ run, node, playbook },
      ...safeDetails(line.details ?? {}),
      ...(line.error === undefined ? {} : { err: errorRecord(line.error) }),
    };
    try {
      logger[level](record, '%s', withoutSecrets(line.msg));
    } catch {
      // A stream that was closed under us.
    }
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    about: (more) => logOf(logger, { ...subject, ...more }),
  };
}
