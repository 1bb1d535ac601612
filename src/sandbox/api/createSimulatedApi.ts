import type { ApiObject, ListRequest, ObjectRequest, Resource, WriteRequest } from '../../cluster/clusterPort.js';
import { isApiObject } from '../../cluster/apiObject.js';
import { recordOf } from '../../cluster/json.js';
import type { SeededRandom } from '../seededRandom.js';
import type { Timeline } from '../timeline.js';
import { Deletion } from './deletion.js';
import { evict } from './evictionHandler.js';
import { applyJsonPatch } from './jsonPatch.js';
import { listPage } from './listPage.js';
import { applyConfiguration, applyMergePatch, applyStrategicPatch } from './mergePatch.js';
import { newObject, specProblem } from './newObject.js';
import { ObjectStore, type Place } from './objectStore.js';
import { keyOf } from './objectTable.js';
import { updatedObject, withMetadata } from './objectUpdate.js';
import * as no from './refusals.js';
import {
  builtInDefinition,
  builtInDefinitions,
  customDefinitions,
  establishedStatus,
  type ResourceDefinition,
} from './resourceDefinition.js';
import { sameJson } from './sameJson.js';
import { applyScale, scaleOf } from './scale.js';
import { answerReview } from './selfReview.js';
import type { ApiPatch, DeleteRequest, Reply, SimulatedApi } from './simulatedApi.js';
import { timeText } from './storedForm.js';
import { watch } from './watch.js';

export interface SimulatedApiOptions {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  /** UID of the namespace kube-system, which identifies the cluster. */
  readonly clusterUid?: string;
  /** Changes a resource that are remembered for watches and continue tokens; 1000. */
  readonly historyLength?: number;
  /** Called before each get and list, so that objects which change all the time can be written only when looked at. */
  readonly beforeRead?: (request: ObjectRequest | ListRequest) => void;
}

const crds = builtInDefinition('customresourcedefinitions.apiextensions.k8s.io');
const apiServer = 'system:apiserver';

/** An API server with the namespaces that every cluster has. */
export function createSimulatedApi(options: SimulatedApiOptions): SimulatedApi {
  const { timeline, random, beforeRead } = options;
  const store = new ObjectStore(options.historyLength ?? 1000);
  const served = new Map(builtInDefinitions.map((definition) => [servedName(definition), definition]));
  const deletion = new Deletion(store, timeline);
  const parts = { store, timeline, random, deletion };

  let known = new WeakMap<Resource, ResourceDefinition>();
  /** Who asks names the same few resources all the time. */
  const definitionOf = (resource: Resource): ResourceDefinition | undefined => {
    const definition = known.get(resource) ?? served.get(servedName(resource));
    if (definition !== undefined) known.set(resource, definition);
    return definition;
  };

  const serve = (crd: ApiObject): ApiObject => {
    known = new WeakMap();
    for (const definition of customDefinitions(crd)) served.set(servedName(definition), definition);
    return { ...crd, status: establishedStatus(crd, timeText(timeline.now())) };
  };
  const stopServing = (crd: ApiObject): void => {
    known = new WeakMap();
    for (const definition of customDefinitions(crd)) {
      served.delete(servedName(definition));
      for (const [key, object] of [...store.table(definition).objects]) {
        store.remove({ resource: definition, key }, object, apiServer);
      }
    }
  };

  const find = (request: Target): Reply<Found> => {
    const resource = definitionOf(request.resource);
    if (resource === undefined || resource.onlyAnswers) return no.notServed();
    const { subresource } = request;
    if (subresource !== undefined && !resource.subresources.includes(subresource)) return no.notServed();
    if (resource.namespaced !== (request.namespace !== undefined)) return no.notServed();
    const place = { resource, key: keyOf(request.namespace, request.name) };
    const object = store.find(place);
    return object === undefined ? no.notFound(resource, request.name) : no.ok({ place, object });
  };

  /** Stores what an update has made of an object. */
  const change = (
    { place, object: current }: Found,
    update: { wanted: ApiObject; method: 'replace' | 'patch'; request: WriteRequest; by: string },
  ): Reply<ApiObject> => {
    const { subresource, dryRun } = update.request;
    const made = updatedObject(place.resource, { ...update, current, subresource });
    if (made.kind === 'refused' || made.value === current || dryRun === true) return made;
    const problem = specProblem(place.resource, made.value);
    if (problem !== undefined) return no.invalid(place.resource, current.metadata.name ?? '', 'spec', problem);
    const isNewSpec = place.resource === crds && !sameJson(made.value['spec'], current['spec']);
    const stored = store.put(place.resource, isNewSpec ? serve(made.value) : made.value, update.by);
    const latest = store.find(place);
    if (latest !== undefined) deletion.finishDeletion(place, latest, update.by);
    return no.ok(stored);
  };

  const create: SimulatedApi['create'] = (request, by) => {
    const resource = definitionOf(request.resource);
    if (resource === undefined) return no.notServed();
    if (request.subresource !== undefined) return bind(request, by);
    if (resource.onlyAnswers) return no.ok(answerReview(request.object, by, timeText(timeline.now())));
    const made = newObject(parts, resource, request);
    if (made.kind === 'refused' || request.dryRun === true) return made;
    const stored = store.put(resource, resource === crds ? serve(made.value) : made.value, by);
    return no.ok(stored);
  };

  /** The scheduler's word where a pod goes (`pods/binding`). */
  const bind: SimulatedApi['create'] = ({ object, ...request }, by) => {
    const name = object.metadata.name ?? '';
    if (request.subresource !== 'binding') return no.notServed();
    const found = find({ ...request, name });
    if (found.kind === 'refused') return found;
    const { place, object: pod } = found.value;
    const spec = recordOf(pod['spec']);
    const node = recordOf(object['target'])['name'];
    if ((spec['nodeName'] ?? '') !== '') {
      return no.conflict('pods/binding', name, `pod ${name} is already assigned to node "${String(spec['nodeName'])}"`);
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      return no.conflict('pods/binding', name, `pod ${name} is being deleted, cannot be assigned to a host`);
    }
    return no.ok(
      request.dryRun === true ? pod : store.put(place.resource, { ...pod, spec: { ...spec, nodeName: node } }, by),
    );
  };

  const replace: SimulatedApi['replace'] = ({ object, ...request }, by) => {
    const found = find({ ...request, name: object.metadata.name ?? '' });
    if (found.kind === 'refused') return found;
    if (request.subresource === 'scale') return rescale(found.value, object, request, by);
    return change(found.value, { wanted: object, method: 'replace', request, by });
  };

  const rescale = (found: Found, scale: ApiObject, request: WriteRequest, by: string): Reply<ApiObject> => {
    const { resource } = found.place;
    const wanted = applyScale(resource, found.object, scale);
    const { subresource: _scale, ...place } = request;
    const changed = change(found, { wanted, method: 'patch', request: place, by });
    return changed.kind === 'refused' ? changed : no.ok(scaleOf(resource, changed.value));
  };

  const patch: SimulatedApi['patch'] = (request, by) => {
    const { name, patch: asked, ...place } = request;
    const found = find(request);
    if (found.kind === 'refused') {
      const isNew = found.status.code === 404 && found.status.details?.name === name;
      return asked.type === 'apply' && isNew && request.subresource === undefined
        ? createApplied(request, asked.body, by)
        : found;
    }
    const { resource } = found.value.place;
    if (asked.type === 'strategic' && resource.custom) {
      return no.refused({
        code: 415,
        reason: 'UnsupportedMediaType',
        message:
          'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
      });
    }
    const isScale = request.subresource === 'scale';
    const wanted = patched(isScale ? scaleOf(resource, found.value.object) : found.value.object, asked);
    if (wanted === undefined) return no.patchDoesNotApply();
    if (isScale) return rescale(found.value, wanted, place, by);
    return change(found.value, { wanted, method: 'patch', request: place, by });
  };

  const createApplied = (request: WriteRequest & { name: string }, body: ApiObject, by: string): Reply<ApiObject> => {
    const { resource, namespace, dryRun } = request;
    const object = withMetadata(body, { ...body.metadata, name: request.name });
    return create(
      {
        resource,
        object,
        ...(namespace === undefined ? {} : { namespace }),
        ...(dryRun === undefined ? {} : { dryRun }),
      },
      by,
    );
  };

  const remove = (request: DeleteRequest, by: string): Reply<ApiObject> => {
    const found = find(request);
    if (found.kind === 'refused') return found;
    const { place, object } = found.value;
    const { uid = '' } = object.metadata;
    if (request.uid !== undefined && request.uid !== '' && request.uid !== uid) {
      const { kind, group } = place.resource;
      return no.otherUid(group === '' ? kind : `${kind}.${group}`, request.name, { asked: request.uid, found: uid });
    }
    if (request.dryRun === true) return no.ok(object);
    const deleted = deletion.delete(place, object, request, by);
    if (place.resource === crds) stopServing(object);
    return no.ok(deleted);
  };

  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    const resource = builtInDefinition('namespaces');
    const made = newObject(parts, resource, {
      resource,
      object: { metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } },
    });
    if (made.kind === 'refused') throw new Error(made.status.message);
    const uid = name === 'kube-system' ? (options.clusterUid ?? made.value.metadata.uid) : made.value.metadata.uid;
    store.put(resource, withMetadata(made.value, { ...made.value.metadata, uid }), apiServer);
  }

  return {
    get(request) {
      beforeRead?.(request);
      const found = find(request);
      if (found.kind === 'refused') return found;
      const { place, object } = found.value;
      return no.ok(request.subresource === 'scale' ? scaleOf(place.resource, object) : object);
    },
    list(request) {
      const resource = definitionOf(request.resource);
      if (resource === undefined) return no.notServed();
      if (resource.onlyAnswers) return no.methodNotAllowed();
      beforeRead?.(request);
      return listPage(store, resource, request);
    },
    watch(request, listener) {
      const resource = definitionOf(request.resource);
      if (resource === undefined) return no.notServed();
      return resource.onlyAnswers ? no.methodNotAllowed() : watch(store, resource, request, listener);
    },
    create,
    replace,
    patch,
    delete: remove,
    evict: (request, by) => evict(parts, request, by),
    served: () => [...served.values()],
    observe: (listener) => store.observe(listener),
    version: () => String(store.version),
    compact: () => {
      store.forgetHistory();
    },
  };
}

interface Found {
  readonly place: Place;
  readonly object: ApiObject;
}

interface Target {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
}

function servedName(resource: Resource): string {
  return `${resource.plural}.${resource.group}/${resource.version}`;
}

function patched(object: ApiObject, patch: ApiPatch): ApiObject | undefined {
  switch (patch.type) {
    case 'json':
      return applyJsonPatch(object, patch.operations);
    case 'merge':
      return objectOf(applyMergePatch(object, patch.body));
    case 'strategic':
      return objectOf(applyStrategicPatch(object, patch.body));
    case 'apply':
      return objectOf(applyConfiguration(object, patch.body));
  }
}

function objectOf(value: unknown): ApiObject | undefined {
  return isApiObject(value) ? value : undefined;
}
