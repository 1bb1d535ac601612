import type { ApiObject } from '../cluster/clusterPort.js';
import { apiGroup } from '../run/objects.js';

/** The user who writes, as the API server knows them (CEL). */
export const ownName = 'request.userInfo.username';

/**
 * A ValidatingAdmissionPolicy (KEP-3488) about who creates and changes objects of ours, with the binding that puts it into
 * force. Where it cannot be evaluated, nothing is let through.
 */
export function admissionPolicy(policy: {
  /** Before `.turnus.dev`. */
  readonly name: string;
  /** Plural name. */
  readonly resource: string;
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  /** What is told: `messageExpression` in CEL, or `message` as it is. */
  readonly validations: readonly {
    readonly expression: string;
    readonly messageExpression?: string;
    readonly message?: string;
  }[];
}): ApiObject[] {
  const name = `${policy.name}.${apiGroup}`;
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [apiGroup],
              apiVersions: ['*'],
              operations: ['CREATE', 'UPDATE'],
              resources: [policy.resource],
            },
          ],
        },
        variables: policy.variables,
        validations: policy.validations.map((validation) => ({ ...validation, reason: 'Forbidden' })),
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
