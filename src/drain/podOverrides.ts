import { matchesLabels, parseLabelSelector } from '../cluster/labelSelector.js';
import type { ClusterView, PodView } from '../cluster/view.js';
import type { DrainPolicy } from '../playbook/playbook.js';

/** The entry of `spec.drain.overrides` that decides about a pod. */
export interface PodOverride {
  readonly do: DrainPolicy['overrides'][number]['do'];
  /** Where it stands in the playbook: `spec.drain.overrides[0]`. */
  readonly name: string;
}

/** The first entry that means the pod, by the labels of its namespace and its own; undefined where none does. */
export function overrideOf(
  pod: PodView,
  { view, overrides }: { readonly view: Pick<ClusterView, 'namespaces'>; readonly overrides: DrainPolicy['overrides'] },
): PodOverride | undefined {
  const namespace = view.namespaces.get(pod.namespace)?.labels ?? {};
  const index = overrides.findIndex(({ namespaces, selector }) => {
    const parsed = parseLabelSelector(selector);
    return (
      parsed.kind === 'ok' &&
      matchesLabels(parsed.selector, pod.labels) &&
      matchesLabels({ matchLabels: namespaces, matchExpressions: [] }, namespace)
    );
  });
  const override = overrides[index];
  return override && { do: override.do, name: `spec.drain.overrides[${String(index)}]` };
}
