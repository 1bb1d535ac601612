import type { ApiObject } from '../cluster/clusterPort.js';
import { admissionPolicy, ownName } from './admissionPolicy.js';
import { accessObjects, type AccessExtra } from './accessRules.js';
import { customResourceDefinitions } from './customResources.js';
import { triggerPolicy } from './triggerPolicy.js';

/** Namespace of Turnus' own objects where nobody chose another. */
export const defaultNamespace = 'turnus-system';

/** Every object that `turnus install` applies, in the order in which they must be applied. */
export function manifests(namespace: string, extras: readonly AccessExtra[] = []): ApiObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...customResourceDefinitions(namespace),
    ...accessObjects(namespace, extras),
    ...requesterPolicy(),
    ...triggerPolicy(),
  ];
}

/**
 * Who asks for a run, or for something of a run, is who the API server says they are (ValidatingAdmissionPolicy,
 * KEP-3488). A `by` may be absent, as when a person edits by hand, but never false. What was asked is not altered
 * afterwards, because it would then stand there under the name of somebody else; it may be removed.
 */
function requesterPolicy(): ApiObject[] {
  return admissionPolicy({
    name: 'requester',
    resource: 'maintenanceruns',
    variables: [
      { name: 'names', expression: `['', ${ownName}]` },
      { name: 'state', expression: stateAndAsker('object') },
      { name: 'stateBefore', expression: `request.operation == 'CREATE' ? [] : ${stateAndAsker('oldObject')}` },
      { name: 'requests', expression: requestsOf('object') },
      { name: 'requestsBefore', expression: `request.operation == 'CREATE' ? [] : ${requestsOf('oldObject')}` },
    ],
    validations: [
      {
        expression: `request.operation != 'CREATE' || object.spec.requester == ${ownName}`,
        messageExpression: `"spec.requester must be " + ${ownName} + ", who creates the run"`,
      },
      {
        expression: `variables.state == variables.stateBefore || object.spec.?desired.?by.orValue('') in variables.names`,
        messageExpression: `"spec.desired.by must be " + ${ownName} + ", who asks for the state, or absent"`,
      },
      {
        expression:
          "variables.requests.all(r, variables.requestsBefore.exists(b, b.id == r.id) || r.?by.orValue('') in variables.names)",
        messageExpression: `"the field by of a new request in spec.desired.requests must be " + ${ownName} + ", who adds it, or absent"`,
      },
      {
        expression:
          'variables.requests.all(r, variables.requestsBefore.exists(b, b == r) || !variables.requestsBefore.exists(b, b.id == r.id))',
        message:
          'a request that stands in spec.desired.requests may be removed, but not altered; add one with another id',
      },
    ],
  });
}

/** What `by` answers for: the state, the name itself, and the reason. */
function stateAndAsker(object: 'object' | 'oldObject'): string {
  const fields = ['state', 'by', 'reason'].map((field) => `${object}.spec.?desired.?${field}.orValue('')`);
  return `[${fields.join(', ')}]`;
}

function requestsOf(object: 'object' | 'oldObject'): string {
  return `${object}.spec.?desired.?requests.orValue([])`;
}
