import type { ApiObject } from '../cluster/clusterPort.js';
import { triggerAnnotations } from '../run/trigger.js';
import { admissionPolicy, ownName } from './admissionPolicy.js';

/**
 * Who triggers a run of a playbook is who the API server says they are: the annotations of a trigger change only with
 * a new id, and a new id only under the own name. Taking all of them away is allowed to whoever may write the playbook.
 */
export function triggerPolicy(): ApiObject[] {
  const { id, by, ...others } = triggerAnnotations;
  const rest = [by, ...Object.values(others)];
  const none = `[${rest.map(() => "''").join(', ')}]`;
  return admissionPolicy({
    name: 'trigger',
    resource: 'playbooks',
    variables: [
      { name: 'id', expression: annotation('object', id) },
      { name: 'by', expression: annotation('object', by) },
      { name: 'rest', expression: annotations('object', rest) },
      { name: 'idBefore', expression: `request.operation == 'CREATE' ? '' : ${annotation('oldObject', id)}` },
      {
        name: 'restBefore',
        expression: `request.operation == 'CREATE' ? ${none} : ${annotations('oldObject', rest)}`,
      },
    ],
    validations: [
      {
        expression: `variables.id == variables.idBefore || variables.id == '' || variables.by == ${ownName}`,
        messageExpression: `"annotation ${by} must be " + ${ownName} + ", who changes ${id}"`,
      },
      {
        expression: `variables.id != '' || variables.rest == ${none}`,
        message: `${rest.join(', ')} mean nothing without ${id}; take them away with it`,
      },
      {
        expression: 'variables.id != variables.idBefore || variables.rest == variables.restBefore',
        message: `the annotations of a trigger change only with a new ${id}`,
      },
    ],
  });
}

function annotation(object: 'object' | 'oldObject', name: string): string {
  return `${object}.metadata.?annotations[?'${name}'].orValue('')`;
}

function annotations(object: 'object' | 'oldObject', names: readonly string[]): string {
  return `[${names.map((name) => annotation(object, name)).join(', ')}]`;
}
