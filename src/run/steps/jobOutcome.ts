import type { Stage } from '../../host/hostPort.js';
import type { JobEnd } from '../../host/jobEnd.js';
import type { FailureCode, StepEnd } from '../outcome.js';
import type { JobRecord } from '../state.js';
import type { TurnContext } from '../turnContext.js';

/** A job's end as the turn's status keeps it. */
export function describeEnd(end: JobEnd): Omit<JobRecord, 'execution' | 'intentAt' | 'bootIdBefore'> {
  switch (end.kind) {
    case 'exited':
    case 'timed-out':
    case 'vanished':
      return {
        state: end.kind,
        ...(end.kind === 'exited' ? { exitCode: end.exitCode } : {}),
        changed: end.result.changed ?? 'yes',
        ...(end.result.reboot === undefined ? {} : { reboot: end.result.reboot }),
        versions: end.result.versions,
        outputTail: end.output.tail,
        outputDigest: end.output.sha256,
        ...(end.output.omittedBytes > 0 ? { outputOmittedBytes: end.output.omittedBytes } : {}),
        bootIdAfter: end.bootId,
        ...(end.rebootedDuringJob === undefined ? {} : { rebootedUnasked: true }),
      };
    case 'not-started':
      return { state: end.kind, changed: 'no', outputTail: end.failure.message };
    case 'absent':
      return { state: end.kind, changed: 'yes' };
    case 'no-contact':
      return { state: end.kind, changed: 'yes', outputTail: end.failure.message };
    case 'still-running':
      return { state: end.kind, changed: 'yes', outputTail: end.output.tail };
  }
}

/** What a job's recorded end means for the turn. */
export function judgeJob(turn: TurnContext, stage: Stage, job: JobRecord): StepEnd {
  const where = `script ${stage} on the host of ${turn.nodeName}`;
  const said =
    job.outputTail === undefined || job.outputTail === '' ? '' : ` Its last lines: ${lastLines(job.outputTail)}`;
  const failed = (code: FailureCode, message: string): StepEnd => ({ kind: 'failed', code, message });
  if (job.vouchedBy !== undefined) return { kind: 'done' };
  switch (job.state) {
    case 'exited':
      if (job.exitCode !== 0)
        return failed('job-failed', `${capital(where)} ended with exit code ${String(job.exitCode)}.${said}`);
      if (
        stage === 'update' &&
        turn.playbook.host.reboot.when === 'required' &&
        job.reboot === undefined &&
        job.rebootedUnasked !== true
      ) {
        return failed(
          'no-reboot-answer',
          `${capital(where)} ended with exit code 0 but did not answer whether a reboot is required; write reboot=required or reboot=no into $TURNUS_RESULT.`,
        );
      }
      return { kind: 'done' };
    case 'timed-out':
      return failed('job-timed-out', `${capital(where)} was ended by its timeout.${said}`);
    case 'vanished':
      // A script that answers and then reboots the host by itself has said all it had to say.
      if (job.rebootedUnasked === true && job.reboot !== undefined) return { kind: 'done' };
      if (job.rebootedUnasked === true) {
        return failed(
          'rebooted-by-script',
          `The host of ${turn.nodeName} was rebooted while script ${stage} ran, by the script or by somebody else, and the script had not answered; how far it came is unknown.${said}`,
        );
      }
      return failed(
        'job-vanished',
        `${capital(where)} is gone without an exit code: the machine went down or somebody killed it.${said}`,
      );
    case 'not-started':
      return failed(
        'job-not-started',
        `${capital(where)} could not be started: ${job.outputTail ?? 'no reason given'}.`,
      );
    case 'absent':
      return failed(
        'job-vanished',
        `${capital(where)} was started, and the host does not know it any more: it is another machine, or its disk was lost.`,
      );
    case 'still-running':
      return failed('job-timed-out', `${capital(where)} still runs although its time is over.${said}`);
    default:
      return failed(
        'job-no-contact',
        `The host of ${turn.nodeName} did not answer, so the end of script ${stage} is unknown; it may still be running: ${job.outputTail ?? ''}.`,
      );
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-3).join(' | ');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
