import { isRecord, recordsOf, stringOf, stringsOf } from './json.js';
import type { NodeRequirement, NodeSelectorTerm, NodeView, PodView } from './view.js';

type NodeLabels = Pick<NodeView, 'name' | 'labels'>;

/**
 * Whether a node is among those that the terms select, as the scheduler and the volume binder decide
 * (staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity): one term suffices, a term without
 * requirements selects nothing. An operator that we do not know selects nothing either.
 */
export function selectsNode(terms: readonly NodeSelectorTerm[], node: NodeLabels): boolean {
  return terms.some(
    ({ labels, fields }) =>
      labels.length + fields.length > 0 &&
      labels.every((requirement) => meets(requirement, labelOf(node, requirement.key))) &&
      fields.every((requirement) => requirement.key === 'metadata.name' && meets(requirement, node.name)),
  );
}

/** Whether the pod's node selector and required node affinity let it run on the node. */
export function admitsNode(pod: Pick<PodView, 'nodeSelector' | 'nodeAffinity'>, node: NodeLabels): boolean {
  return (
    Object.entries(pod.nodeSelector).every(([key, value]) => labelOf(node, key) === value) &&
    (pod.nodeAffinity === undefined || selectsNode(pod.nodeAffinity, node))
  );
}

/** A NodeSelector of the API; undefined where there is none. */
export function parseNodeSelector(value: unknown): readonly NodeSelectorTerm[] | undefined {
  if (!isRecord(value)) return undefined;
  return recordsOf(value['nodeSelectorTerms']).map((term) => ({
    labels: requirementsOf(term['matchExpressions']),
    fields: requirementsOf(term['matchFields']),
  }));
}

function requirementsOf(value: unknown): readonly NodeRequirement[] {
  return recordsOf(value).map((requirement) => ({
    key: stringOf(requirement['key']) ?? '',
    operator: stringOf(requirement['operator']) ?? '',
    values: stringsOf(requirement['values']),
  }));
}

function labelOf({ labels }: NodeLabels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function meets({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compared(value, values, (left, right) => left > right);
    case 'Lt':
      return compared(value, values, (left, right) => left < right);
    default:
      return false;
  }
}

/** Gt and Lt compare integers; anything else does not match. */
function compared(
  value: string | undefined,
  [bound]: readonly string[],
  holds: (left: bigint, right: bigint) => boolean,
): boolean {
  const left = integerOf(value);
  const right = integerOf(bound);
  return left !== undefined && right !== undefined && holds(left, right);
}

function integerOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
}
