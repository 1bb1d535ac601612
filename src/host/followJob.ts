import { isDeadlineExceeded, type Clock } from '../time/clock.js';
import type { HostFailure, HostPort, JobReading, JobRequest } from './hostPort.js';
import type { JobEnd } from './jobEnd.js';
import { createOutputRecord, type OutputRecord } from './outputRecord.js';
import { scriptDigest } from './scriptDigest.js';

/** Where the job stands, for whoever watches. */
export interface JobProgress {
  readonly state: 'starting' | 'running' | 'no-contact';
  /** Since when, wall clock, milliseconds. */
  readonly since: number;
  /** Without contact: the host's last answer. */
  readonly message?: string;
}

export interface JobRun {
  readonly host: HostPort;
  readonly job: JobRequest;
  readonly clock: Clock;
  /** How long the job is followed, milliseconds from now; after it nothing is said to the host any more. */
  readonly deadlineMs: number;
  /** The boot in which the job is started. */
  readonly bootIdBefore: string;
  /** A start was confirmed by the host before (resumed turn): it is followed, and never started again. */
  readonly startedBefore?: boolean;
  /** Throws when this actor may not act any more; asked immediately before the host is told to start. */
  readonly fence: () => void;
  /** Gets the output as it grows, each part once. */
  readonly onOutput?: (text: string) => void;
  readonly onProgress?: (progress: JobProgress) => void;
}

/**
 * Starts a job (once, however often this is called and whoever calls it) and follows it to its end. A connection that
 * breaks is made again, with growing pauses, until the deadline. Rejects with the signal's reason when that aborts;
 * the job on the host goes on then.
 */
export async function runJob(run: JobRun, signal: AbortSignal): Promise<JobEnd> {
  const deadline = run.clock.deadline(run.deadlineMs, signal);
  const known: Known = { output: createOutputRecord(), mayHaveStarted: run.startedBefore === true, startedHere: false };
  const report = progressReport(run);
  try {
    if (run.startedBefore !== true) {
      const refusal = await start(run, known, report, deadline.signal);
      if (refusal !== undefined) return { kind: 'not-started', failure: refusal };
    }
    return await follow(run, known, report, deadline.signal);
  } catch (error) {
    if (signal.aborted || !isDeadlineExceeded(deadline.signal)) throw error;
    return endAtDeadline(run, known);
  } finally {
    deadline.clear();
  }
}

/**
 * Between two looks at a job that says little: a fifth of the time that it has been followed, so that a short script costs
 * little more than it takes, because the node is out of service meanwhile.
 */
const shortestPollMs = 100;
const longestPollMs = 1000;
const pollShare = 0.2;
/** Output of this length in one reading: there is more, look again at once. */
const muchOutput = 32_768;
const firstPauseMs = 1000;
const longestPauseMs = 15_000;

/** What is known of the job so far. */
interface Known {
  readonly output: OutputRecord;
  /** The host was told to start it, and has not answered that it did not. */
  mayHaveStarted: boolean;
  startedHere: boolean;
  /** The last answer, where it was none. */
  failure?: HostFailure | undefined;
  /** The boot in which it was last seen running. */
  runningIn?: string;
  end?: EndReading;
}

type EndReading = Extract<JobReading, { readonly state: 'exited' | 'timed-out' | 'vanished' }>;
type Report = (state: JobProgress['state'], message?: string) => void;

/** Returns when the marker is on the host, or why it is not. */
async function start(run: JobRun, known: Known, report: Report, signal: AbortSignal): Promise<HostFailure | undefined> {
  const { host, job, clock, fence } = run;
  report('starting');
  for (let attempt = 0; ; attempt += 1) {
    const before = known.mayHaveStarted;
    fence();
    known.mayHaveStarted = true;
    const answer = await host.startJob(job, signal);
    if (answer.kind === 'ok') {
      known.failure = undefined;
      known.startedHere = answer.value.started;
      return undefined;
    }
    known.failure = answer;
    if (answer.kind !== 'lost') known.mayHaveStarted = before;
    if (answer.kind !== 'lost' && answer.kind !== 'unreachable' && !known.mayHaveStarted) return answer;
    report('no-contact', answer.message);
    await clock.sleep(pauseMs(attempt), signal);
  }
}

async function follow(run: JobRun, known: Known, report: Report, signal: AbortSignal): Promise<JobEnd> {
  const { host, job, clock } = run;
  let nextByte = 0;
  let endsAt: number | undefined;
  const digest = scriptDigest(job.script);
  const sinceMs = clock.monotonic();
  for (let failures = 0; ;) {
    const answer = await host.readJob(job, nextByte, signal);
    if (answer.kind !== 'ok') {
      known.failure = answer;
      report('no-contact', answer.message);
      await clock.sleep(pauseMs(failures), signal);
      failures += 1;
      continue;
    }
    failures = 0;
    known.failure = undefined;
    const reading = answer.value;
    if (reading.state === 'absent') return { kind: 'absent' };
    if (reading.scriptDigest !== undefined && reading.scriptDigest !== digest) {
      return { kind: 'not-started', failure: otherScript(reading.scriptDigest) };
    }
    nextByte = reading.nextByte;
    takeOutput(run, known, reading);
    if (reading.state === 'running') {
      known.runningIn = reading.bootId;
      report('running');
      const share = (clock.monotonic() - sinceMs) * pollShare;
      const pollMs = Math.min(longestPollMs, Math.max(shortestPollMs, share));
      if (reading.output.length < muchOutput) await clock.sleep(pollMs, signal);
    } else {
      known.end = reading;
      // What the script has left running may go on writing: its output up to the first look after the end is the job's.
      endsAt ??= reading.size;
      if (reading.output === '' || (endsAt !== undefined && nextByte >= endsAt))
        return ended(run, known, reading, true);
    }
  }
}

/** Whoever started that (a stolen key can), the job that was asked for was not started, and its name is taken. */
function otherScript(digest: string): HostFailure {
  const message = `The job on the host was started with another script (SHA-256 ${digest}) than that of the playbook: find out who started it.`;
  return { kind: 'command-failed', message };
}

function takeOutput(run: JobRun, { output }: Known, reading: { output: string; omittedBytes?: number }): void {
  if (reading.omittedBytes !== undefined) {
    output.omit(reading.omittedBytes);
    run.onOutput?.(`\n[${String(reading.omittedBytes)} bytes of output were not kept on the host]\n`);
  }
  output.add(reading.output);
  if (reading.output !== '') run.onOutput?.(reading.output);
}

function ended(run: JobRun, known: Known, reading: EndReading, isComplete: boolean): JobEnd {
  const { bootId, result } = reading;
  const reboot = bootId === run.bootIdBefore ? {} : { rebootedDuringJob: { before: run.bootIdBefore, after: bootId } };
  const common = { output: known.output.read(isComplete), result, bootId, startedHere: known.startedHere, ...reboot };
  switch (reading.state) {
    case 'exited':
      return { kind: 'exited', exitCode: reading.exitCode, ...common };
    case 'timed-out':
      return { kind: 'timed-out', ...common };
    case 'vanished':
      return { kind: 'vanished', startedBootId: reading.startedBootId, ...common };
  }
}

function endAtDeadline(run: JobRun, known: Known): JobEnd {
  if (known.end !== undefined) return ended(run, known, known.end, false);
  const output = known.output.read(false);
  const { failure, runningIn } = known;
  if (failure === undefined) {
    if (runningIn !== undefined) return { kind: 'still-running', bootId: runningIn, output };
    const message = 'The deadline passed before the host answered.';
    return { kind: 'no-contact', failure: { kind: 'lost', message }, output };
  }
  return known.mayHaveStarted ? { kind: 'no-contact', failure, output } : { kind: 'not-started', failure };
}

function progressReport({ clock, onProgress }: JobRun): Report {
  let last: JobProgress | undefined;
  return (state, message) => {
    if (last?.state === state && last.message === message) return;
    const since = last?.state === state ? last.since : clock.now();
    last = { state, since, ...(message === undefined ? {} : { message }) };
    onProgress?.(last);
  };
}

function pauseMs(attempt: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
}
