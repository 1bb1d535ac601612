import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { lastWord, whatIsLeft } from '../console/lastWord.js';
import { planText } from '../console/planText.js';
import { windowText } from '../console/windowText.js';
import { openRunConsole, type RunConsole } from '../console/runConsole.js';
import type { JournalSink } from '../journal/entry.js';
import { openFileSink } from '../journal/fileSink.js';
import { streamSink } from '../journal/streamSink.js';
import type { Playbook } from '../playbook/playbook.js';
import { actOnRun } from '../run/actOnRun.js';
import { followedState } from '../run/followedState.js';
import { OutsideWindow } from '../run/outsideWindow.js';
import { overridesInWords } from '../run/overrides.js';
import type { Prepared } from '../run/prepareRun.js';
import { countTurns, exitCode, followedStop } from '../run/runEnd.js';
import type { RunState } from '../run/state.js';
import { leaseName, type LeaseEnd } from '../run/underLease.js';
import { TurnusError } from '../turnusError.js';
import { confirmRun } from './confirmRun.js';
import { say, type CommandIo } from './io.js';
import { preparePlan, type PlanOptions } from './preparePlan.js';
import { stopOnSignals, type Stopping } from './stopOnSignals.js';

export interface RunOptions extends PlanOptions {
  readonly yes: boolean;
  readonly rehearse: boolean;
  readonly replace: boolean;
  readonly now: boolean;
  readonly overrideFreeze: readonly string[];
  readonly wait: boolean;
  readonly change?: string;
  readonly reason?: string;
  readonly journal?: string;
  readonly output: 'text' | 'ndjson';
}

/** `turnus run`: plan, question, lease, run; or following the actor that is at work on the same run. */
export async function runCommand(io: CommandIo, options: RunOptions): Promise<number> {
  refuseMisuse(options);
  const screen = openRunConsole({
    stream: io.stderr,
    env: io.env,
    clock: io.clock,
    ...(options.output === 'ndjson' ? { data: io.stdout } : {}),
  });
  const stopping = stopOnSignals(io, screen.log);
  try {
    return await prepareAndRun(io, { options, stopping, screen });
  } catch (error) {
    screen.end();
    const stop = stopping.stoppedBy();
    if (stop === undefined || error !== stopping.signal.reason) throw error;
    say(io, 'Stopped. Start the same command again to go on.');
    return exitCode({ total: 0, done: 0, failed: 0, blocked: 0, left: 0 }, stop);
  }
}

function refuseMisuse(options: RunOptions): void {
  const misuse = misuseOf(options);
  if (misuse !== undefined) throw new TurnusError({ code: 'usage', ...misuse });
}

function misuseOf(options: RunOptions): { readonly message: string; readonly hint: string } | undefined {
  const { reason, replace, rehearse, now, overrideFreeze, wait } = options;
  const hint = 'Give --reason TEXT.';
  if (replace && reason === undefined) {
    return { message: '--replace supersedes a run, and the record needs to say why.', hint };
  }
  if (now && reason === undefined) {
    return { message: '--now starts outside of the windows, and the record needs to say why.', hint };
  }
  if (overrideFreeze.length > 0 && reason === undefined) {
    return { message: '--override-freeze starts in a freeze, and the record needs to say why.', hint };
  }
  if (replace && rehearse) {
    return {
      message: '--replace and --rehearse do not go together.',
      hint: 'A rehearsal that has ended is followed by a new one.',
    };
  }
  if (now && wait) {
    return { message: '--now and --wait do not go together.', hint: 'Wait for the window, or start outside of it.' };
  }
  return undefined;
}

interface RunCall {
  readonly options: RunOptions;
  readonly stopping: Stopping;
  readonly screen: RunConsole;
}

/** What a run of a month that is over has in work is finished first; then comes this month's. */
async function prepareAndRun(io: CommandIo, call: RunCall): Promise<number> {
  const former = await prepareAndRunOne(io, call);
  return former.isFormer && goesOnAfter.has(former.exitCode)
    ? (await prepareAndRunOne(io, call)).exitCode
    : former.exitCode;
}

/** Of the former run: nothing is wrong that a person must mend first, and nobody wants the process to end. */
const goesOnAfter: ReadonlySet<number> = new Set([0, 3, 5]);

async function prepareAndRunOne(
  io: CommandIo,
  call: RunCall,
): Promise<{ readonly exitCode: number; readonly isFormer: boolean }> {
  const { options, stopping, screen } = call;
  // What is said while the screen is drawn goes through it.
  const heard: CommandIo = { ...io, stderr: screen.stream };
  const prepared = await untilOpen(heard, call, () =>
    preparePlan(heard, { ...options, command: 'run', stop: stopping.signal }),
  );
  const { isFormer } = prepared;
  try {
    const { plan, schedule } = prepared;
    for (const line of planText(plan, windowText({ schedule, plan, now: io.clock.now() }))) say(io, line);
    say(io, '');
    if (prepared.replaces !== undefined) say(io, `It supersedes run ${prepared.replaces}.`);
    if (isFormer)
      say(
        io,
        `Run ${prepared.plan.run} is of a month that is over: what is in work is finished, no other turn begins.`,
      );
    for (const each of overridesInWords(prepared.overrides)) say(io, `This call does not keep to: ${each}.`);
    if (options.rehearse) say(io, 'This is a rehearsal: real pods are evicted, no command that changes a host is run.');
    if (!options.yes && !(await confirmRun(io, { prepared, stopping }))) return { exitCode: 7, isFormer: false };
    return { exitCode: await runPrepared(heard, { ...call, prepared }), isFormer };
  } finally {
    await prepared.close();
  }
}

/** With `--wait`: outside of every window the next opening is waited for, as often as it takes. */
async function untilOpen<T>(io: CommandIo, { options, stopping }: RunCall, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!options.wait || !(error instanceof OutsideWindow) || error.opensAt === undefined) throw error;
      const { opensAt } = error;
      say(io, `${error.message} Waiting for it; Ctrl-C ends waiting.`);
      while (io.clock.now() < opensAt) {
        await io.clock.sleep(Math.min(lookEveryMs, opensAt - io.clock.now()), stopping.signal);
      }
    }
  }
}

/** The clock on the wall may be set while it is waited for. */
const lookEveryMs = 30_000;

async function runPrepared(io: CommandIo, call: RunCall & { prepared: Prepared }): Promise<number> {
  const { options, prepared, stopping, screen } = call;
  const actor = `${userInfo().username}@${hostname()}/${randomUUID().slice(0, 8)}`;
  const where = `${prepared.namespace}/${leaseName}`;
  const sinks = await openSinks(io, options, prepared.playbook.journal);
  let latest: RunState | undefined;
  const onChange = (state: RunState) => {
    latest = state;
    screen.change(state);
  };
  try {
    const end = await actOnRun({
      prepared,
      clock: io.clock,
      random: io.random,
      actor,
      change: options.change,
      reason: options.reason,
      rehearsal: options.rehearse,
      sinks,
      onChange,
      log: screen.log,
      stop: stopping.signal,
      stoppedBy: stopping.stoppedBy,
    });
    if (end.kind === 'followed') {
      const { cluster, namespace, plan } = prepared;
      const { signal } = stopping;
      latest = await followedState({ cluster, namespace, name: plan.run, clock: io.clock, latest, signal });
    }
    return tellEnd(end, { where, latest, screen });
  } catch (error) {
    screen.end();
    for (const line of whatIsLeft(latest)) screen.log(line);
    throw error;
  } finally {
    for (const sink of sinks) await sink.close();
  }
}

function tellEnd(end: LeaseEnd, seen: { where: string; latest: RunState | undefined; screen: RunConsole }): number {
  const { screen, where } = seen;
  switch (end.kind) {
    case 'other':
      screen.end();
      screen.log(`turnus: ${end.holder} is at work in this cluster and holds the lease ${where}; nothing was done.`);
      return 7;
    case 'failure':
      throw new TurnusError({
        code: 'lease-failed',
        message: `The lease ${where} cannot be taken: ${end.failure.message}`,
        exitCode: 1,
      });
    case 'followed': {
      screen.end(seen.latest);
      screen.log('');
      screen.log(`${end.holder} has ended. This call followed it and did nothing itself.`);
      return seen.latest === undefined ? 7 : exitCode(countTurns(seen.latest), followedStop(seen.latest));
    }
    case 'ran': {
      const { state, stop, exitCode: code } = end.result;
      screen.end(state);
      screen.log('');
      screen.log(lastWord(state, stop));
      for (const line of whatIsLeft(state)) screen.log(line);
      return code;
    }
  }
}

/** The flag counts before the playbook; what goes to standard output is for `-o` alone to say. */
async function openSinks(io: CommandIo, options: RunOptions, target: Playbook['journal']): Promise<JournalSink[]> {
  const sinks: JournalSink[] = [];
  const file = options.journal ?? (target?.kind === 'file' ? target.path : undefined);
  if (file !== undefined) sinks.push(await openFileSink(file));
  if (options.output === 'ndjson') sinks.push(streamSink({ stream: io.stdout, name: 'standard output' }));
  return sinks;
}
