import type { ApiObject, WriteRequest } from '../../cluster/clusterPort.js';
import type { SeededRandom } from '../seededRandom.js';
import type { Timeline } from '../timeline.js';
import { keyOf } from './objectTable.js';
import type { ObjectStore } from './objectStore.js';
import { alreadyExists, badRequest, invalid, namespaceTerminating, notFound, ok, refused } from './refusals.js';
import { builtInDefinition, type ResourceDefinition } from './resourceDefinition.js';
import type { Reply } from './simulatedApi.js';
import { timeText, withDefaults, withoutEmptyFields } from './storedForm.js';
import { withMetadata } from './objectUpdate.js';

/** The object as the API server would store it, or why it does not (apiserver, pkg/registry/generic/registry/store.go). */
export function newObject(
  { store, timeline, random }: { store: ObjectStore; timeline: Timeline; random: SeededRandom },
  resource: ResourceDefinition,
  { namespace, object }: WriteRequest & { readonly object: ApiObject },
): Reply<ApiObject> {
  const wrong = refusedPlace(store, resource, { namespace, object });
  if (wrong !== undefined) return wrong;
  const { metadata } = object;
  if (metadata.resourceVersion !== undefined) {
    return refused({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' });
  }
  const name = metadata.name ?? freeName(store, resource, { namespace, prefix: metadata.generateName ?? '', random });
  if (name === '') return invalid(resource, '', 'metadata.name', 'Required value: name or generateName is required');
  if (!namePattern.test(name))
    return invalid(resource, name, 'metadata.name', `Invalid value: "${name}": it is no name`);
  if (store.find({ resource, key: keyOf(namespace, name) }) !== undefined) return alreadyExists(resource, name);

  const problem = specProblem(resource, object);
  if (problem !== undefined) return invalid(resource, name, 'spec', problem);
  const complete = withDefaults(resource, { ...object, apiVersion: resource.apiVersion, kind: resource.kind });
  return ok(
    withoutEmptyFields(
      resource,
      withMetadata(complete, {
        ...metadata,
        name,
        namespace,
        ...(resource.qualified === 'namespaces' ? { labels: labelledByName(metadata.labels, name) } : {}),
        uid: random.uuid(),
        creationTimestamp: timeText(timeline.now()),
        generation: resource.countsGenerations ? 1 : undefined,
        deletionTimestamp: undefined,
        deletionGracePeriodSeconds: undefined,
      }),
    ),
  );
}

/** Every Namespace carries its name as a label (pkg/apis/core/v1/defaults.go, SetDefaults_Namespace). */
function labelledByName(labels: ApiObject['metadata']['labels'], name: string): Record<string, string> {
  return { ...labels, 'kubernetes.io/metadata.name': name };
}

/** Why nothing can be created there, if so (apiserver, pkg/admission/plugin/namespace/lifecycle). */
export function refusedPlace(
  store: ObjectStore,
  resource: ResourceDefinition,
  { namespace, object }: { readonly namespace: string | undefined; readonly object: ApiObject },
) {
  const { apiVersion = resource.apiVersion, kind = resource.kind, metadata } = object;
  if (apiVersion !== resource.apiVersion || kind !== resource.kind) {
    const expected = `${resource.apiVersion}, Kind=${resource.kind}`;
    return badRequest(`the object is ${apiVersion}, Kind=${kind}; expected is ${expected}`);
  }
  if (!resource.namespaced) return namespace === undefined ? undefined : badRequest('the resource has no namespaces');
  if (namespace === undefined) return badRequest('an object of this kind needs a namespace');
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    return badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return goneNamespace(store, resource, { namespace, name: metadata.name ?? '' });
}

/** The refusal where a namespace is not there or goes. */
export function goneNamespace(
  store: ObjectStore,
  resource: ResourceDefinition,
  { namespace, name }: { readonly namespace: string; readonly name: string },
) {
  const namespaces = builtInDefinition('namespaces');
  const found = store.find({ resource: namespaces, key: namespace });
  if (found === undefined) return notFound(namespaces, namespace);
  return found.metadata.deletionTimestamp === undefined ? undefined : namespaceTerminating(resource, name, namespace);
}

const namePattern = /^[a-z0-9]([-a-z0-9.:]{0,251}[a-z0-9])?$/;

/** The letters of generated names: no vowels, nothing that looks like another (apimachinery, pkg/util/rand). */
const letters = 'bcdfghjklmnpqrstvwxz2456789'.split('');

function freeName(
  store: ObjectStore,
  resource: ResourceDefinition,
  { namespace, prefix, random }: { namespace: string | undefined; prefix: string; random: SeededRandom },
): string {
  if (prefix === '') return '';
  for (;;) {
    const name = prefix + Array.from({ length: 5 }, () => random.pick(letters)).join('');
    if (store.find({ resource, key: keyOf(namespace, name) }) === undefined) return name;
  }
}

/** The one mistake in a specification that people make by hand in a maintenance (pkg/apis/policy/validation). */
export function specProblem(resource: ResourceDefinition, object: ApiObject): string | undefined {
  const spec = object['spec'];
  if (resource.kind !== 'PodDisruptionBudget' || resource.custom || typeof spec !== 'object' || spec === null) return;
  if (!('minAvailable' in spec && 'maxUnavailable' in spec)) return;
  if (spec.minAvailable === undefined || spec.maxUnavailable === undefined) return;
  return 'Invalid value: minAvailable and maxUnavailable cannot be both set';
}
