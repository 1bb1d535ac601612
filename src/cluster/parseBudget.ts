import { ownerReferencesOf } from './apiObject.js';
import type { ApiObject } from './clusterPort.js';
import { numberOf, recordOf, recordsOf, stringMapOf, stringOf, timeOf, type JsonRecord } from './json.js';
import { parseLabelSelectorObject } from './labelSelector.js';
import type { BudgetView } from './view.js';

/** A policy/v1 PodDisruptionBudget as a BudgetView. */
export function parseBudget(object: ApiObject): BudgetView {
  const { metadata } = object;
  const spec = recordOf(object['spec']);
  const status = recordOf(object['status']);
  return {
    namespace: stringOf(metadata.namespace) ?? '',
    name: stringOf(metadata.name) ?? '',
    uid: stringOf(metadata.uid) ?? '',
    labels: stringMapOf(metadata.labels),
    generation: numberOf(metadata.generation) ?? 0,
    selector: parseLabelSelectorObject(spec['selector']),
    minAvailable: countOf(spec['minAvailable']),
    maxUnavailable: countOf(spec['maxUnavailable']),
    unhealthyPodEvictionPolicy:
      spec['unhealthyPodEvictionPolicy'] === 'AlwaysAllow' ? 'AlwaysAllow' : 'IfHealthyBudget',
    managedBy: managedByOf(object),
    status: {
      observedGeneration: numberOf(status['observedGeneration']) ?? 0,
      disruptionsAllowed: numberOf(status['disruptionsAllowed']) ?? 0,
      currentHealthy: numberOf(status['currentHealthy']) ?? 0,
      desiredHealthy: numberOf(status['desiredHealthy']) ?? 0,
      expectedPods: numberOf(status['expectedPods']) ?? 0,
      disruptedPods: disruptedPodsOf(recordOf(status['disruptedPods'])),
      syncFailure: syncFailureOf(recordsOf(status['conditions'])),
    },
  };
}

function countOf(value: unknown): number | string | undefined {
  return numberOf(value) ?? stringOf(value);
}

/** The custom kind that owns the budget. Owners of Kubernetes' own groups do not run budgets. */
function managedByOf(object: ApiObject): string | undefined {
  const custom = ownerReferencesOf(object).filter(({ apiVersion }) => {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    return group.includes('.') && !group.endsWith('.k8s.io');
  });
  return (custom.find((owner) => owner.controller === true) ?? custom[0])?.kind;
}

function disruptedPodsOf(pods: JsonRecord): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(pods).flatMap(([name, time]) => {
      const acceptedAt = timeOf(time);
      return acceptedAt === undefined ? [] : [[name, acceptedAt] as const];
    }),
  );
}

/** pkg/controller/disruption/disruption.go, failSafe. */
function syncFailureOf(conditions: readonly JsonRecord[]): string | undefined {
  const failed = conditions.find(
    (condition) =>
      condition['type'] === 'DisruptionAllowed' &&
      condition['status'] === 'False' &&
      condition['reason'] === 'SyncFailed',
  );
  return failed === undefined ? undefined : (stringOf(failed['message']) ?? 'SyncFailed');
}
