import { holdOf } from '../cluster/marks.js';
import { answerRequests } from './answerRequests.js';
import { stillMissing } from './awaitRecovery.js';
import { awaitResume } from './awaitResume.js';
import { beginTurn, type BegunTurn } from './beginTurn.js';
import type { Conducting } from './conducting.js';
import { fitsWindow } from './fitsWindow.js';
import { mayBeginBeside } from './mayBeginBeside.js';
import { nextInZone } from './nextInZone.js';
import {
  isInWork,
  mayStart,
  nextTurn,
  nodesInQuestion,
  nodesToCome,
  type NextTurn,
  type NextTurnInput,
} from './nextTurn.js';
import { headOf } from './openTurn.js';
import { openPrepareAhead, type PrepareAhead } from './prepareAhead.js';
import { countTurns, type RunStop } from './runEnd.js';
import { steerPods, stopSteering } from './steerPods.js';
import { isUnwellCanary } from './unwellCanary.js';
import { windowStop } from './windowStop.js';

/**
 * Takes the nodes through their turns, as many at the same time as the playbook lets, until none is left or something
 * says stop. Whatever says stop: turns in work come to their end before this does.
 */
export async function takeTurns(work: Conducting): Promise<RunStop> {
  const { inHand } = work;
  const tries: Tries = { counts: new Map(), beside: new Set(), alone: new Set() };
  /** The turns in work by node; none of these promises rejects. */
  const turns = new Map<string, Promise<EndedTurn>>();
  const ahead = openPrepareAhead(work, {
    counts: tries.counts,
    tried: (node) => {
      tries.counts.set(node, (tries.counts.get(node) ?? 0) + 1);
    },
  });
  let stop: RunStop | undefined;
  try {
    for (;;) {
      stop ??= work.stoppedBy();
      const next = stop === undefined ? await work.exclusively(() => chooseTurn(work, tries)) : undefined;
      if (next?.kind === 'take') {
        const { node } = next;
        await steerPods(work, nodesToCome(turnQuestion(work, tries)));
        if (turns.size > 0) for (const each of [node, ...turns.keys()]) tries.beside.add(each);
        turns.set(node, settledTurn(node, beginPrepared(work, next, ahead)));
        continue;
      }
      if (next?.kind === 'end') stop = endOf(work, next.why, tries);
      if (next?.kind === 'paused') {
        if ((await untilResumed(work)) === 'gave-up') stop = { kind: 'paused' };
        continue;
      }
      if (stop !== undefined && turns.size === 0) return stop;
      const ended = await firstEnd(work, turns, next?.kind === 'wait' && next.forRoom);
      if (ended === undefined) continue;
      turns.delete(ended.node);
      inHand.delete(ended.node);
      if ('failure' in ended) throw ended.failure;
      stop = (await concludeTurn(work, { ...ended, tries })) ?? stop;
    }
  } finally {
    await Promise.all(turns.values());
    await ahead.close();
  }
}

/** Nothing is left to do, which is not to say that all is well. */
function endOf(work: Conducting, why: Extract<NextTurn, { kind: 'end' }>['why'], tries: Tries): RunStop {
  if (why === 'window') return windowStop(work, nodesInQuestion(turnQuestion(work, tries)));
  const message = why === 'finished' ? stillMissing(work) : undefined;
  return message === undefined ? { kind: why } : { kind: 'not-recovered', message };
}

/** The turn of a node that may be preparing already; one that could not be prepared has had its try with that. */
async function beginPrepared(
  work: Conducting,
  next: { node: string; phase: string },
  ahead: PrepareAhead,
): Promise<BegunTurn> {
  await ahead.handOver(next.node);
  const phase = work.store.state().turns.get(next.node)?.status.phase;
  const isDeferredAhead = next.phase === 'Pending' && phase === 'Deferred';
  return isDeferredAhead ? { kind: 'left', phase, run: 'go-on' } : await beginTurn(work, next);
}

/** While a run is paused no node keeps a taint because of it. */
async function untilResumed(work: Conducting): Promise<'resumed' | 'gave-up'> {
  if (!work.staysWithPaused) return 'gave-up';
  const message = await stopSteering(work);
  if (message !== undefined) await work.store.saveRun({ message }, work.signal);
  return await awaitResume(work);
}

/** What is remembered of the nodes for as long as this actor is at work. */
interface Tries {
  /** How often each had its turn begun. */
  readonly counts: Map<string, number>;
  /** Those whose turn in work has had another beside it. */
  readonly beside: Set<string>;
  /** Those whose turn ended badly beside another: the next one they have alone. */
  readonly alone: Set<string>;
}

type EndedTurn = { readonly node: string } & ({ readonly end: BegunTurn } | { readonly failure: unknown });

async function settledTurn(node: string, turn: Promise<BegunTurn>): Promise<EndedTurn> {
  try {
    return { node, end: await turn };
  } catch (failure) {
    return { node, failure };
  }
}

/** While there is room for one more, who may begin beside those in work is asked again after this. */
const besideLookMs = 1000;

/** The next turn to end; undefined where it is time to look again whether another may begin. */
async function firstEnd(
  { clock, stop }: Conducting,
  turns: ReadonlyMap<string, Promise<EndedTurn>>,
  looksAgain: boolean,
): Promise<EndedTurn | undefined> {
  if (!looksAgain || stop.aborted) return await Promise.race(turns.values());
  const pause = new AbortController();
  const look = clock.sleep(besideLookMs, AbortSignal.any([stop, pause.signal])).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([...turns.values(), look]);
  } finally {
    pause.abort('a turn has ended');
    await look;
  }
}

/** What the end of a turn means for the run; undefined where it goes on. */
async function concludeTurn(
  work: Conducting,
  ended: { node: string; end: BegunTurn; tries: Tries },
): Promise<RunStop | undefined> {
  const { store } = work;
  const { node, end, tries } = ended;
  const wasBeside = tries.beside.delete(node);
  if (end.kind === 'not-begun') {
    tries.counts.delete(node);
    // What was asked has been heard or is about to be: never a hot loop.
    await work.clock.sleep(notBegunPauseMs, work.stop).catch(() => undefined);
    return undefined;
  }
  await store.saveRun({ counts: countTurns(store.state()), journal: headOf(work.journal) }, work.signal);
  if (end.kind === 'done') {
    const message = isUnwellCanary(work, node) ? stillMissing(work) : undefined;
    return message === undefined ? undefined : { kind: 'not-recovered', message };
  }
  // What stood in its way may have been another turn of this run: it has its try alone.
  if (wasBeside && (end.phase === 'Blocked' || end.phase === 'Deferred')) {
    tries.alone.add(node);
    tries.counts.delete(node);
  }
  const unwell = end.phase === 'Deferred' ? clusterUnwell(work, node) : undefined;
  if (unwell !== undefined) return unwell;
  if (end.run !== 'stop') return undefined;
  // Given back because of an abort, it was no try: a resume may let it begin again.
  if (end.phase === 'Pending') tries.counts.delete(node);
  else if (!isAborted(work)) return work.stoppedBy() ?? { kind: 'failures' };
  return undefined;
}

/** Every other turn would wait as long for the same conditions of the cluster (`gates.clusterHealth.wait`). */
function clusterUnwell({ store }: Conducting, node: string): RunStop | undefined {
  const findings = store.state().turns.get(node)?.status.findings ?? [];
  const unwell = findings.filter(({ code }) => code === 'cluster-not-healthy');
  if (unwell.length === 0) return undefined;
  return { kind: 'cluster-not-healthy', message: unwell.map(({ message }) => message).join(' ') };
}

type ChosenTurn =
  | Exclude<NextTurn, { kind: 'take' | 'wait' }>
  | { readonly kind: 'take'; readonly node: string; readonly phase: string }
  /** `forRoom`: one more might begin beside those in work, only not at this moment. */
  | { readonly kind: 'wait'; readonly forRoom: boolean };

/** The next turn, once everything that was asked is answered. A turn that is chosen counts as in work at once. */
async function chooseTurn(work: Conducting, tries: Tries): Promise<ChosenTurn> {
  const { store, inHand } = work;
  await answerRequests(work, work.signal);
  const next = nextTurn(turnQuestion(work, tries));
  if (next.kind === 'wait') return { kind: 'wait', forRoom: false };
  if (next.kind !== 'take') return next;
  const phaseOf = (name: string) => store.state().turns.get(name)?.status.phase ?? 'Pending';
  let { node } = next;
  if (inHand.size > 0 && !isInWork(phaseOf(node))) {
    const candidates = candidatesBeside(work, tries);
    const found = candidates.find((candidate) => mayBeginBeside(work, candidate));
    if (found === undefined) return { kind: 'wait', forRoom: candidates.length > 0 };
    node = found;
  }
  const phase = phaseOf(node);
  // An undo that a crash interrupted is finished first; it was no try.
  if (phase !== 'Undoing') tries.counts.set(node, (tries.counts.get(node) ?? 0) + 1);
  inHand.add(node);
  return { kind: 'take', node, phase };
}

/** The next ones of the order that are in the zone of those in work, as many as may be in work at all. */
function candidatesBeside(work: Conducting, tries: Tries): readonly string[] {
  const { cache, inHand, playbook } = work;
  if ([...inHand].some((node) => tries.alone.has(node))) return [];
  const question = turnQuestion(work, tries);
  const toCome = nodesToCome(question).filter((node) => mayStart(question, node));
  return nextInZone({ view: cache.view(), inWork: inHand, toCome })
    .filter((node) => !tries.alone.has(node))
    .slice(0, playbook.nodes.concurrency);
}

function turnQuestion(work: Conducting, tries: Tries): NextTurnInput {
  const { store, playbook, control, inHand, only, leftToOthers } = work;
  return {
    state: store.state(),
    desired: control.desired(),
    policy: playbook.nodes,
    taken: inHand,
    only,
    tries: tries.counts,
    attempts: playbook.drain.attempts,
    leftToOthers,
    fits: (node) => fitsWindow(work, node),
    isHeld: (node) => isHeld(work, node),
  };
}

function isHeld({ cache }: Conducting, name: string): boolean {
  const node = cache.view().nodes.get(name);
  return node !== undefined && holdOf(node) !== undefined;
}

/** Between two looks at a run whose next turn may not begin. */
const notBegunPauseMs = 200;

function isAborted({ control }: Conducting): boolean {
  const { state } = control.desired();
  return state === 'Abort' || state === 'AbortNow';
}
