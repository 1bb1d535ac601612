import type { ApiObject, Resource } from '../../cluster/clusterPort.js';
import type { JsonRecord } from '../../cluster/json.js';
import { sameJson } from '../api/sameJson.js';
import type { DeleteRequest, Reply, SimulatedApi } from '../api/simulatedApi.js';

/**
 * How a controller writes. What has changed or gone meanwhile is refused, and no matter: its next event brings the
 * controller back to it.
 */
export interface Writer {
  create(resource: Resource, object: ApiObject): Reply<ApiObject>;
  /** Replaces the status, unless it is that already. */
  status(resource: Resource, object: ApiObject, status: JsonRecord): void;
  merge(resource: Resource, object: ApiObject, body: JsonRecord): void;
  delete(
    resource: Resource,
    object: ApiObject,
    options?: Pick<DeleteRequest, 'gracePeriodSeconds' | 'propagationPolicy'>,
  ): void;
}

/** A writer that is known to the API server as `by`. */
export function writerAs(api: SimulatedApi, by: string): Writer {
  return {
    create: (resource, object) => api.create({ resource, ...namespaceOf(object), object }, by),
    status(resource, object, status) {
      if (sameJson(object['status'], status)) return;
      api.replace({ resource, ...namespaceOf(object), subresource: 'status', object: { ...object, status } }, by);
    },
    merge(resource, object, body) {
      const name = object.metadata.name ?? '';
      api.patch({ resource, ...namespaceOf(object), name, patch: { type: 'merge', body } }, by);
    },
    delete(resource, object, options = {}) {
      const { name = '', uid } = object.metadata;
      const precondition = uid === undefined ? {} : { uid };
      api.delete({ resource, ...namespaceOf(object), name, ...precondition, ...options }, by);
    },
  };
}

/** One of the controllers of kube-controller-manager. */
export function controllerName(controller: string): string {
  return `system:serviceaccount:kube-system:${controller}`;
}

function namespaceOf({ metadata: { namespace } }: ApiObject): { namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}
