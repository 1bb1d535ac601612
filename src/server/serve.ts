import type { HeldLease } from '../cluster/heldLease.js';
import { announcePlans } from './playbooks/announcePlans.js';
import { awaitLease } from './acts/awaitLease.js';
import { openDesk, type Desk, type DeskOptions } from './playbooks/desk.js';
import { givenUpWhen } from './acts/givenUpWhen.js';
import { hindranceOf, type Hindrance } from './acts/hindrance.js';
import { judgeCoverage } from './playbooks/judgeCoverage.js';
import { takeLead } from './leadership.js';
import { nextDeed } from './acts/nextDeed.js';
import { followOwnObjects, type OwnObjects } from './ownObjects.js';
import { becauseOf, performDeed, type Memory } from './acts/performDeed.js';
import { servedPlaybooks } from './playbooks/servedPlaybooks.js';
import { overAnswer } from './playbooks/standingTrigger.js';
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
  const at: Deciding['at'] = { busy: undefined };
  const memory: Memory = { attempts: new Map(), atWork: new Set(), leftToOthers: serving.leftToOthers };
  const hindrances = (): ReadonlyMap<string, Hindrance> => {
    const now = serving.clock.now();
    const playbooks = servedPlaybooks({ desk, own, attempts: memory.attempts, now });
    return new Map(
      playbooks.map((each) => [each.name, hindranceOf(each, { now, isAtWork: memory.atWork.has(each.name) })]),
    );
  };
  const desk = openDesk({ ...serving, own, wakeUp, busy: () => at.busy, hindrances });
  const keeping = desk.keep(signal).catch((error: unknown) => {
    if (!signal.aborted) over.abort(error);
  });
  const judging = judgeCoverage({ ...serving, desk, signal });
  const announcing = announcePlans({ ...serving, own, wakeUp, desk, signal }).catch((error: unknown) => {
    if (!signal.aborted) over.abort(error);
  });
  serving.log('leading', {}, 'leads: what is due is done by this process');
  try {
    await decideAndAct(serving, { ...leading, desk, signal, at, memory, coverage: judging });
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
  readonly memory: Memory;
  /** What this process acts for, or waits for, so that whoever asks for something else is told. */
  readonly at: { busy: ReturnType<DeskOptions['busy']> };
}

async function decideAndAct(serving: Serving, deciding: Deciding): Promise<void> {
  const { desk, own, wakeUp, signal, at, memory } = deciding;
  const { clock } = serving;
  let isHeld = false;
  for (;;) {
    const before = { desk: desk.version };
    const now = clock.now();
    const playbooks = servedPlaybooks({ desk, own, attempts: memory.attempts, now });
    for (const { name, over } of playbooks) if (over !== undefined) desk.note(name, { trigger: overAnswer(over, now) });
    const deed = nextDeed(playbooks, now);
    if (deed.kind === 'wait') {
      await wakeUp.wait({ until: deed.until, changed: (either) => desk.changed(before.desk, either), signal });
      continue;
    }
    if (isHeld) {
      isHeld = (await awaitLease({ ...serving, identity: serving.actor }, signal)) === 'held';
      if (!isHeld) at.busy = undefined;
      continue;
    }
    const playbook = playbooks.find(({ name }) => name === deed.playbook);
    if (playbook === undefined) throw new Error(`there is no playbook ${deed.playbook}`);
    const { because } = deed;
    const trigger = because.kind === 'trigger' ? because.trigger.id : undefined;
    at.busy = { trigger, text: `playbook ${playbook.name} is at work (${becauseOf(because)})` };
    const end = await performDeed(serving, { ...deciding, playbook, because });
    signal.throwIfAborted();
    isHeld = end.kind === 'other';
    at.busy = end.kind === 'other' ? { trigger: undefined, text: end.message } : undefined;
    deciding.coverage.again();
    if (end.kind === 'ran' && end.stop.kind === 'own-node') return;
  }
}
