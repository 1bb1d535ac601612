import type { ApiAnswer, ApiFailure, ClusterPort, JsonPatchOperation } from './clusterPort.js';
import {
  carriesDuringTurn,
  nothingDuringTurn,
  withDuringTurn,
  withoutDuringTurn,
  type DuringTurn,
} from './duringTurn.js';
import { cordonedByOf, lastTurnText, marks, type LastTurn } from './marks.js';
import { metadataPatch } from './nodeMetadata.js';
import { parseNode } from './parseNode.js';
import { resources } from './resources.js';
import type { NodeView } from './view.js';

export type CordonOutcome =
  | { readonly kind: 'cordoned'; readonly node: NodeView }
  | { readonly kind: 'already-ours'; readonly node: NodeView }
  /** Somebody else has cordoned the node: `by` another run, or undefined where the cordon carries no mark. */
  | { readonly kind: 'foreign'; readonly by: string | undefined; readonly node: NodeView }
  /** The node changed under our hands again and again. */
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'failure'; readonly failure: ApiFailure };

export type UncordonOutcome =
  | { readonly kind: 'uncordoned'; readonly node: NodeView }
  /** The cordon, if there is one, is not this run's: `by` another run or undefined. Nothing was changed. */
  | { readonly kind: 'not-ours'; readonly by: string | undefined; readonly node: NodeView }
  /** Somebody had uncordoned our node; only our mark was removed. */
  | { readonly kind: 'already-schedulable'; readonly node: NodeView }
  | { readonly kind: 'failure'; readonly failure: ApiFailure };

export interface CordonRequest {
  readonly cluster: ClusterPort;
  /** The node as last seen; it is read again where it has changed since. */
  readonly node: NodeView;
  /** Name of the run, or `drain/<user>`. */
  readonly run: string;
  readonly signal: AbortSignal;
}

/** How often a node that changed meanwhile is looked at again. */
const attempts = 4;

/**
 * Makes a node unschedulable and marks the cordon as this run's, in one patch that is void where the node is no longer
 * as it was seen. A cordon without our mark is never taken over. The mark of another run on a node that somebody made
 * schedulable again means nothing any more and is replaced. What the node carries during its turn comes with the cordon.
 */
export async function cordon(
  request: CordonRequest & { readonly duringTurn?: DuringTurn | undefined },
): Promise<CordonOutcome> {
  const { run, duringTurn = nothingDuringTurn } = request;
  let wasOurs = false;
  return await decideAndPatch<CordonOutcome>(request, {
    decide: (node) => {
      const by = cordonedByOf(node);
      wasOurs = by === run && node.unschedulable;
      if (wasOurs && carriesDuringTurn(node, duringTurn)) return { kind: 'already-ours', node };
      if (node.unschedulable && !wasOurs) return { kind: 'foreign', by, node };
      // Set once a turn: where somebody uncordoned the node in between, what it carries stays as it is.
      const isSet = by === run && carriesDuringTurn(node, duringTurn);
      const { annotations, labels } = isSet ? node : withDuringTurn(node, duringTurn);
      return [
        ...guards(node),
        ...metadataPatch(node, { annotations: { ...annotations, [marks.cordonedBy]: run }, labels }),
        ...(wasOurs ? [] : [set('/spec/unschedulable', true)]),
      ];
    },
    done: (node) => ({ kind: wasOurs ? 'already-ours' : 'cordoned', node }),
    conflict: (message) => ({ kind: 'conflict', message }),
    failed: (failure) => ({ kind: 'failure', failure }),
  });
}

/**
 * Makes a node schedulable again where its cordon carries exactly this run's mark; the mark, and what the node carried
 * during its turn, go in the same patch. `lastTurn` is written along with it, after a turn that ended well.
 */
export async function uncordon(request: CordonRequest & { readonly lastTurn?: LastTurn }): Promise<UncordonOutcome> {
  let done: (node: NodeView) => UncordonOutcome = (node) => ({ kind: 'uncordoned', node });
  return await decideAndPatch<UncordonOutcome>(request, {
    decide: (node) => {
      const by = cordonedByOf(node);
      const { annotations, labels } = withoutDuringTurn(node);
      const isMarkGone = by === undefined && node.annotations[marks.duringTurn] !== undefined;
      if (by !== request.run && !isMarkGone) return { kind: 'not-ours', by, node };
      if (isMarkGone) {
        done = (after) => ({ kind: 'not-ours', by, node: after });
        return [...guards(node), ...metadataPatch(node, { annotations, labels })];
      }
      const kind = node.unschedulable ? 'uncordoned' : 'already-schedulable';
      done = (after) => ({ kind, node: after });
      const { [marks.cordonedBy]: _, ...others } = annotations;
      const lastTurn = request.lastTurn && { [marks.lastTurn]: lastTurnText(request.lastTurn) };
      return [
        ...guards(node),
        ...metadataPatch(node, { annotations: { ...others, ...lastTurn }, labels }),
        ...(node.unschedulable ? [{ op: 'remove', path: '/spec/unschedulable' } as const] : []),
      ];
    },
    done: (node) => done(node),
    conflict: (message) => ({ kind: 'failure', failure: { kind: 'conflict', message } }),
    failed: (failure) => ({ kind: 'failure', failure }),
  });
}

/**
 * Makes the cordon of one run that of another, which supersedes it. False where the node does not carry the former
 * run's cordon (any more): then nothing was changed.
 */
export async function adoptCordon(request: CordonRequest & { readonly from: string }): Promise<ApiAnswer<boolean>> {
  return await decideAndPatch<ApiAnswer<boolean>>(request, {
    decide: (node) => {
      const by = cordonedByOf(node);
      if (!node.unschedulable || by !== request.from) {
        return { kind: 'ok', value: node.unschedulable && by === request.run };
      }
      return [...guards(node), set(annotationPath(marks.cordonedBy), request.run)];
    },
    done: () => ({ kind: 'ok', value: true }),
    conflict: (message) => ({ kind: 'conflict', message }),
    failed: (failure) => failure,
  });
}

/** Writes the annotation `turnus.dev/last-turn`, by which order and coverage go. */
export async function markLastTurn(request: {
  readonly cluster: ClusterPort;
  readonly node: NodeView;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly run: string;
  readonly signal: AbortSignal;
}): Promise<ApiAnswer<NodeView>> {
  const { cluster, node, time, run, signal } = request;
  const body = { metadata: { uid: node.uid, annotations: { [marks.lastTurn]: lastTurnText({ time, run }) } } };
  const answer = await cluster.patch(
    { resource: resources.nodes, name: node.name, patch: { type: 'merge', body } },
    signal,
  );
  return answer.kind === 'ok' ? { kind: 'ok', value: parseNode(answer.value) } : answer;
}

/** An outcome, or the patch that leads to it. */
interface Decision<Outcome> {
  readonly decide: (node: NodeView) => Outcome | readonly JsonPatchOperation[];
  readonly done: (node: NodeView) => Outcome;
  readonly conflict: (message: string) => Outcome;
  readonly failed: (failure: ApiFailure) => Outcome;
}

/**
 * Decides, patches, and where the patch's guards do not hold any more, reads the node again and decides again. That
 * nothing is to be done is only believed of a fresh reading: the watch may not have shown our own last patch yet.
 */
export async function decideAndPatch<Outcome extends { readonly kind: string }>(
  { cluster, node, signal }: Pick<CordonRequest, 'cluster' | 'node' | 'signal'>,
  { decide, done, conflict, failed }: Decision<Outcome>,
): Promise<Outcome> {
  let seen = node;
  let message = '';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const decision = decide(seen);
    if ('kind' in decision) {
      if (attempt > 1) return decision;
    } else {
      const patched = await cluster.patch(
        { resource: resources.nodes, name: node.name, patch: { type: 'json', operations: decision } },
        signal,
      );
      if (patched.kind === 'ok') return done(parseNode(patched.value));
      if (patched.kind !== 'invalid' && patched.kind !== 'conflict') return failed(patched);
      message = patched.message;
    }
    const read = await cluster.get({ resource: resources.nodes, name: node.name }, signal);
    if (read.kind !== 'ok') return failed(read);
    seen = parseNode(read.value);
    if (seen.uid !== node.uid)
      return failed({ kind: 'not-found', message: `node ${node.name} was deleted and registered again` });
  }
  return conflict(message);
}

/**
 * The patch is void unless node, cordon and mark are as seen. A `test` for null holds where the member is absent
 * (evanphx/json-patch, which the API server uses). The resourceVersion is no guard: the kubelet's heartbeats move it.
 */
function guards(node: NodeView): JsonPatchOperation[] {
  const hasAnnotations = Object.keys(node.annotations).length > 0;
  return [
    test('/metadata/uid', node.uid),
    test('/spec/unschedulable', node.unschedulable ? true : null),
    hasAnnotations
      ? test(annotationPath(marks.cordonedBy), cordonedByOf(node) ?? null)
      : test('/metadata/annotations', null),
  ];
}

function test(path: string, value: unknown): JsonPatchOperation {
  return { op: 'test', path, value };
}

function set(path: string, value: unknown): JsonPatchOperation {
  return { op: 'add', path, value };
}

/** A JSON pointer (RFC 6901) to an annotation. */
function annotationPath(key: string): string {
  return `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
