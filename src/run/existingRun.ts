import { cordonedByOf } from '../cluster/marks.js';
import type { ClusterView } from '../cluster/view.js';
import { acceptedFindings } from './acceptedFindings.js';
import { openRequests } from './ask.js';
import { isInWork } from './nextTurn.js';
import type { RunObject, TurnObject } from './objects.js';
import type { ExistingRun } from './plan.js';
import type { TurnPhase, TurnStatus } from './state.js';

/** A run with its turns, as it was read. */
export interface FoundRun {
  readonly run: RunObject;
  readonly turns: readonly TurnObject[];
}

/** What a run has done and whose cordons are its own: also where the record of the turn was lost. */
export function existingRun(found: FoundRun, view: ClusterView): ExistingRun {
  const { run, turns } = found;
  const known = new Set(turns.map(({ spec }) => spec.node));
  const lost = [...view.nodes.values()].filter(
    (node) => node.unschedulable && cordonedByOf(node) === run.name && !known.has(node.name),
  );
  return {
    order: run.status.order ?? [],
    done: nodesWhere(turns, ({ status }) => status.phase === 'Done'),
    cordoned: new Set([
      ...nodesWhere(turns, ({ status }) => status.cordoned === true),
      ...lost.map(({ name }) => name),
    ]),
    accepted: new Map(turns.map(({ spec, status }) => [spec.node, acceptedFindings(status)])),
    turns: turns.map(({ spec, status }) => ({ node: spec.node, status })),
    cordonedBy: run.name,
  };
}

/**
 * Turns in work, and nodes that are out of service because of us and are to go on, are finished whatever the window says;
 * what people ask is answered.
 */
export function hasUnfinishedTurn({ run, turns }: FoundRun): boolean {
  const goesOn = ({ phase, cordoned }: TurnStatus) => isInWork(phase) || (cordoned === true && isToCome.has(phase));
  return openRequests(run).length > 0 || turns.some(({ status }) => goesOn(status));
}

/** A turn that was undone may have left its node cordoned where a person held it (undoTurn.ts). */
const isToCome: ReadonlySet<string> = new Set<TurnPhase>(['Pending', 'Deferred', 'Blocked']);

/** Nodes of a former run whose turn is in work, or for which somebody asked something. */
export function nodesToFinish(
  { run, turns }: FoundRun,
  narrowed: ReadonlySet<string> | undefined,
): ReadonlySet<string> {
  const asked = new Set(openRequests(run).flatMap(({ node }) => node ?? []));
  const nodes = turns
    .filter(({ spec, status }) => isInWork(status.phase) || status.retryFrom !== undefined || asked.has(spec.node))
    .map(({ spec }) => spec.node);
  return new Set(nodes.filter((node) => narrowed?.has(node) ?? true));
}

/** What an earlier month has left unfinished goes first; what it has done is due again. */
export function carriedOver(found: FoundRun, view: ClusterView): ExistingRun {
  const existing = existingRun(found, view);
  const turns = existing.turns.filter(({ node }) => !existing.done.has(node));
  const open = new Set(turns.filter(({ status }) => status.phase !== 'Skipped').map(({ node }) => node));
  return {
    ...existing,
    order: existing.order.filter((node) => open.has(node)),
    done: new Set(),
    accepted: new Map(),
    turns,
  };
}

function nodesWhere(turns: readonly TurnObject[], holds: (turn: TurnObject) => boolean): ReadonlySet<string> {
  return new Set(turns.filter(holds).map((turn) => turn.spec.node));
}
