import type { ApiAnswer, ApiFailure, ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import { inParallel } from '../cluster/inParallel.js';
import { isPassing } from '../cluster/passingFailure.js';
import type { ConditionAnswer, ConditionReading, ConditionTrouble } from '../gates/conditionGate.js';
import type { HealthCondition } from '../playbook/playbook.js';

/** Where the objects of a condition are served. */
export interface ConditionTarget {
  readonly resource: Resource;
  /** Undefined: all namespaces, or the kind has none. */
  readonly namespace: string | undefined;
  /** Undefined: all objects of the kind. */
  readonly name: string | undefined;
}

export interface LocatedCondition {
  readonly condition: HealthCondition;
  readonly place:
    | { readonly kind: 'found'; readonly target: ConditionTarget }
    | { readonly kind: 'no-answer'; readonly message: string }
    | ConditionTrouble;
}

interface Conditions {
  readonly cluster: ClusterPort;
  readonly conditions: readonly HealthCondition[];
}

const atOnce = 4;

/** Asks the API server's discovery where the objects of each condition are served. */
export async function locateConditions(asked: Conditions, signal: AbortSignal): Promise<LocatedCondition[]> {
  return await inParallel(asked.conditions, atOnce, async (condition) => {
    const answer = await asked.cluster.discover(condition, signal);
    return { condition, place: placeOf(condition, answer) };
  });
}

/** Reads the objects of each condition, consistently. Whatever goes wrong is part of the answer. */
export async function readConditions(asked: Conditions, signal: AbortSignal): Promise<ConditionReading[]> {
  const located = await locateConditions(asked, signal);
  return await inParallel(located, atOnce, async ({ condition, place }) => ({
    condition,
    answer: place.kind === 'found' ? await read(asked.cluster, place.target, signal) : place,
  }));
}

function placeOf(condition: HealthCondition, answer: ApiAnswer<Resource>): LocatedCondition['place'] {
  if (answer.kind === 'not-found') return { kind: 'not-served' };
  if (answer.kind !== 'ok') return unanswered(answer);
  const { namespace, name } = condition;
  const { group, version, plural, namespaced } = answer.value;
  if (namespaced && name !== undefined && namespace === undefined) return { kind: 'needs-namespace' };
  if (!namespaced && namespace !== undefined) return { kind: 'has-no-namespaces' };
  return { kind: 'found', target: { resource: { group, version, plural, namespaced }, namespace, name } };
}

async function read(cluster: ClusterPort, target: ConditionTarget, signal: AbortSignal): Promise<ConditionAnswer> {
  const { resource, name } = target;
  const request = { resource, ...(target.namespace === undefined ? {} : { namespace: target.namespace }) };
  if (name === undefined) {
    const answer = await cluster.list(request, signal);
    // The kind was served when discovery was asked.
    if (answer.kind === 'not-found') return { kind: 'not-served' };
    return answer.kind === 'ok' ? readAnswer(resource, answer.value.items) : unanswered(answer);
  }
  const answer = await cluster.get({ ...request, name }, signal);
  if (answer.kind === 'not-found') return readAnswer(resource, []);
  return answer.kind === 'ok' ? readAnswer(resource, [answer.value]) : unanswered(answer);
}

function readAnswer(resource: Resource, objects: readonly ApiObject[]): ConditionAnswer {
  return { kind: 'read', resource, objects };
}

function unanswered(failure: ApiFailure): Extract<ConditionAnswer, { message: string }> {
  if (isPassing(failure)) return { kind: 'no-answer', message: failure.message };
  return { kind: failure.kind === 'forbidden' ? 'forbidden' : 'refused', message: failure.message };
}
