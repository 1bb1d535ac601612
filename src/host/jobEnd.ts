import type { HostFailure, JobAnswers } from './hostPort.js';

/** What the script wrote, kept in bounds. */
export interface JobOutput {
  /** The last 4 KiB. */
  readonly tail: string;
  /** SHA-256 of all output that was read, as UTF-8 text, hex. */
  readonly sha256: string;
  /** Of what was read. */
  readonly bytes: number;
  /** Of a long output the host keeps the beginning and the end: so many bytes between them were not kept. */
  readonly omittedBytes: number;
  /** False where the deadline passed, or contact was lost, before the last of it was read. */
  readonly isComplete: boolean;
}

interface Ended {
  readonly output: JobOutput;
  readonly result: JobAnswers;
  /** Of the host when the end was read. */
  readonly bootId: string;
  /** False where the marker was there already: an earlier call or actor had started it. */
  readonly startedHere: boolean;
  /** The host booted during the job, and nobody had asked for it. */
  readonly rebootedDuringJob?: { readonly before: string; readonly after: string };
}

/** How a job ended, or what is known of it where that cannot be said. */
export type JobEnd =
  | (Ended & { readonly kind: 'exited'; readonly exitCode: number })
  | (Ended & { readonly kind: 'timed-out' })
  /** Neither a process nor an exit code: the machine went down, or the process was killed, in the middle. */
  | (Ended & { readonly kind: 'vanished'; readonly startedBootId: string })
  /** It was started once, and the host does not know it: another machine, or its disk is lost. Not started again. */
  | { readonly kind: 'absent' }
  /** Nothing was started: the host said no, was not reached until the deadline, or has another script in its place. */
  | { readonly kind: 'not-started'; readonly failure: HostFailure }
  /** The deadline passed: the job may still be running, or may never have started. `failure` is the last answer. */
  | { readonly kind: 'no-contact'; readonly failure: HostFailure; readonly output: JobOutput }
  /** The deadline passed and the host says that the job is still running. */
  | { readonly kind: 'still-running'; readonly bootId: string; readonly output: JobOutput };
