import type { ClusterPort } from '../cluster/clusterPort.js';
import { inParallel } from '../cluster/inParallel.js';
import { isSteeredAway, setSteerTaint, steerTaintText } from '../cluster/steerTaint.js';
import type { NodeView } from '../cluster/view.js';
import { isDeadlineExceeded } from '../time/clock.js';
import type { Conducting } from './conducting.js';
import { nodesToSteerAwayFrom } from './steering.js';
import { timestamp } from './turnContext.js';

/** Patches of nodes at the same time. */
const nodesAtOnce = 8;
/** A turn waits no longer than this for the taints. */
const steeringMs = 10_000;
/** What could not be taken back within this is left, and said. */
const takingBackMs = 60_000;
const tryAgainMs = 2000;

type Steering = Pick<Conducting, 'clock' | 'cluster' | 'journal' | 'signal' | 'steered'> & {
  readonly cache: Pick<Conducting['cache'], 'view'>;
  readonly playbook: { readonly nodes: Pick<Conducting['playbook']['nodes'], 'steer'> };
  readonly store: Pick<Conducting['store'], 'state' | 'saveRun'>;
};

/**
 * Lets exactly those nodes carry our taint that pods are to be turned away from while the turn is in work that begins
 * next; what an actor left behind that died is taken back. Best effort: what fails is tried again with the next turn.
 */
export async function steerPods(work: Steering, toCome: readonly string[]): Promise<void> {
  const { playbook, cache, store } = work;
  const isOn = playbook.nodes.steer === 'taint';
  const away = isOn ? nodesToSteerAwayFrom({ view: cache.view(), state: store.state(), toCome }) : new Set<string>();
  await applyTaints(work, away, steeringMs);
}

/** Takes every taint of ours back; answers, in a sentence for people, on which nodes that did not work. */
export async function stopSteering(work: Steering): Promise<string | undefined> {
  const { clock, signal } = work;
  const until = clock.monotonic() + takingBackMs;
  for (;;) {
    const left = await applyTaints(work, new Set(), until - clock.monotonic());
    const [first] = left;
    if (first === undefined) return undefined;
    if (clock.monotonic() + tryAgainMs >= until) return leftSentence(left, first);
    await clock.sleep(tryAgainMs, signal);
  }
}

interface Unchanged {
  readonly node: string;
  readonly message: string;
}

/** Sets what is missing, removes what is too much, and answers the nodes where that failed. */
async function applyTaints(work: Steering, away: ReadonlySet<string>, forMs: number): Promise<readonly Unchanged[]> {
  const { cache, clock, journal, steered, store, signal } = work;
  const changes = [...cache.view().nodes.values()]
    .map((node) => ({ node, isWanted: away.has(node.name) }))
    // The watch may lag: what we have tainted counts as tainted until it has been taken back.
    .filter(({ node, isWanted }) => (isSteeredAway(node) || (!isWanted && steered.has(node.name))) !== isWanted);
  const names = (isWanted: boolean) => changes.filter((one) => one.isWanted === isWanted).map(({ node }) => node.name);
  if (changes.length > 0) {
    await journal.append({ type: 'nodes.steering', taint: steerTaintText, away: names(true), back: names(false) });
  }
  const since = store.state().status.steering?.since;
  if (away.size > 0 && since === undefined) {
    await store.saveRun({ steering: { taint: steerTaintText, since: timestamp(clock) } }, signal);
  }
  const deadline = clock.deadline(Math.max(1, forMs), signal);
  try {
    const ends = await inParallel(changes, nodesAtOnce, async ({ node, isWanted }) => {
      if (isWanted) steered.add(node.name);
      const message = await changeTaint({ cluster: work.cluster, node, isWanted, signal: deadline.signal });
      if (message === undefined && !isWanted) steered.delete(node.name);
      return message === undefined ? [] : [{ node: node.name, message }];
    });
    const failed = ends.flat();
    if (failed.length > 0) await journal.append({ type: 'nodes.steering-failed', taint: steerTaintText, failed });
    else if (away.size === 0 && since !== undefined) await store.saveRun({ steering: undefined }, signal);
    return failed;
  } finally {
    deadline.clear();
  }
}

/** Answers why it could not be done; a node that is gone carries nothing. */
async function changeTaint(change: {
  readonly cluster: ClusterPort;
  readonly node: NodeView;
  readonly isWanted: boolean;
  readonly signal: AbortSignal;
}): Promise<string | undefined> {
  const { signal } = change;
  try {
    const answer = await setSteerTaint(change);
    return answer.kind === 'ok' || answer.kind === 'not-found' ? undefined : answer.message;
  } catch (error) {
    if (!isDeadlineExceeded(signal)) throw error;
    return 'the API server did not answer in time';
  }
}

function leftSentence(left: readonly Unchanged[], { message }: Unchanged): string {
  const names = left.map(({ node }) => node);
  return (
    `${names.join(', ')} still ${names.length === 1 ? 'carries' : 'carry'} the taint ${steerTaintText}, which makes new ` +
    `pods rather go elsewhere; it could not be removed (${message}). ` +
    `Remove it: kubectl taint nodes ${names.join(' ')} ${steerTaintText}- (or start a run: it does so first).`
  );
}
