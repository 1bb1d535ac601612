import type { ApiObject } from '../../cluster/clusterPort.js';
import { recordOf } from '../../cluster/json.js';
import { matchesLabels, parseLabelSelector } from '../../cluster/labelSelector.js';
import { badRequest, type Refused } from './refusals.js';
import type { ResourceDefinition } from './resourceDefinition.js';

/** Which objects of a resource a list or a watch is about. */
export interface Selection {
  readonly kind: 'ok';
  readonly namespace: string | undefined;
  /** The only object that can match, where the selector names it. */
  readonly name: string | undefined;
  readonly matches: (object: ApiObject) => boolean;
}

/** Reads the selectors of a list or watch (apimachinery, pkg/labels and pkg/fields). */
export function selectionOf(
  resource: ResourceDefinition,
  request: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
): Selection | Refused {
  const tests: ((object: ApiObject) => boolean)[] = [];
  const { namespace, labelSelector = '', fieldSelector = '' } = request;
  let name: string | undefined;
  if (namespace !== undefined) tests.push(({ metadata }) => metadata.namespace === namespace);
  if (labelSelector !== '') {
    const parsed = parseLabelSelector(labelSelector);
    if (parsed.kind === 'invalid') return badRequest(`unable to parse requirement: ${parsed.message}`);
    tests.push(({ metadata }) => matchesLabels(parsed.selector, metadata.labels ?? {}));
  }
  for (const part of fieldSelector === '' ? [] : fieldSelector.split(',')) {
    const requirement = /^(?<field>[^=!]+)(?<operator>==|=|!=)(?<value>.*)$/.exec(part)?.groups;
    if (requirement === undefined) return badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const { field = '', operator, value = '' } = requirement;
    if (!isSupported(resource, field)) return badRequest(`field label not supported: ${field}`);
    const path = field.split('.');
    const wantsEqual = operator !== '!=';
    if (field === 'metadata.name' && wantsEqual) name = value;
    tests.push((object) => (textAt(object, path) === value) === wantsEqual);
  }
  const [first, second] = tests;
  const matches =
    first === undefined
      ? () => true
      : second === undefined
        ? first
        : (object: ApiObject) => tests.every((test) => test(object));
  return { kind: 'ok', namespace, name, matches };
}

/** Beside name and namespace, by resource (GetAttrs and the field label conversions in pkg/apis). */
const fields: Readonly<Record<string, readonly string[]>> = {
  nodes: ['spec.unschedulable'],
  pods: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  events: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `involvedObject.${field}`,
    ),
    ...['reason', 'reportingComponent', 'type'],
  ],
};

function isSupported(resource: ResourceDefinition, field: string): boolean {
  if (field === 'metadata.name' || (field === 'metadata.namespace' && resource.namespaced)) return true;
  return resource.group === '' && (fields[resource.plural]?.includes(field) ?? false);
}

function textAt(object: ApiObject, path: readonly string[]): string {
  let value: unknown = object;
  for (const member of path) value = recordOf(value)[member];
  if (value === undefined || value === null) return path.at(-1) === 'unschedulable' ? 'false' : '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
