import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import { recordOf } from '../../../src/cluster/json.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Call } from '../witness.js';
import { holdOn, isCordoned, isSame, nameOf, nodeOfPod, podName } from './truth.js';

/** A node as an actor was told of it last, and since when the actor knows what it says. */
export interface ToldNode {
  readonly object: ApiObject;
  /** Undefined while it is cordoned. */
  readonly schedulableSince: number | undefined;
  readonly cordonedSince: number | undefined;
  readonly heldSince: number | undefined;
}

export interface ToldPod {
  readonly object: ApiObject;
  /** When the actor heard of its last change. */
  readonly at: number;
  /** Since when the actor knows the node that the pod is on. */
  readonly placedSince: number | undefined;
}

/** What one actor knows. */
export interface Knowledge {
  readonly nodes: ReadonlyMap<string, ToldNode>;
  /** By `namespace/name`. */
  readonly pods: ReadonlyMap<string, ToldPod>;
  /** When the actor last heard of a change of a budget, by namespace. */
  readonly budgetsChangedAt: ReadonlyMap<string, number>;
  /** Desired replicas by `namespace/name`. */
  readonly desired: ReadonlyMap<string, number>;
  /** When the last reading of a node and its pods that was answered had been asked for, by node. */
  readonly nodeReadAt: ReadonlyMap<string, number>;
}

/** What each actor has been told. A list that leaves an object out is not told as its end: then more is known than here. */
export interface Told {
  of(actor: string): Knowledge;
  take(actor: string, told: { readonly resource: Resource; readonly object: ApiObject; readonly gone: boolean }): void;
  sent(call: Call): void;
  arrived(call: Call, answer: { readonly kind: string }): void;
}

interface Learning {
  readonly nodes: Map<string, ToldNode>;
  readonly pods: Map<string, ToldPod>;
  readonly budgets: Map<string, string | undefined>;
  readonly budgetsChangedAt: Map<string, number>;
  readonly desired: Map<string, number>;
  readonly nodeReadAt: Map<string, number>;
  readonly readsSent: Map<number, number>;
}

export function told(elapsedMs: () => number): Told {
  const actors = new Map<string, Learning>();
  const learningOf = (actor: string): Learning => {
    const known = actors.get(actor);
    if (known !== undefined) return known;
    const nothing: Learning = {
      nodes: new Map(),
      pods: new Map(),
      budgets: new Map(),
      budgetsChangedAt: new Map(),
      desired: new Map(),
      nodeReadAt: new Map(),
      readsSent: new Map(),
    };
    actors.set(actor, nothing);
    return nothing;
  };

  return {
    of: learningOf,
    take(actor, { resource, object, gone }) {
      const knowledge = learningOf(actor);
      if (isSame(resource, resources.pods)) learnPod(knowledge, { object, gone, at: elapsedMs() });
      else if (isSame(resource, resources.nodes)) learnNode(knowledge, { object, gone, at: elapsedMs() });
      else if (isSame(resource, resources.budgets)) learnBudget(knowledge, { object, gone, at: elapsedMs() });
      else if (isSame(resource, resources.deployments) || isSame(resource, resources.statefulSets)) {
        const replicas = recordOf(object['spec'])['replicas'];
        if (typeof replicas === 'number') knowledge.desired.set(podName(object), replicas);
      }
    },
    sent(call) {
      if (nodeReadBy(call) !== undefined) learningOf(call.actor).readsSent.set(call.number, elapsedMs());
    },
    arrived(call, answer) {
      const node = nodeReadBy(call);
      if (node === undefined) return;
      const knowledge = learningOf(call.actor);
      const sentAt = knowledge.readsSent.get(call.number);
      knowledge.readsSent.delete(call.number);
      if (answer.kind === 'ok' && sentAt !== undefined) knowledge.nodeReadAt.set(node, sentAt);
    },
  };
}

interface News {
  readonly object: ApiObject;
  readonly gone: boolean;
  readonly at: number;
}

function learnPod({ pods }: Learning, { object, gone, at }: News): void {
  const key = podName(object);
  const before = pods.get(key);
  if (gone) {
    pods.delete(key);
    return;
  }
  if (before?.object === object) return;
  const isSameThere = before !== undefined && before.object.metadata.uid === object.metadata.uid;
  const since = isSameThere ? before.placedSince : undefined;
  pods.set(key, { object, at, placedSince: nodeOfPod(object) === undefined ? undefined : (since ?? at) });
}

function learnNode({ nodes }: Learning, { object, gone, at }: News): void {
  const name = nameOf(object);
  if (gone) {
    nodes.delete(name);
    return;
  }
  const before = nodes.get(name);
  const cordoned = isCordoned(object);
  nodes.set(name, {
    object,
    schedulableSince: cordoned ? undefined : (before?.schedulableSince ?? at),
    cordonedSince: cordoned ? (before?.cordonedSince ?? at) : undefined,
    heldSince: holdOn(object) === undefined ? undefined : (before?.heldSince ?? at),
  });
}

function learnBudget({ budgets, budgetsChangedAt }: Learning, { object, gone, at }: News): void {
  const key = podName(object);
  const version = gone ? undefined : object.metadata.resourceVersion;
  if (budgets.has(key) && budgets.get(key) === version) return;
  budgets.set(key, version);
  budgetsChangedAt.set(object.metadata.namespace ?? '', at);
}

/** The node whose pods this call lists, consistently. */
function nodeReadBy({ port, verb, request }: Call): string | undefined {
  if (port !== 'cluster' || verb !== 'list') return undefined;
  const { fieldSelector, resourceVersion } = recordOf(request);
  if (typeof fieldSelector !== 'string' || resourceVersion !== undefined) return undefined;
  return /^spec\.nodeName=(.+)$/.exec(fieldSelector)?.[1];
}
