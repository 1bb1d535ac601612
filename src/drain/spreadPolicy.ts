import { matchesLabels } from '../cluster/labelSelector.js';
import type { ClusterView } from '../cluster/view.js';
import type { GatesPolicy } from '../playbook/playbook.js';

/** `spec.gates.replicaSpread` with what `spec.gates.overrides` says otherwise for some namespaces. */
export type SpreadPolicy = GatesPolicy['replicaSpread'];

type SpreadField = 'minReadyElsewhere' | 'singletons';

/** What holds for the owners of one namespace, and the field of the playbook that says so, for messages. */
export interface NamespaceSpread {
  readonly minReadyElsewhere: SpreadPolicy['minReadyElsewhere'];
  readonly singletons: SpreadPolicy['singletons'];
  /** For example `spec.gates.overrides[0].singletons`. */
  readonly saidBy: Readonly<Record<SpreadField, string>>;
}

/**
 * The spread that a namespace's owners keep. Each field comes from the first override that gives it and whose labels
 * the Namespace object carries, else from `spec.gates.replicaSpread`. Everything that decides about spread or
 * singletons asks here.
 */
export function spreadPolicyFor({
  policy,
  view,
  namespace,
}: {
  readonly policy: SpreadPolicy;
  readonly view: Pick<ClusterView, 'namespaces'>;
  readonly namespace: string;
}): NamespaceSpread {
  const { overrides = [] } = policy;
  const labels = view.namespaces.get(namespace)?.labels ?? {};
  const deciding = (field: SpreadField): number =>
    overrides.findIndex(
      (override) =>
        override[field] !== undefined &&
        matchesLabels({ matchLabels: override.namespaces, matchExpressions: [] }, labels),
    );
  const saidBy = (field: SpreadField): string => {
    const index = deciding(field);
    return index < 0 ? `spec.gates.replicaSpread.${field}` : `spec.gates.overrides[${String(index)}].${field}`;
  };
  return {
    minReadyElsewhere: overrides[deciding('minReadyElsewhere')]?.minReadyElsewhere ?? policy.minReadyElsewhere,
    singletons: overrides[deciding('singletons')]?.singletons ?? policy.singletons,
    saidBy: { minReadyElsewhere: saidBy('minReadyElsewhere'), singletons: saidBy('singletons') },
  };
}
