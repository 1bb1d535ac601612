import type { ApiObject } from '../cluster/clusterPort.js';
import { apiGroup } from '../run/objects.js';
import { accessObjects } from './accessRules.js';
import { customResourceDefinitions } from './customResources.js';

/** Namespace of Turnus' own objects where nobody chose another. */
export const defaultNamespace = 'turnus-system';

/** Every object that `turnus install` applies, in the order in which they must be applied. */
export function manifests(namespace: string): ApiObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...customResourceDefinitions(namespace),
    ...accessObjects(namespace),
    ...requesterPolicy(),
  ];
}

/** Who asks for a run is who the API server says they are (ValidatingAdmissionPolicy, KEP-3488). */
function requesterPolicy(): ApiObject[] {
  const name = `requester.${apiGroup}`;
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [apiGroup], apiVersions: ['*'], operations: ['CREATE'], resources: ['maintenanceruns'] },
          ],
        },
        validations: [
          {
            expression: 'object.spec.requester == request.userInfo.username',
            messageExpression: `"spec.requester must be " + request.userInfo.username + ", who creates the run"`,
            reason: 'Forbidden',
          },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}
