import type { HeldLease } from '../cluster/heldLease.js';
import { refusalPrefix } from '../run/ask.js';
import { HandOver } from '../run/handOver.js';
import type { RunState } from '../run/state.js';
import { waitsPrefix } from '../run/trigger.js';
import { actFor, type ActEnd } from './actFor.js';
import { awaitSeen } from './awaitSeen.js';
import type { Desk } from './desk.js';
import { givenUpWhen } from './givenUpWhen.js';
import { subjectOf, type Because, type ServedPlaybook } from './nextDeed.js';
import type { OwnObjects } from './ownObjects.js';
import { rememberAttempt, type Attempt, type Ended } from './rest.js';
import { askedOf } from './servedRuns.js';
import type { Serving } from './serving.js';

/** What this process remembers of its acts; another one asks the objects anew. */
export interface Memory {
  /** By the name of the playbook. */
  readonly attempts: Map<string, readonly Attempt[]>;
  /** Runs whose own node was left to others once; where nobody took it, it is not left again. */
  readonly leftToOthers: Set<string>;
}

export interface Performing {
  readonly playbook: ServedPlaybook;
  readonly because: Because;
  readonly desk: Desk;
  readonly own: OwnObjects;
  readonly lead: HeldLease;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/** Acts for a playbook, answers its trigger and remembers what came of it. */
export async function performDeed(serving: Serving, performing: Performing): Promise<ActEnd> {
  const { playbook, because, desk, own, lead, memory, signal } = performing;
  const { name } = playbook;
  const inForce = desk.judged().find((each) => each.name === name)?.inForce;
  if (inForce === undefined) throw new Error(`playbook ${name} is not in force`);
  serving.log('acting', { playbook: name }, `acts for playbook ${name}: ${becauseOf(because)}`);
  let endHurry: () => void = () => undefined;
  let run: string | undefined;
  const answer = (text: string, isLast: boolean): void => {
    if (because.kind !== 'trigger') return;
    const time = new Date(serving.clock.now()).toISOString();
    const said = { id: because.trigger.id, time, answer: text, ...(run === undefined ? {} : { run }) };
    desk.note(name, { trigger: isLast ? { ...said, finishedAt: time } : said });
  };
  const end = await actFor(
    { ...serving, log: sentence(serving, name) },
    {
      playbook: inForce.playbook,
      because,
      mayLeaveOwnNode: (of) => !memory.leftToOthers.has(of),
      stop: signal,
      stoppedBy: () => {
        if (!signal.aborted) return undefined;
        return signal.reason instanceof HandOver ? { kind: 'hand-over' } : { kind: 'other-actor' };
      },
      onLease: (lease) => {
        endHurry();
        const ends = [givenUpWhen(serving.hurry, lease), givenUpWhen(lead.signal, lease)];
        endHurry = () => {
          for (const each of ends) each();
        };
      },
      onChange: (state) => {
        if (run === undefined) {
          run = state.name;
          answer(`started: run ${run}`, false);
        }
        serving.onRun(state, name);
      },
    },
  ).finally(() => {
    endHurry();
    serving.onRunLeft(name);
  });
  remember(serving, performing, end);
  if (end.kind === 'ran' && end.state !== undefined)
    await awaitSeen({ own, clock: serving.clock, state: end.state }, signal);
  tell(serving, name, end);
  const last = lastAnswer(playbook, end);
  if (last !== undefined) answer(last.text, last.isLast);
  return end;
}

/** Undefined: it is not answered to its end, because somebody goes on with it. */
function lastAnswer({ runs }: ServedPlaybook, end: ActEnd): { text: string; isLast: boolean } | undefined {
  if (end.kind === 'refused') return { text: `${refusalPrefix} ${end.message}`, isLast: true };
  if (end.kind !== 'ran') return { text: `${waitsPrefix} ${end.message}`, isLast: false };
  const { stop, state } = end;
  if (goesOnElsewhere.has(stop.kind) || state === undefined) return undefined;
  const { name } = state;
  if (stop.kind === 'paused' && runs.some((run) => run.name === name && run.desired !== 'Run'))
    return {
      text: `${refusalPrefix} run ${name} is paused; let it go on with turnus resume ${name}, then trigger it again`,
      isLast: true,
    };
  const message = state.status.message === undefined ? '' : `: ${state.status.message}`;
  return { text: `ended: run ${name} is ${state.status.phase}${message}`, isLast: true };
}

const goesOnElsewhere: ReadonlySet<string> = new Set(['hand-over', 'own-node', 'other-actor', 'signal', 'followed']);

export function becauseOf(because: Because): string {
  switch (because.kind) {
    case 'window':
      return `a window of ${because.period} is open`;
    case 'unfinished':
      return `run ${because.run} has something to be finished or answered`;
    case 'trigger':
      return `triggered by ${because.trigger.by}: ${because.trigger.reason}`;
  }
}

function remember({ clock }: Serving, { playbook, because, memory }: Performing, end: ActEnd): void {
  const { name } = playbook;
  const state = end.kind === 'ran' ? end.state : undefined;
  if (end.kind === 'ran' && end.stop.kind === 'own-node' && state !== undefined) memory.leftToOthers.add(state.name);
  // Another actor's end is waited for by looking at the lease; see awaitLease.ts.
  if (end.kind === 'other') return;
  const common = { of: subjectOf({ ...playbook, runs: asHeard(playbook, state) }, because), endedAt: clock.now() };
  const ended: Ended = end.kind === 'ran' ? { ...common, kind: 'ran', stop: end.stop } : { ...common, kind: end.kind };
  memory.attempts.set(name, rememberAttempt(memory.attempts.get(name) ?? [], ended));
}

/** What people asked meanwhile, and the act has heard of, is part of what was tried: a run that is resumed is not. */
function asHeard({ runs }: ServedPlaybook, state: RunState | undefined): readonly { name: string; asked: string }[] {
  if (state === undefined) return runs;
  const heard = { name: state.name, asked: askedOf(state.spec) };
  return [...runs.filter(({ name }) => name !== state.name), heard];
}

function tell({ log }: Serving, name: string, end: ActEnd): void {
  if (end.kind === 'other') {
    log('lease.held', { playbook: name }, end.message);
    return;
  }
  if (end.kind !== 'ran') {
    log(`act.${end.kind}`, { playbook: name }, end.message);
    return;
  }
  const run = end.state === undefined ? {} : { run: end.state.name };
  log('acted', { playbook: name, ...run }, `has acted for playbook ${name}: ${end.stop.kind}`);
}

/** The engine says sentences. */
function sentence({ log }: Serving, playbook: string): (line: string) => void {
  return (line) => {
    log('said', { playbook }, line);
  };
}
