import type { HeldLease } from '../cluster/heldLease.js';
import { HandOver } from '../run/handOver.js';
import { announcePlans } from './announcePlans.js';
import { actFor, type ActEnd } from './actFor.js';
import { judgeCoverage } from './judgeCoverage.js';
import { openDesk, type Desk } from './desk.js';
import { takeLead } from './leadership.js';
import { nextDeed, subjectOf, type Because, type ServedPlaybook } from './nextDeed.js';
import { followOwnObjects, type OwnObjects } from './ownObjects.js';
import { servedPlaybooks } from './servedPlaybooks.js';
import type { Attempt } from './rest.js';
import type { Serving } from './serving.js';
import { openWakeUp, type WakeUp } from './wakeUp.js';

/** Others have this long to take what this process has left to them. */
const stepBackMs = 6000;

/**
 * `turnus serve`: waits until this process leads, then does what is due, again and again, until `stop` aborts. Rejects
 * where the cluster does not let it serve at all.
 */
export async function serve(serving: Serving): Promise<void> {
  const { stop, clock } = serving;
  const ended = new AbortController();
  const wakeUp = openWakeUp(clock);
  try {
    const own = await followOwnObjects({ ...serving, signal: AbortSignal.any([stop, ended.signal]) });
    serving.onWatching(own);
    for (;;) {
      serving.log('standby', {}, 'stands by until it leads');
      const lead = await takeLead({ ...serving, identity: serving.actor, signal: stop, onWaiting: serving.onWaiting });
      const endHurry = givenUpWhen(serving.hurry, lead);
      serving.onLead(true);
      try {
        await whileLeading(serving, { own, wakeUp, lead });
      } finally {
        serving.onLead(false);
        endHurry();
        await lead.release();
      }
      await clock.sleep(stepBackMs, stop);
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    ended.abort(new Error('serving has ended'));
    await wakeUp.close();
  }
}

interface Leading {
  readonly own: OwnObjects;
  readonly wakeUp: WakeUp;
  readonly lead: HeldLease;
}

/** Decides and acts until the lead is lost or left to others, or the process has to end. */
async function whileLeading(serving: Serving, leading: Leading): Promise<void> {
  const { own, wakeUp, lead } = leading;
  const over = new AbortController();
  const signal = AbortSignal.any([serving.stop, lead.signal, over.signal]);
  const desk = openDesk({ ...serving, own, wakeUp });
  const keeping = desk.keep(signal).catch((error: unknown) => {
    if (!signal.aborted) over.abort(error);
  });
  const judging = judgeCoverage({ ...serving, desk, signal });
  const announcing = announcePlans({ ...serving, own, wakeUp, desk, signal }).catch((error: unknown) => {
    if (!signal.aborted) over.abort(error);
  });
  serving.log('leading', {}, 'leads: what is due is done by this process');
  try {
    await decideAndAct(serving, { ...leading, desk, signal, coverage: judging });
  } catch (error) {
    if (!signal.aborted) throw error;
    if (over.signal.aborted) throw over.signal.reason;
    if (lead.signal.aborted && !serving.stop.aborted)
      serving.log(
        'lead.lost',
        {},
        `no longer leads: ${lead.signal.reason instanceof Error ? lead.signal.reason.message : ''}`,
      );
  } finally {
    over.abort(new Error('no longer leads'));
    await keeping;
    await judging.ended;
    await announcing;
  }
}

interface Deciding extends Leading {
  readonly desk: Desk;
  readonly signal: AbortSignal;
  readonly coverage: { again(): void };
}

/** What this process remembers of its acts; another one asks the objects anew. */
interface Memory {
  readonly attempts: Map<string, Attempt>;
  /** Runs whose own node was left to others once; where nobody took it, it is not left again. */
  readonly leftToOthers: Set<string>;
}

async function decideAndAct(serving: Serving, deciding: Deciding): Promise<void> {
  const { desk, own, wakeUp, signal } = deciding;
  const { clock } = serving;
  const memory: Memory = { attempts: new Map(), leftToOthers: serving.leftToOthers };
  for (;;) {
    const before = { desk: desk.version };
    const playbooks = servedPlaybooks({ desk, own, attempts: memory.attempts });
    const deed = nextDeed(playbooks, clock.now());
    if (deed.kind === 'wait') {
      await wakeUp.wait({ until: deed.until, changed: (either) => desk.changed(before.desk, either), signal });
      continue;
    }
    const playbook = playbooks.find(({ name }) => name === deed.playbook);
    if (playbook === undefined) throw new Error(`there is no playbook ${deed.playbook}`);
    const end = await act(serving, { ...deciding, memory, playbook, because: deed.because });
    signal.throwIfAborted();
    deciding.coverage.again();
    if (end.kind === 'ran' && end.stop.kind === 'own-node') return;
  }
}

async function act(
  serving: Serving,
  deciding: Deciding & { readonly memory: Memory; readonly playbook: ServedPlaybook; readonly because: Because },
): Promise<ActEnd> {
  const { desk, own, signal, lead, memory, playbook, because } = deciding;
  const { name } = playbook;
  const inForce = desk.judged().find((each) => each.name === name)?.inForce;
  if (inForce === undefined) throw new Error(`playbook ${name} is not in force`);
  const attempted = subjectOf(playbook, because);
  serving.log('acting', { playbook: name }, `acts for playbook ${name}: ${becauseOf(because)}`);
  let endHurry: () => void = () => undefined;
  let run: string | undefined;
  const answer = (text: string, finished: boolean): void => {
    if (because.kind !== 'trigger') return;
    const time = new Date(serving.clock.now()).toISOString();
    const said = { id: because.trigger.id, time, answer: text, ...(run === undefined ? {} : { run }) };
    desk.note(name, { trigger: finished ? { ...said, finishedAt: time } : said });
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
  remember(serving, { memory, name, attempted, end });
  if (end.kind === 'ran' && end.state !== undefined) await seenThere(serving, { own, state: end.state, signal });
  tell(serving, { name, end });
  if (end.kind === 'refused') answer(`refused: ${end.message}`, true);
  else if (end.kind === 'ran' && !goesOnElsewhere.has(end.stop.kind)) answer(`ended: run ${run ?? ''}`, true);
  return end;
}

/** The trigger is not answered to its end by these. */
const goesOnElsewhere: ReadonlySet<string> = new Set(['hand-over', 'own-node', 'other-actor', 'signal', 'followed']);

function becauseOf(because: Because): string {
  switch (because.kind) {
    case 'window':
      return `a window of ${because.period} is open`;
    case 'unfinished':
      return `run ${because.run} has something to be finished or answered`;
    case 'trigger':
      return `triggered by ${because.trigger.by}: ${because.trigger.reason}`;
  }
}

function remember({ clock }: Serving, ended: { memory: Memory; name: string; attempted: string; end: ActEnd }): void {
  const { memory, name, attempted, end } = ended;
  const before = memory.attempts.get(name);
  const common = { of: attempted, endedAt: clock.now() };
  if (end.kind === 'refused') memory.attempts.set(name, { ...common, kind: 'refused' });
  else if (end.kind === 'ran') memory.attempts.set(name, { ...common, kind: 'ran', stop: end.stop });
  else {
    const times = before?.kind === 'failed' && before.of === attempted ? before.times + 1 : 1;
    memory.attempts.set(name, { ...common, kind: 'failed', times });
  }
  if (end.kind === 'ran' && end.stop.kind === 'own-node' && end.state !== undefined)
    memory.leftToOthers.add(end.state.name);
}

function tell({ log }: Serving, { name, end }: { name: string; end: ActEnd }): void {
  if (end.kind !== 'ran') {
    log(`act.${end.kind}`, { playbook: name }, end.message);
    return;
  }
  const run = end.state === undefined ? {} : { run: end.state.name };
  log('acted', { playbook: name, ...run }, `has acted for playbook ${name}: ${end.stop.kind}`);
}

/** What is watched may lag behind what was just written: it is not decided on that. */
async function seenThere(
  { clock }: Serving,
  wait: {
    own: OwnObjects;
    state: { name: string; status: { journal?: { seq: number } | undefined } };
    signal: AbortSignal;
  },
): Promise<void> {
  const { own, state } = wait;
  const wanted = state.status.journal?.seq ?? 0;
  const deadline = clock.deadline(seenWithinMs, wait.signal);
  try {
    for (;;) {
      const { version } = own;
      if (own.journalSeqOf(state.name) >= wanted) return;
      await own.changed(version, deadline.signal);
    }
  } catch (error) {
    if (!deadline.signal.aborted) throw error;
  } finally {
    deadline.clear();
  }
}

const seenWithinMs = 5000;

/** Gives the lease up when the signal aborts; answers how to stop listening. */
function givenUpWhen(signal: AbortSignal, lease: HeldLease): () => void {
  const giveUp = () => {
    lease.giveUp(signal.reason instanceof Error ? signal.reason.message : 'the process has to end');
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp);
  return () => {
    signal.removeEventListener('abort', giveUp);
  };
}

/** The engine says sentences. */
function sentence({ log }: Serving, playbook: string): (line: string) => void {
  return (line) => {
    log('said', { playbook }, line);
  };
}
