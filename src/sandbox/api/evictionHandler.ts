import type { ApiObject } from '../../cluster/clusterPort.js';
import { isRecord, numberOf, recordOf, recordsOf, stringMapOf, stringOf, type JsonRecord } from '../../cluster/json.js';
import { matchesLabels, parseLabelSelectorObject } from '../../cluster/labelSelector.js';
import type { LabelSelector } from '../../cluster/view.js';
import type { Timeline } from '../timeline.js';
import type { Deletion } from './deletion.js';
import { goneNamespace } from './newObject.js';
import { keyOf } from './objectTable.js';
import type { ObjectStore } from './objectStore.js';
import { notFound, ok, otherUid, refused, type Refused } from './refusals.js';
import { builtInDefinition } from './resourceDefinition.js';
import type { ApiEviction, Reply } from './simulatedApi.js';
import { timeText } from './storedForm.js';

const pods = builtInDefinition('pods');
const budgets = builtInDefinition('poddisruptionbudgets.policy');

/** More evicted pods than this may not be outstanding (MaxDisruptedPodSize). */
const maxDisruptedPods = 2000;

interface EvictionParts {
  readonly store: ObjectStore;
  readonly timeline: Timeline;
  readonly deletion: Deletion;
}

/**
 * Decides about an eviction in the server's order (pkg/registry/core/pod/storage/eviction.go, Create). The budget of a
 * Ready pod is debited before the UID is looked at: an eviction that was meant for a namesake costs a disruption.
 */
export function evict(parts: EvictionParts, request: ApiEviction, by: string): Reply<undefined> {
  const { store } = parts;
  const { namespace, name } = request;
  const gone = goneNamespace(store, pods, { namespace, name });
  if (gone !== undefined) return gone;
  const pod = store.find({ resource: pods, key: keyOf(namespace, name) });
  if (pod === undefined) return notFound(pods, name);
  if (needsNoBudget(pod)) return markAndDelete(parts, { pod, request, by });

  const [budget, other] = budgetsOf(store, pod);
  if (other !== undefined) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    return refused({ code: 500, reason: '', message });
  }
  if (budget === undefined) return markAndDelete(parts, { pod, request, by });
  if (!isReady(pod) && mayGoUnready(budget)) {
    const deleted = markAndDelete(parts, { pod, request, by });
    const isConflict = deleted.kind === 'refused' && deleted.status.code === 409;
    return isConflict ? stillProcessed(nameOf(budget)) : deleted;
  }
  return (
    debit(parts, { budget, pod, dryRun: request.dryRun === true, by }) ?? markAndDelete(parts, { pod, request, by })
  );
}

/** Its end disrupts nothing any more (canIgnorePDB). */
function needsNoBudget(pod: ApiObject): boolean {
  const { phase } = recordOf(pod['status']);
  const hasEnded = phase === 'Pending' || phase === 'Succeeded' || phase === 'Failed';
  return hasEnded || pod.metadata.deletionTimestamp !== undefined;
}

const selectors = new WeakMap<JsonRecord, LabelSelector>();

/** The budgets that select a pod; a selector that is not valid selects nothing. */
function budgetsOf(store: ObjectStore, pod: ApiObject): readonly ApiObject[] {
  const labels = stringMapOf(pod.metadata.labels);
  const matching: ApiObject[] = [];
  for (const budget of store.table(budgets).objects.values()) {
    if (budget.metadata.namespace !== pod.metadata.namespace) continue;
    const written = recordOf(budget['spec'])['selector'];
    if (!isRecord(written)) continue;
    const selector = selectors.get(written) ?? parseLabelSelectorObject(written);
    if (selector !== undefined) selectors.set(written, selector);
    if (matchesLabels(selector, labels)) matching.push(budget);
  }
  return matching;
}

function isReady(pod: ApiObject): boolean {
  return recordsOf(recordOf(pod['status'])['conditions']).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
}

/** Whether a pod that is not Ready may go without a debit (KEP-3017). */
function mayGoUnready(budget: ApiObject): boolean {
  if (recordOf(budget['spec'])['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return true;
  const { currentHealthy, desiredHealthy } = countsOf(budget);
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function countsOf(budget: ApiObject) {
  const status = recordOf(budget['status']);
  return {
    currentHealthy: numberOf(status['currentHealthy']) ?? 0,
    desiredHealthy: numberOf(status['desiredHealthy']) ?? 0,
    disruptionsAllowed: numberOf(status['disruptionsAllowed']) ?? 0,
    observedGeneration: numberOf(status['observedGeneration']) ?? 0,
  };
}

/** Takes one disruption from the budget and notes the pod in it, by its name; or says why not (checkAndDecrement). */
function debit(
  { store, timeline }: EvictionParts,
  request: { readonly budget: ApiObject; readonly pod: ApiObject; readonly dryRun: boolean; readonly by: string },
): Refused | undefined {
  const { budget, pod } = request;
  const name = nameOf(budget);
  const status = recordOf(budget['status']);
  const { disruptionsAllowed, observedGeneration } = countsOf(budget);
  if (observedGeneration < (budget.metadata.generation ?? 0)) return stillProcessed(name);
  if (disruptionsAllowed < 0) return forbidden(name, 'pdb disruptions allowed is negative');
  const disruptedPods = recordOf(status['disruptedPods']);
  if (Object.keys(disruptedPods).length > maxDisruptedPods) {
    return forbidden(name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) return violates({ message: whyNone(budget) });
  if (request.dryRun) return undefined;
  const time = timeText(timeline.now());
  const left = disruptionsAllowed - 1;
  const debited = {
    ...status,
    disruptionsAllowed: left,
    disruptedPods: { ...disruptedPods, [nameOf(pod)]: time },
    ...(left === 0 ? { conditions: closedConditions(budget, time) } : {}),
  };
  store.put(budgets, { ...budget, status: debited }, request.by);
  return undefined;
}

/** The conditions once nothing more may go (pkg/util/pdb UpdateDisruptionAllowedCondition). */
function closedConditions(budget: ApiObject, time: string): readonly JsonRecord[] {
  const conditions = recordsOf(recordOf(budget['status'])['conditions']);
  const former = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const closed = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    observedGeneration: countsOf(budget).observedGeneration,
    lastTransitionTime: former?.['status'] === 'False' ? former['lastTransitionTime'] : time,
  };
  return [...conditions.filter((condition) => condition !== former), closed];
}

function whyNone(budget: ApiObject): string {
  const name = nameOf(budget);
  const { currentHealthy, desiredHealthy } = countsOf(budget);
  const condition = recordsOf(recordOf(budget['status'])['conditions']).find(
    ({ type, status }) => type === 'DisruptionAllowed' && status === 'False',
  );
  const reason = stringOf(condition?.['reason']) ?? '';
  const message = stringOf(condition?.['message']) ?? '';
  const sentence = `The disruption budget ${name} does not allow evicting pods currently`;
  if (reason === 'SyncFailed') return `${sentence} because it failed sync: ${message}`;
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  return message === '' ? sentence : `${sentence} (${reason}): ${message}`;
}

/** Marks the pod as disrupted and deletes it, after its UID was compared (addConditionAndDeletePod). */
function markAndDelete(
  { store, timeline, deletion }: EvictionParts,
  { pod, request, by }: { readonly pod: ApiObject; readonly request: ApiEviction; readonly by: string },
): Reply<undefined> {
  const { uid = '' } = pod.metadata;
  if (request.uid !== undefined && request.uid !== '' && request.uid !== uid) {
    return otherUid('Pod', nameOf(pod), { asked: request.uid, found: uid });
  }
  if (request.dryRun === true) return ok(undefined);
  // Whoever hears of a write may write at once: each step goes on from what is stored now.
  const place = { resource: pods, key: keyOf(request.namespace, request.name) };
  const before = store.find(place);
  if (before === undefined) return notFound(pods, request.name);
  const target = disruptionTarget(before, timeText(timeline.now()));
  if (target !== before) store.put(pods, target, by);
  const { gracePeriodSeconds } = request;
  const wish = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  const marked = store.find(place);
  if (marked !== undefined) deletion.delete(place, marked, wish, by);
  return ok(undefined);
}

function disruptionTarget(pod: ApiObject, time: string): ApiObject {
  const status = recordOf(pod['status']);
  const conditions = recordsOf(status['conditions']);
  if (conditions.some((condition) => condition['type'] === 'DisruptionTarget' && condition['status'] === 'True')) {
    return pod;
  }
  const target = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: time,
  };
  const others = conditions.filter(({ type }) => type !== 'DisruptionTarget');
  return { ...pod, status: { ...status, conditions: [...others, target] } };
}

function stillProcessed(budget: string): Refused {
  const message = `The disruption budget ${budget} is still being processed by the server.`;
  return violates({ message, retryAfterSeconds: 10 });
}

function violates({ message, retryAfterSeconds }: { message: string; retryAfterSeconds?: number }): Refused {
  return refused({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      causes: [{ reason: 'DisruptionBudget', message }],
    },
  });
}

function forbidden(budget: string, why: string): Refused {
  return refused({
    code: 403,
    reason: 'Forbidden',
    message: `poddisruptionbudget.policy "${budget}" is forbidden: ${why}`,
    details: { kind: 'poddisruptionbudget', name: budget },
  });
}

function nameOf(object: ApiObject): string {
  return object.metadata.name ?? '';
}
