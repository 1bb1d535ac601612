import { basename } from 'node:path/posix';
import { runJob } from '../../host/followJob.js';
import { scriptDigest } from '../../host/scriptDigest.js';
import type { JobKey, Stage } from '../../host/hostPort.js';
import type { ScriptPolicy } from '../../playbook/playbook.js';
import { formatDuration } from '../../time/duration.js';
import { isHostTouched, mayHaveChanged } from '../hostTouched.js';
import type { StepEnd } from '../outcome.js';
import type { JobRecord } from '../state.js';
import { timestamp, type TurnContext } from '../turnContext.js';
import { hostIsNode } from './hostIsNode.js';
import { describeEnd, judgeJob } from './jobOutcome.js';

/** Time beyond the script's own timeout in which a host that does not answer may come back. */
const contactGraceMs = 5 * 60_000;
/** Between two looks for a job on a host that is away. */
const lookAgainMs = 2000;

/** A script of the playbook, and what must hold immediately before it is started. */
interface ScriptRun {
  readonly stage: Stage;
  readonly beforeStart: () => Promise<StepEnd>;
}

/**
 * Runs the playbook's script of a stage exactly once (rule 7): the intent is recorded before the host is asked, the
 * marker on the host is the lock, and a recorded end is never asked for again. An intent that an earlier actor left is
 * followed where the host knows the job; where it never came that far everything is checked anew.
 */
export async function runScript(turn: TurnContext, run: ScriptRun, signal: AbortSignal): Promise<StepEnd> {
  const { stage, beforeStart } = run;
  const script = turn.playbook.host.scripts[stage];
  if (script === undefined || turn.run.rehearsal) return { kind: 'done' };
  const latest = turn.status().jobs?.[stage];
  const recorded = latest?.again === true ? undefined : latest;
  if (recorded?.state !== undefined) return judgeJob(turn, stage, recorded);

  const found = recorded === undefined ? { kind: 'absent' as const } : await findJob(turn, recorded, run, signal);
  if (found.kind === 'unknown') return { kind: 'failed', code: 'job-no-contact', message: found.message };
  let intent = recorded;
  if (found.kind === 'absent' || intent === undefined) {
    if (intent !== undefined) await turn.save({ jobs: { ...turn.status().jobs, [stage]: neverStarted(intent) } });
    const ready = await beforeStart();
    if (ready.kind !== 'done') return ready;
    const before = turn.status().jobs?.[stage];
    intent = await recordIntent(turn, { stage, script: script.content, latest: before }, signal);
  }
  const job = await followToEnd(turn, { stage, script, intent, startedBefore: found.kind === 'there' }, signal);
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
    outputOmittedBytes: job.outputOmittedBytes,
  });
  await turn.save({ jobs: { ...turn.status().jobs, [stage]: job } });
  return judgeJob(turn, stage, job);
}

/**
 * The same for a script that comes before the host is touched: its failure defers the node, and another attempt may follow.
 */
export async function runScriptOrDefer(turn: TurnContext, run: ScriptRun, signal: AbortSignal): Promise<StepEnd> {
  const end = await runScript(turn, run, signal);
  return end.kind === 'failed' && !isHostTouched(turn.status()) ? { kind: 'deferred', message: end.message } : end;
}

/** The record of an intent that never reached the host: the next start has the same number. */
function neverStarted({ execution, intentAt, bootIdBefore }: JobRecord): JobRecord | undefined {
  if (execution === 1) return undefined;
  return { execution: execution - 1, intentAt, bootIdBefore, state: 'not-started', changed: 'no', again: true };
}

async function followToEnd(
  turn: TurnContext,
  run: { stage: Stage; script: ScriptPolicy; intent: JobRecord; startedBefore: boolean },
  signal: AbortSignal,
): Promise<JobRecord> {
  const { stage, script, intent } = run;
  const deadlineMs = script.timeoutMs + contactGraceMs;
  const until = turn.clock.now() + deadlineMs;
  const waitFor = (what: string) => {
    turn.waiting({ what, untilMs: until, who: `the host of ${turn.nodeName}` });
  };
  const atWork = `script ${stage} on the host of ${turn.nodeName}, at most ${formatDuration(script.timeoutMs)}`;
  waitFor(atWork);
  const end = await runJob(
    {
      host: turn.host,
      job: {
        ...keyOf(turn, stage, intent),
        run: turn.run.name,
        script: script.content,
        scriptName: basename(script.path),
        timeoutMs: script.timeoutMs,
      },
      clock: turn.clock,
      deadlineMs,
      bootIdBefore: intent.bootIdBefore,
      startedBefore: run.startedBefore,
      fence: turn.fence,
      onProgress: ({ state, message }) => {
        if (state !== 'no-contact') waitFor(atWork);
        else waitFor(`the host of ${turn.nodeName} to answer again during script ${stage}: ${message ?? 'no contact'}`);
      },
    },
    signal,
  );
  return { ...intent, ...describeEnd(end), finishedAt: timestamp(turn.clock) };
}

function keyOf(turn: TurnContext, stage: Stage, { execution }: JobRecord): JobKey {
  return { runUid: turn.run.uid, node: turn.nodeName, stage, execution };
}

type FoundJob =
  | { readonly kind: 'there' }
  /** The right host answers and does not know the job: the intent never reached it. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly message: string };

/**
 * Looks for a job whose intent an earlier actor recorded. Only the machine behind the node can say that it was never
 * started; a host that does not let us in says nothing.
 */
async function findJob(turn: TurnContext, intent: JobRecord, run: ScriptRun, signal: AbortSignal): Promise<FoundJob> {
  const { stage } = run;
  const timeoutMs = (turn.playbook.host.scripts[stage]?.timeoutMs ?? 0) + contactGraceMs;
  const until = turn.clock.now() + timeoutMs;
  const deadlineAt = turn.clock.monotonic() + timeoutMs;
  for (;;) {
    const reading = await turn.host.readJob(keyOf(turn, stage, intent), 0, signal);
    if (reading.kind === 'ok' && reading.value.state !== 'absent') return { kind: 'there' };
    if (reading.kind === 'ok') {
      const identity = await hostIsNode(turn, signal);
      if (identity.kind === 'done') return { kind: 'absent' };
      return { kind: 'unknown', message: `Whether script ${stage} was started is unknown: ${identity.message}` };
    }
    const isAway = reading.kind === 'unreachable' || reading.kind === 'lost';
    if (!isAway || turn.clock.monotonic() >= deadlineAt) {
      return {
        kind: 'unknown',
        message: `Script ${stage} may be running on the host of ${turn.nodeName}, which does not say: ${reading.message}`,
      };
    }
    turn.waiting({
      what: `the host of ${turn.nodeName} to say how script ${stage} ended: ${reading.message}`,
      untilMs: until,
      who: `the host of ${turn.nodeName}`,
    });
    await turn.clock.sleep(lookAgainMs, signal);
  }
}

async function recordIntent(
  turn: TurnContext,
  run: { stage: Stage; script: string; latest: JobRecord | undefined },
  signal: AbortSignal,
): Promise<JobRecord> {
  const { stage, script, latest } = run;
  const former = latest?.again === true ? latest : undefined;
  const intent: JobRecord = {
    execution: former === undefined ? (latest?.execution ?? 1) : former.execution + 1,
    intentAt: timestamp(turn.clock),
    bootIdBefore: turn.status().bootIdAfter ?? turn.status().bootIdBefore ?? '',
  };
  signal.throwIfAborted();
  await turn.record({
    type: 'job.started',
    node: turn.nodeName,
    stage,
    execution: intent.execution,
    scriptDigest: scriptDigest(script),
    bootId: intent.bootIdBefore,
  });
  await turn.anchor();
  const isChanged = mayHaveChanged(stage, former);
  await turn.save({
    jobs: { ...turn.status().jobs, [stage]: intent },
    // The record of the former execution goes; what it may have changed does not.
    ...(isChanged ? { touchedBefore: true } : {}),
  });
  return intent;
}
