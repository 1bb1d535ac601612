import { TurnusError } from '../turnusError.js';
import type { JobKey } from './hostPort.js';

/** Where things are on a host. */
export interface HostLayout {
  /** Turnus' own directory on a disk that survives a reboot. */
  readonly baseDirectory: string;
  /** The file with the identity of the current boot (random(4)). */
  readonly bootIdPath: string;
}

export const defaultHostLayout: HostLayout = {
  baseDirectory: '/var/lib/turnus',
  bootIdPath: '/proc/sys/kernel/random/boot_id',
};

/** The directories of a job: `<base>/jobs/<run uid>/<node>.<stage>.<execution>`. */
export interface JobDirectory {
  /** Of every job of the run. */
  readonly run: string;
  /** The marker directory: its being there says that the job was started. */
  readonly job: string;
}

export function jobDirectory(layout: HostLayout, key: JobKey): JobDirectory {
  const run = `${layout.baseDirectory}/jobs/${key.runUid}`;
  return { run, job: `${run}/${jobName(key)}` };
}

/**
 * The name of a job's directory in that of its run. Names come from the API server (a run's uid, a node's name); a key
 * that could lead out of the directory is refused.
 */
export function jobName(key: JobKey): string {
  const execution = Number.isSafeInteger(key.execution) && key.execution > 0 ? String(key.execution) : '';
  for (const part of [key.runUid, key.node, key.stage, execution]) {
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(part)) continue;
    throw new TurnusError({
      code: 'job-key-invalid',
      message: `The job ${JSON.stringify({ ...key, script: undefined })} cannot name a directory on the host`,
      exitCode: 1,
    });
  }
  return `${key.node}.${key.stage}.${execution}`;
}
