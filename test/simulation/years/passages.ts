import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { parseJson, recordOf, stringOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import { turnResource } from '../../../src/run/objects.js';
import { cordonMark, isCordoned, isSame, nameOf, nodeOfTurn, turnStatusOf } from '../invariants/truth.js';
import type { Witness } from '../witness.js';

/** A node that is out of service because of us. */
export interface Passage {
  readonly node: string;
  /** The run whose mark it carries: of a later period where that took the cordon over. */
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The update was started on its host, or a reboot was asked for. */
  readonly isTouched: boolean;
  /** No actor has ended or died since. */
  readonly isUndisturbed: boolean;
  /** As long was some actor at work since then, not counting what follows `workedSince`. */
  readonly workedMs: number;
  readonly workedSince: number | undefined;
}

/** A turn that came to its end, as the node's annotation tells. */
export interface CompletedTurn {
  readonly node: string;
  readonly uid: string;
  readonly run: string;
  readonly at: number;
}

/** What nodes and hosts tell of turns, whatever the objects of Turnus say. */
export interface Passages {
  open(): readonly Passage[];
  openOf(node: string): Passage | undefined;
  completed(): readonly CompletedTurn[];
  /** Whether the node, as it is registered now, had its turn in this run. */
  isCompleted(run: string, node: ApiObject | undefined): boolean;
  /** From the cordon to the end of those turns that one actor took to their end; 0 where there is none. Milliseconds. */
  shortestMs(): number;
  /** From the cordon until the turn was Done, without the times at which nobody was at work; of all turns. */
  longestMs(): number;
}

/** Hears of everything before the invariants do, and tells them what begins and ends. */
export function followPassages(parts: {
  readonly now: () => number;
  readonly begun: (passage: Passage) => void;
  readonly completed: (turn: CompletedTurn) => void;
}): Passages & Witness {
  const { now } = parts;
  const open = new Map<string, Passage>();
  /** Given back, and not yet Done. */
  const settling = new Map<string, Passage>();
  const completed: CompletedTurn[] = [];
  const atWork = new Set<string>();
  let shortestMs: number | undefined;
  let longestMs = 0;
  const touch = (node: string) => {
    const passage = open.get(node);
    if (passage !== undefined) open.set(node, { ...passage, isTouched: true });
  };

  const worked = ({ workedMs, workedSince }: Passage) =>
    workedMs + (workedSince === undefined ? 0 : now() - workedSince);

  const followCordon = (object: ApiObject): void => {
    const node = nameOf(object);
    const run = cordonMark(object);
    const passage = open.get(node);
    if (run === undefined) open.delete(node);
    else if (passage !== undefined) open.set(node, { ...passage, run });
    else if (isCordoned(object)) {
      const begun = { node, run, since: now(), isTouched: false, isUndisturbed: true, workedMs: 0, workedSince: now() };
      open.set(node, begun);
      parts.begun(begun);
    }
  };
  const followTurn = (object: ApiObject, before: ApiObject): void => {
    const text = lastTurnText(object);
    if (text === undefined || text === lastTurnText(before)) return;
    const run = stringOf(recordOf(parseJson(text))['run']) ?? '';
    const turn = { node: nameOf(object), uid: object.metadata.uid ?? '', run, at: now() };
    const passage = open.get(turn.node);
    if (passage !== undefined) settling.set(turn.node, passage);
    const tookMs = turn.at - (passage?.since ?? turn.at);
    if (passage?.isUndisturbed === true) shortestMs = Math.min(shortestMs ?? tookMs, tookMs);
    completed.push(turn);
    parts.completed(turn);
  };

  const followDone = (node: string): void => {
    const passage = settling.get(node);
    settling.delete(node);
    if (passage !== undefined) longestMs = Math.max(longestMs, worked(passage));
  };

  return {
    open: () => [...open.values()],
    openOf: (node) => open.get(node),
    completed: () => completed,
    isCompleted: (run, node) =>
      completed.some((turn) => turn.run === run && turn.node === node?.metadata.name && turn.uid === node.metadata.uid),
    shortestMs: () => shortestMs ?? 0,
    longestMs: () => longestMs,

    changed({ type, resource, object, before }) {
      if (isSame(resource, turnResource) && turnStatusOf(object).phase === 'Done') followDone(nodeOfTurn(object));
      if (!isSame(resource, resources.nodes)) return;
      if (type === 'deleted') {
        open.delete(nameOf(object));
        return;
      }
      if (before !== undefined) followTurn(object, before);
      followCordon(object);
    },
    sent({ port, verb, name = '' }) {
      if (port === 'host' && verb === 'reboot') touch(name);
    },
    onHost(event) {
      if (event.kind === 'job-started' && event.stage !== 'prepare' && event.stage !== 'leave') touch(event.node);
    },
    actor({ actor, what }) {
      const wasWorkedOn = atWork.size > 0;
      if (what === 'begins') atWork.add(actor);
      else atWork.delete(actor);
      const isWorkedOn = atWork.size > 0;
      for (const passages of [open, settling]) {
        for (const [node, passage] of passages) {
          const isUndisturbed = passage.isUndisturbed && what === 'begins';
          const work =
            wasWorkedOn === isWorkedOn
              ? {}
              : { workedMs: worked(passage), workedSince: isWorkedOn ? now() : undefined };
          passages.set(node, { ...passage, isUndisturbed, ...work });
        }
      }
    },
  };
}

function lastTurnText({ metadata }: ApiObject): string | undefined {
  return metadata.annotations?.[marks.lastTurn];
}
