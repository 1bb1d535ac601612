import { createHash } from 'node:crypto';
import { runJob } from '../../host/followJob.js';
import type { Stage } from '../../host/hostPort.js';
import type { JobEnd } from '../../host/jobEnd.js';
import { formatDuration } from '../../time/duration.js';
import type { FailureCode, StepEnd } from '../outcome.js';
import type { JobRecord } from '../state.js';
import { timestamp, type TurnContext } from '../turnContext.js';

/** Time beyond the script's own timeout in which a host that does not answer may come back. */
const contactGraceMs = 5 * 60_000;

/**
 * Runs the playbook's script of a stage exactly once (rule 7): the intent is recorded before the host is asked, the
 * marker directory on the host is the lock, and a recorded end is never asked for again.
 */
export async function runScript(turn: TurnContext, stage: Stage, signal: AbortSignal): Promise<StepEnd> {
  const script = turn.playbook.host.scripts[stage];
  if (script === undefined || turn.run.rehearsal) return { kind: 'done' };
  const recorded = turn.status().jobs?.[stage];
  if (recorded?.state !== undefined) return judge(turn, stage, recorded);

  const intent = recorded ?? (await recordIntent(turn, { stage, script: script.content }, signal));
  const deadlineMs = script.timeoutMs + contactGraceMs;
  const until = turn.clock.now() + deadlineMs;
  const waitFor = (what: string) => {
    turn.waiting({ what, untilMs: until, who: `the host of ${turn.nodeName}` });
  };
  waitFor(`script ${stage} on the host of ${turn.nodeName}, at most ${formatDuration(script.timeoutMs)}`);
  const end = await runJob(
    {
      host: turn.host,
      job: {
        runUid: turn.run.uid,
        run: turn.run.name,
        node: turn.nodeName,
        stage,
        execution: intent.execution,
        script: script.content,
        timeoutMs: script.timeoutMs,
      },
      clock: turn.clock,
      deadlineMs,
      bootIdBefore: intent.bootIdBefore,
      fence: turn.fence,
      onProgress: ({ state, message }) => {
        if (state === 'no-contact')
          waitFor(`the host of ${turn.nodeName} to answer again during script ${stage}: ${message ?? 'no contact'}`);
        else waitFor(`script ${stage} on the host of ${turn.nodeName}, at most ${formatDuration(script.timeoutMs)}`);
      },
    },
    signal,
  );
  const job = { ...intent, ...describeEnd(end), finishedAt: timestamp(turn.clock) };
  turn.waiting(undefined);
  await turn.record({
    type: 'job.finished',
    node: turn.nodeName,
    stage,
    execution: job.execution,
    state: job.state,
    exitCode: job.exitCode,
    changed: job.changed,
    reboot: job.reboot,
    versions: job.versions,
    outputTail: job.outputTail,
    outputDigest: job.outputDigest,
  });
  await turn.save({ jobs: { ...turn.status().jobs, [stage]: job } });
  return judge(turn, stage, job);
}

async function recordIntent(
  turn: TurnContext,
  { stage, script }: { stage: Stage; script: string },
  signal: AbortSignal,
): Promise<JobRecord> {
  const intent: JobRecord = {
    execution: 1,
    intentAt: timestamp(turn.clock),
    bootIdBefore: turn.status().bootIdBefore ?? '',
  };
  signal.throwIfAborted();
  await turn.record({
    type: 'job.started',
    node: turn.nodeName,
    stage,
    execution: intent.execution,
    scriptDigest: createHash('sha256').update(script).digest('hex'),
    bootId: intent.bootIdBefore,
  });
  await turn.anchor();
  await turn.save({ jobs: { ...turn.status().jobs, [stage]: intent } });
  return intent;
}

function describeEnd(end: JobEnd): Omit<JobRecord, 'execution' | 'intentAt' | 'bootIdBefore'> {
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

function judge(turn: TurnContext, stage: Stage, job: JobRecord): StepEnd {
  const where = `script ${stage} on the host of ${turn.nodeName}`;
  const said =
    job.outputTail === undefined || job.outputTail === '' ? '' : ` Its last lines: ${lastLines(job.outputTail)}`;
  const failed = (code: FailureCode, message: string): StepEnd => ({ kind: 'failed', code, message });
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
