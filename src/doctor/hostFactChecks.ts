import type { HostAnswer, HostFacts } from '../host/hostPort.js';
import { defaultHostLayout } from '../host/jobDirectory.js';
import type { HostPolicy } from '../playbook/playbook.js';
import { failed, ok, skipped, warning, type Judgement } from './check.js';

const { baseDirectory } = defaultHostLayout;

/** Room for what scripts write while they run: some megabytes are usual, package managers write more. */
const warnBelowBytes = 100 * 2 ** 20;

/** A full disk is an answer of its own; here some is left. */
export function judgeDisk({ freeBytes }: Pick<HostFacts, 'freeBytes'>): Judgement {
  const free = `${bytesText(freeBytes)} are free below ${baseDirectory}`;
  if (freeBytes >= warnBelowBytes) return ok('disk', `${free}.`);
  return warning(
    'disk',
    `Only ${free}.`,
    'Make room: what a script writes to its output is kept there, and a script on a full disk fails half-way.',
  );
}

export function judgeJobDirectory({ root, jobsInMemory }: Pick<HostFacts, 'root' | 'jobsInMemory'>): Judgement {
  if (!root) return skipped('job-directory', 'Not known: `sudo` failed.');
  if (jobsInMemory === true) {
    return failed(
      'job-directory',
      `${baseDirectory} is kept in memory (tmpfs): after a reboot nobody knows which jobs were started.`,
      `Put ${baseDirectory} on a disk that survives a reboot.`,
    );
  }
  return ok('job-directory', `root can write below ${baseDirectory}.`);
}

/** The programs of a job, and what the scripts of the playbook name in their first line. */
export function judgePrograms(
  { missingPrograms }: Pick<HostFacts, 'missingPrograms'>,
  missingInterpreters: HostAnswer<readonly string[]> | undefined,
): Judgement {
  if (missingPrograms === undefined) return skipped('programs', 'Not known: the host did not say.');
  if (missingPrograms.length > 0) {
    return failed(
      'programs',
      `The host lacks ${missingPrograms.join(', ')}, without which no job can run.`,
      'Install util-linux, coreutils and findutils there (see docs/host-jobs.md).',
    );
  }
  if (missingInterpreters === undefined) return ok('programs', 'The programs that jobs need are there.');
  if (missingInterpreters.kind !== 'ok') {
    return skipped(
      'programs',
      `The programs that jobs need are there; whether the interpreters of the scripts are is not known: ${missingInterpreters.message}`,
    );
  }
  if (missingInterpreters.value.length === 0)
    return ok('programs', 'The programs that jobs need and the interpreters of the scripts are there.');
  return failed(
    'programs',
    `The host lacks ${missingInterpreters.value.join(', ')}, which a script of the playbook names in its first line.`,
    'Install it there, or write the script for an interpreter that every host has.',
  );
}

export function judgeRebootCommand(
  { rebootCommand }: Pick<HostFacts, 'rebootCommand'>,
  { when }: Pick<HostPolicy['reboot'], 'when'>,
): Judgement {
  if (when === 'never') return ok('reboot-command', 'The playbook never reboots.');
  if (rebootCommand === undefined) return skipped('reboot-command', 'Not known: the host did not say.');
  if (rebootCommand !== '') return ok('reboot-command', `It reboots by \`${rebootCommand}\`.`);
  return failed(
    'reboot-command',
    'The host has neither systemctl nor reboot.',
    'Install one of them, or set spec.host.reboot.when: never.',
  );
}

/** `12.3 GiB`, `480 MiB`, `900 KiB` */
export function bytesText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  if (bytes >= 2 ** 20) return `${String(Math.floor(bytes / 2 ** 20))} MiB`;
  return `${String(Math.floor(bytes / 1024))} KiB`;
}
