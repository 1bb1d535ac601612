import type { ApiAnswer, ApiFailure, ClusterPort } from './clusterPort.js';
import { inParallel } from './inParallel.js';
import { recordOf, stringOf } from './json.js';
import { resources } from './resources.js';

/** One thing that we must be allowed to do. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  /** Plural name, for example `pods`. */
  readonly resource: string;
  /** For example `eviction`. */
  readonly subresource?: string;
  /** Absent: in all namespaces, or the resource has none. */
  readonly namespace?: string;
  readonly name?: string;
}

export interface MissingPermission {
  readonly permission: Permission;
  /** The authorizer's own words; often empty. */
  readonly reason: string;
}

const parallelReviews = 4;

/** Asks the API server (SelfSubjectAccessReview) which of the wanted permissions we do not have. Stores nothing. */
export async function missingPermissions(request: {
  readonly cluster: ClusterPort;
  readonly wanted: readonly Permission[];
  readonly signal: AbortSignal;
}): Promise<ApiAnswer<readonly MissingPermission[]>> {
  const { cluster, wanted, signal } = request;
  let failure: ApiFailure | undefined;
  const reviewed = await inParallel(wanted, parallelReviews, async (permission) => {
    if (failure !== undefined) return [];
    const answer = await cluster.create({ resource: resources.accessReviews, object: reviewOf(permission) }, signal);
    if (answer.kind !== 'ok') {
      failure = answer;
      return [];
    }
    const status = recordOf(answer.value['status']);
    return status['allowed'] === true ? [] : [{ permission, reason: stringOf(status['reason']) ?? '' }];
  });
  return failure ?? { kind: 'ok', value: reviewed.flat() };
}

/** A permission as people and RBAC rules write it, for example `create pods/eviction`. */
export function describePermission({ verb, group, resource, subresource, namespace, name }: Permission): string {
  const what = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${what}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}

function reviewOf({ verb, group, resource, subresource, namespace, name }: Permission) {
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: {},
    spec: {
      resourceAttributes: {
        verb,
        group,
        resource,
        ...(subresource === undefined ? {} : { subresource }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(name === undefined ? {} : { name }),
      },
    },
  };
}
