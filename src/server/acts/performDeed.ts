import type { HeldLease } from '../../cluster/heldLease.js';
import { HandOver } from '../../run/handOver.js';
import { actFor, type ActEnd } from './actFor.js';
import { awaitSeen } from './awaitSeen.js';
import type { Desk } from '../playbooks/desk.js';
import { givenUpWhen } from './givenUpWhen.js';
import { eitherSignal } from '../eitherSignal.js';
import { endedAttempt } from './endedAttempt.js';
import { lastAnswer, startedBy } from './lastAnswer.js';
import type { InForce, JudgedPlaybook } from '../playbooks/inForce.js';
import type { Because, ServedPlaybook } from './nextDeed.js';
import type { OwnObjects } from '../ownObjects.js';
import { rememberAttempt, type Attempt } from './rest.js';
import type { Serving } from '../serving.js';

/** What this process remembers of its acts; another one asks the objects anew. */
export interface Memory {
  /** By the name of the playbook. */
  readonly attempts: Map<string, readonly Attempt[]>;
  /** Playbooks of which a run is in work here. */
  readonly atWork: Set<string>;
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
  const version = versionFor(
    because,
    desk.judged().find((each) => each.name === name),
  );
  if (version === undefined) throw new Error(`playbook ${name} is not in force`);
  serving.log('acting', { playbook: name }, `acts for playbook ${name}: ${becauseOf(because)}`);
  // For this act alone: what the engine makes of it goes when the act ends.
  const { signal: stop, clear } = eitherSignal(serving.stop, signal);
  let endHurry: () => void = () => undefined;
  let run =
    because.kind === 'trigger'
      ? startedBy(because.trigger.id, { answered: desk.triggerOf(name), runs: playbook.runs })
      : undefined;
  const answer = (text: string, isLast: boolean): void => {
    if (because.kind !== 'trigger') return;
    const time = new Date(serving.clock.now()).toISOString();
    const said = { id: because.trigger.id, time, answer: text, ...(run === undefined ? {} : { run }) };
    desk.note(name, { trigger: isLast ? { ...said, finishedAt: time } : said });
  };
  const end = await actFor(
    { ...serving, log: sentence(serving, name) },
    {
      playbook: version.playbook,
      because,
      mayLeaveOwnNode: (of) => !memory.leftToOthers.has(of),
      stop,
      stoppedBy: () => {
        if (!stop.aborted) return undefined;
        return stop.reason instanceof HandOver ? { kind: 'hand-over' } : { kind: 'other-actor' };
      },
      onLease: (lease) => {
        endHurry();
        const ends = [givenUpWhen(serving.hurry, lease), givenUpWhen(lead.signal, lease)];
        endHurry = () => {
          for (const each of ends) each();
        };
      },
      onChange: (state) => {
        if (!memory.atWork.has(name)) {
          memory.atWork.add(name);
          run = state.name;
          answer(`started: run ${run}`, false);
          desk.again();
        }
        serving.onRun(state, name);
      },
    },
  ).finally(() => {
    clear();
    endHurry();
    memory.atWork.delete(name);
    serving.onRunLeft(name);
  });
  remember(serving, performing, end);
  desk.again();
  if (end.kind === 'ran' && end.state !== undefined)
    await awaitSeen({ own, clock: serving.clock, state: end.state }, signal);
  tell(serving, name, end);
  const last = lastAnswer(playbook.runs, end);
  if (last !== undefined) answer(last.text, last.isLast);
  return end;
}

/** A run that is superseded does not hold back what was changed meanwhile: its successor begins with it. */
function versionFor(because: Because, judged: JudgedPlaybook | undefined): InForce | undefined {
  const isReplaced = because.kind === 'trigger' && because.trigger.replace;
  return (isReplaced ? judged?.next : undefined) ?? judged?.inForce;
}

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
  if (end.kind === 'ran' && end.stop.kind === 'own-node' && end.state !== undefined)
    memory.leftToOthers.add(end.state.name);
  const ended = endedAttempt({ playbook, because, end, now: clock.now() });
  memory.attempts.set(name, rememberAttempt(memory.attempts.get(name) ?? [], ended));
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
