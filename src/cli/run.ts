import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { planText } from '../console/planText.js';
import { runLines, runSummary } from '../console/runLines.js';
import { table } from '../console/table.js';
import type { JournalSink } from '../journal/entry.js';
import { openFileSink } from '../journal/fileSink.js';
import { streamSink } from '../journal/streamSink.js';
import { isHostTouched } from '../run/hostTouched.js';
import { isInWork } from '../run/nextTurn.js';
import { exitCode, type RunStop } from '../run/runEnd.js';
import { startRun } from '../run/startRun.js';
import { leaseName, runUnderLease, type LeaseEnd } from '../run/underLease.js';
import type { RunState } from '../run/state.js';
import { TurnusError } from '../turnusError.js';
import { say, type CommandIo } from './io.js';
import { preparePlan, type PlanOptions, type Prepared } from './preparePlan.js';

export interface RunOptions extends PlanOptions {
  readonly yes: boolean;
  readonly rehearse: boolean;
  readonly change?: string;
  readonly reason?: string;
  readonly journal?: string;
  readonly output: 'text' | 'ndjson';
}

/** `turnus run`: plan, question, lease, run. */
export async function runCommand(io: CommandIo, options: RunOptions): Promise<number> {
  const stopping = stopOnSignals(io);
  try {
    return await prepareAndRun(io, { options, stopping });
  } catch (error) {
    const stop = stopping.stoppedBy();
    if (stop === undefined || error !== stopping.signal.reason) throw error;
    say(io, 'Stopped. Start the same command again to go on.');
    return exitCode({ total: 0, done: 0, failed: 0, blocked: 0, left: 0 }, stop);
  }
}

async function prepareAndRun(io: CommandIo, run: { options: RunOptions; stopping: Stopping }): Promise<number> {
  const { options, stopping } = run;
  const prepared = await preparePlan(io, { ...options, command: 'run', stop: stopping.signal });
  try {
    for (const line of planText(prepared.plan)) say(io, line);
    say(io, '');
    if (options.rehearse) say(io, 'This is a rehearsal: real pods are evicted, no command that changes a host is run.');
    if (!options.yes && !(await confirmed(io, { prepared, stopping }))) return 7;
    return await runPrepared(io, { options, prepared, stopping });
  } finally {
    await prepared.close();
  }
}

interface Stopping {
  readonly signal: AbortSignal;
  readonly stoppedBy: () => RunStop | undefined;
  readonly stop: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void;
}

async function runPrepared(
  io: CommandIo,
  run: { options: RunOptions; prepared: Prepared; stopping: Stopping },
): Promise<number> {
  const { options, prepared, stopping } = run;
  const actor = `${userInfo().username}@${hostname()}/${randomUUID().slice(0, 8)}`;
  const where = `${prepared.namespace}/${leaseName}`;
  const sinks = await openSinks(io, options);
  let before: RunState | undefined;
  try {
    const end = await runUnderLease(
      {
        cluster: prepared.cluster,
        clock: io.clock,
        namespace: prepared.namespace,
        actor,
        stop: stopping.signal,
        onWaiting: (holder) => {
          say(io, `The lease ${where} is held by ${holder}; it is taken over if that one is dead.`);
        },
        onLost: () => {
          say(io, `The lease ${where} was lost; nothing is done until it is held again.`);
        },
      },
      (lease) =>
        startRun({
          ...prepared,
          clock: io.clock,
          lease,
          actor,
          change: options.change,
          reason: options.reason,
          rehearsal: options.rehearse,
          sinks,
          onChange: (state) => {
            const time = new Date(io.clock.now()).toISOString().slice(11, 19);
            for (const line of runLines(before, state)) say(io, `${time}Z ${line}`);
            before = state;
          },
          stop: stopping.signal,
          stoppedBy: stopping.stoppedBy,
        }),
    );
    return tellEnd(io, end, where);
  } catch (error) {
    tellWhatIsLeft(io, before);
    throw error;
  } finally {
    for (const sink of sinks) await sink.close();
  }
}

/** Which nodes are in the middle of their turn, and how to go on. */
function tellWhatIsLeft(io: CommandIo, state: RunState | undefined): void {
  for (const { node, status } of state?.turns.values() ?? []) {
    if (!isInWork(status.phase)) continue;
    const cordon = status.cordoned === true ? 'it is cordoned' : 'it is not cordoned';
    const touched = isHostTouched(status) ? 'its host was touched' : 'its host is untouched';
    say(
      io,
      `Node ${node} is left in phase ${status.phase}: ${cordon}, ${touched}. Start the same command again to go on.`,
    );
  }
}

function tellEnd(io: CommandIo, end: LeaseEnd, where: string): number {
  switch (end.kind) {
    case 'other':
      say(io, `turnus: ${end.holder} is at work in this cluster and holds the lease ${where}; nothing was done.`);
      return 7;
    case 'failure':
      throw new TurnusError({
        code: 'lease-failed',
        message: `The lease ${where} cannot be taken: ${end.failure.message}`,
        exitCode: 1,
      });
    case 'ran': {
      const { state, stop, exitCode } = end.result;
      say(io, '');
      for (const line of table(runSummary(state))) say(io, line);
      say(io, '');
      say(io, lastWord(state, stop));
      tellWhatIsLeft(io, state);
      return exitCode;
    }
  }
}

async function openSinks(io: CommandIo, options: RunOptions): Promise<JournalSink[]> {
  const sinks: JournalSink[] = [];
  if (options.journal !== undefined) sinks.push(await openFileSink(options.journal));
  if (options.output === 'ndjson') sinks.push(streamSink({ stream: io.stdout, name: 'standard output' }));
  return sinks;
}

function lastWord(state: RunState, stop: RunStop): string {
  const counts = state.status.counts ?? { total: 0, done: 0, failed: 0, blocked: 0, left: 0 };
  const tally = `${String(counts.done)} of ${String(counts.total)} nodes done, ${String(counts.failed)} failed, ${String(counts.blocked)} blocked, ${String(counts.left)} left`;
  switch (stop.kind) {
    case 'other-actor':
      return `Run ${state.name}: the lease was lost and could not be had again, so this actor stopped: ${tally}. Start the same command again to go on.`;
    case 'signal':
      return `Run ${state.name} was stopped by ${stop.signal}: ${tally}. Start the same command again to go on.`;
    case 'failures':
      return `Run ${state.name} has stopped after a failure: ${tally}. Look at what failed: kubectl describe nodeturns -A -l turnus.dev/run=${state.name}`;
    case 'not-recovered':
      return `Run ${state.name} has stopped (not-recovered): ${tally}. ${stop.message} Find out why, then start the same command again.`;
    case 'deleted':
      return `Run ${state.name} was deleted by a person: ${tally}. What was in work was ended; start the same command again to begin anew.`;
    case 'finished':
      return `Run ${state.name}: ${tally}.`;
  }
}

async function confirmed(io: CommandIo, run: { prepared: Prepared; stopping: Stopping }): Promise<boolean> {
  const { prepared, stopping } = run;
  if (!io.stdin.isTTY) {
    throw new TurnusError({
      code: 'not-confirmed',
      message: 'There is no terminal to ask on.',
      hint: 'Give --yes to start the run without a question.',
    });
  }
  const { target, clusterUid } = prepared.plan;
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  // While it is asked, the terminal hands Ctrl-C over as a key, not as a signal.
  terminal.on('SIGINT', () => {
    stopping.stop('SIGINT');
  });
  try {
    const answer = await terminal.question(
      `Start run ${prepared.plan.run} on ${target.server} (context ${target.context}, cluster ${clusterUid})? Only "yes" starts it: `,
      { signal: stopping.signal },
    );
    return answer.trim() === 'yes';
  } catch (error) {
    stopping.signal.throwIfAborted();
    // Ctrl-D is no answer.
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  } finally {
    terminal.close();
  }
}

/** The first signal asks the run to stop: undo what is untouched, leave the rest resumable. */
function stopOnSignals(io: CommandIo): Stopping {
  const controller = new AbortController();
  let stop: RunStop | undefined;
  const stopBy: Stopping['stop'] = (signal) => {
    if (stop !== undefined) return;
    stop = { kind: 'signal', signal };
    say(io, `${signal}: stopping; a node whose host is untouched is given back first.`);
    controller.abort(new Error(`stopped by ${signal}`));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    io.onSignal(signal, () => {
      stopBy(signal);
    });
  }
  return { signal: controller.signal, stoppedBy: () => stop, stop: stopBy };
}
