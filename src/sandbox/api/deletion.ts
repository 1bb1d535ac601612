import type { ApiObject } from '../../cluster/clusterPort.js';
import { ownerReferencesOf } from '../../cluster/apiObject.js';
import { numberOf, recordOf } from '../../cluster/json.js';
import type { Timeline } from '../timeline.js';
import type { ObjectStore, Place } from './objectStore.js';
import { withMetadata } from './objectUpdate.js';
import { builtInDefinition } from './resourceDefinition.js';
import type { DeleteRequest } from './simulatedApi.js';
import { timeText } from './storedForm.js';

const pods = builtInDefinition('pods');
const namespaces = builtInDefinition('namespaces');
const garbageCollector = 'system:serviceaccount:kube-system:generic-garbage-collector';
const namespaceController = 'system:serviceaccount:kube-system:namespace-controller';

/** Takes objects away: gracefully, after their finalizers, and with what they own. */
export class Deletion {
  readonly #store: ObjectStore;
  readonly #timeline: Timeline;

  constructor(store: ObjectStore, timeline: Timeline) {
    this.#store = store;
    this.#timeline = timeline;
  }

  /**
   * Deletes (apiserver, pkg/registry/rest/delete.go, BeforeDelete); answers the object as it is then. The garbage
   * collector and the namespace controller are at once; in the foreground is the same as in the background.
   */
  delete(
    place: Place,
    object: ApiObject,
    wish: Pick<DeleteRequest, 'gracePeriodSeconds' | 'propagationPolicy'>,
    by: string,
  ): ApiObject {
    if (place.resource === namespaces) return this.#deleteNamespace(place, object, by);
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds: former = 0, finalizers = [] } = object.metadata;
    if (wish.propagationPolicy === 'Orphan') {
      for (const dependent of this.#store.dependentsOf(uid)) this.#dropOwner(dependent, uid);
    }
    const now = this.#timeline.now();
    const grace = place.resource === pods ? graceOf(object, wish.gracePeriodSeconds) : 0;
    const goes = grace === 0 && finalizers.length === 0;
    if (goes && place.resource !== pods) return this.#remove(place, object, by);
    // A grace period that runs can only become shorter.
    if (deletionTimestamp !== undefined && grace >= former && !goes) return object;
    const endsAt =
      deletionTimestamp === undefined ? now + grace * 1000 : Date.parse(deletionTimestamp) - (former - grace) * 1000;
    const marked = this.#marked(object, endsAt, grace);
    return goes ? this.#remove(place, marked, by) : this.#store.put(place.resource, marked, by);
  }

  /** Removes an object whose deletion waited only for its finalizers. */
  finishDeletion(place: Place, object: ApiObject, by: string): void {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0 || finalizers.length > 0) return;
    if (place.resource === namespaces && this.#store.placesIn(place.key).length > 0) return;
    this.#remove(place, object, by);
  }

  #marked(object: ApiObject, endsAt: number, grace: number): ApiObject {
    const { generation = 0, deletionTimestamp } = object.metadata;
    return withMetadata(object, {
      ...object.metadata,
      deletionTimestamp: timeText(endsAt),
      deletionGracePeriodSeconds: grace,
      ...(generation > 0 && deletionTimestamp === undefined ? { generation: generation + 1 } : {}),
    });
  }

  #remove(place: Place, object: ApiObject, by: string): ApiObject {
    const { uid = '', namespace = '' } = object.metadata;
    this.#store.remove(place, object, by);
    for (const dependent of this.#store.dependentsOf(uid)) this.#collect(dependent, uid);
    const around = { resource: namespaces, key: namespace };
    const ending = this.#store.find(around);
    if (ending !== undefined) this.finishDeletion(around, ending, namespaceController);
    return object;
  }

  /** Deletes an object unless another of its owners stays; then only the reference to `goneOwner` goes. */
  #collect(dependent: string, goneOwner: string): void {
    const found = this.#find(dependent);
    if (found === undefined) return;
    const others = ownerReferencesOf(found.object).filter(({ uid }) => uid !== goneOwner);
    if (others.some(({ uid }) => this.#store.placeOf(uid) !== undefined)) this.#dropOwner(dependent, goneOwner);
    else if (found.object.metadata.deletionTimestamp === undefined) {
      this.delete(found.place, found.object, {}, garbageCollector);
    }
  }

  #dropOwner(dependent: string, owner: string): void {
    const found = this.#find(dependent);
    if (found === undefined) return;
    const { metadata } = found.object;
    const ownerReferences = metadata.ownerReferences?.filter(({ uid }) => uid !== owner);
    this.#store.put(
      found.place.resource,
      withMetadata(found.object, { ...metadata, ownerReferences }),
      garbageCollector,
    );
  }

  #find(uid: string): { readonly place: Place; readonly object: ApiObject } | undefined {
    const place = this.#store.placeOf(uid);
    const object = place === undefined ? undefined : this.#store.find(place);
    return place === undefined || object === undefined ? undefined : { place, object };
  }

  #deleteNamespace(place: Place, object: ApiObject, by: string): ApiObject {
    if (object.metadata.deletionTimestamp !== undefined) return object;
    const status = { ...recordOf(object['status']), phase: 'Terminating' };
    const marked = this.#marked({ ...object, status }, this.#timeline.now(), 0);
    const stored = this.#store.put(namespaces, marked, by);
    for (const content of this.#store.placesIn(place.key)) {
      const member = this.#store.find(content);
      if (member !== undefined) this.delete(content, member, {}, namespaceController);
    }
    if (this.#store.find(place) !== undefined) this.finishDeletion(place, stored, namespaceController);
    return stored;
  }
}

/** Seconds that a pod has to end (pkg/registry/core/pod/strategy.go, CheckGracefulDelete). */
function graceOf(pod: ApiObject, asked: number | undefined): number {
  const spec = recordOf(pod['spec']);
  const { phase } = recordOf(pod['status']);
  if ((spec['nodeName'] ?? '') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = pod.metadata.deletionGracePeriodSeconds ?? numberOf(spec['terminationGracePeriodSeconds']) ?? 30;
  const grace = asked ?? own;
  return grace < 0 ? 1 : grace;
}
