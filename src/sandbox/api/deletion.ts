import type { ApiObject } from '../../cluster/clusterPort.js';
import { ownerReferencesOf } from '../../cluster/apiObject.js';
import { numberOf, recordOf } from '../../cluster/json.js';
import type { Timeline } from '../timeline.js';
import type { ObjectStore, Place } from './objectStore.js';
import { withMetadata } from './objectUpdate.js';
import { builtInDefinition, tableName } from './resourceDefinition.js';
import { timeText } from './storedForm.js';

/** How an object is to be deleted. */
export interface DeletionWish {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

const garbageCollector = 'system:serviceaccount:kube-system:generic-garbage-collector';
const namespaceController = 'system:serviceaccount:kube-system:namespace-controller';

/** Until the garbage collector finds an object whose owners never were, or are gone. */
const absentOwnerMs = 1000;

/** Takes objects away: gracefully, after their finalizers, and with what they own. */
export class Deletion {
  readonly #store: ObjectStore;
  readonly #timeline: Timeline;
  readonly #removed: (place: Place, object: ApiObject) => void;

  /** `removed` hears of each object that is gone. */
  constructor(options: {
    readonly store: ObjectStore;
    readonly timeline: Timeline;
    readonly removed: (place: Place, object: ApiObject) => void;
  }) {
    this.#store = options.store;
    this.#timeline = options.timeline;
    this.#removed = options.removed;
  }

  /** Deletes (apiserver, pkg/registry/rest/delete.go, BeforeDelete); answers the object as it is then. */
  delete(place: Place, object: ApiObject, wish: DeletionWish, by: string): ApiObject {
    const { metadata } = object;
    if (tableName(place.resource) === 'namespaces') return this.#deleteNamespace(place, object, by);
    if (wish.propagationPolicy === 'Orphan') this.#orphan(metadata.uid ?? '');
    const grace = graceOf(place, object, wish.gracePeriodSeconds);
    if (metadata.deletionTimestamp !== undefined) return this.#deleteSooner(place, object, grace, by);
    const finalizers = [...(metadata.finalizers ?? [])];
    const waitsForDependents =
      wish.propagationPolicy === 'Foreground' && this.#store.dependentsOf(metadata.uid ?? '').length > 0;
    if (waitsForDependents) finalizers.push('foregroundDeletion');
    if (grace === 0 && finalizers.length === 0) return this.#remove(place, object, by);

    const { generation = 0 } = metadata;
    const marked = withMetadata(object, {
      ...metadata,
      finalizers,
      deletionTimestamp: timeText(this.#timeline.now() + grace * 1000),
      deletionGracePeriodSeconds: grace,
      generation: generation > 0 ? generation + 1 : undefined,
    });
    const stored = this.#store.put(place.resource, marked, by);
    if (waitsForDependents) this.#collectDependents(metadata.uid ?? '');
    return stored;
  }

  /** Removes an object whose deletion waited only for its finalizers. */
  finishDeletion(place: Place, object: ApiObject, by: string): void {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0 || finalizers.length > 0) return;
    if (tableName(place.resource) === 'namespaces' && !this.#store.isEmpty(place.key)) return;
    this.#remove(place, object, by);
  }

  /** The garbage collector looks, a moment later, whether one of a new object's owners is there. */
  expectOwners(place: Place, object: ApiObject): void {
    const owners = ownerReferencesOf(object);
    if (owners.length === 0 || owners.some(({ uid }) => this.#store.placeOf(uid) !== undefined)) return;
    this.#timeline.after(absentOwnerMs, () => {
      const current = this.#store.find(place);
      if (current !== undefined && current.metadata.uid === object.metadata.uid) this.#collect(place, current, '');
    });
  }

  /** A grace period can only become shorter. */
  #deleteSooner(place: Place, object: ApiObject, grace: number, by: string): ApiObject {
    const { metadata } = object;
    const { deletionTimestamp = '', deletionGracePeriodSeconds: former = 0 } = metadata;
    if (grace === 0 && (metadata.finalizers ?? []).length === 0) return this.#remove(place, object, by);
    if (grace >= former) return object;
    return this.#store.put(
      place.resource,
      withMetadata(object, {
        ...metadata,
        deletionTimestamp: timeText(Date.parse(deletionTimestamp) - (former - grace) * 1000),
        deletionGracePeriodSeconds: grace,
      }),
      by,
    );
  }

  #remove(place: Place, object: ApiObject, by: string): ApiObject {
    const { uid = '', namespace } = object.metadata;
    this.#store.remove(place, by);
    this.#removed(place, object);
    this.#collectDependents(uid);
    this.#releaseOwners(object);
    if (place.resource.namespaced && namespace !== undefined) this.#finishNamespace(namespace);
    return object;
  }

  #orphan(uid: string): void {
    for (const dependent of this.#store.dependentsOf(uid)) this.#dropOwner(dependent, uid);
  }

  #collectDependents(uid: string): void {
    for (const dependent of this.#store.dependentsOf(uid)) {
      const place = this.#store.placeOf(dependent);
      const object = place === undefined ? undefined : this.#store.find(place);
      if (place !== undefined && object !== undefined) this.#collect(place, object, uid);
    }
  }

  /** Deletes an object unless another of its owners stays; then only the reference to `goneOwner` goes. */
  #collect(place: Place, object: ApiObject, goneOwner: string): void {
    const stays = ownerReferencesOf(object).some(
      ({ uid }) => uid !== goneOwner && this.#store.placeOf(uid) !== undefined,
    );
    if (stays) this.#dropOwner(object.metadata.uid ?? '', goneOwner);
    else if (object.metadata.deletionTimestamp === undefined) this.delete(place, object, {}, garbageCollector);
  }

  #dropOwner(dependent: string, owner: string): void {
    const place = this.#store.placeOf(dependent);
    const object = place === undefined ? undefined : this.#store.find(place);
    if (place === undefined || object === undefined) return;
    const ownerReferences = object.metadata.ownerReferences?.filter(({ uid }) => uid !== owner);
    this.#store.put(place.resource, withMetadata(object, { ...object.metadata, ownerReferences }), garbageCollector);
  }

  /** Owners that waited in the foreground for this last dependent go. */
  #releaseOwners(object: ApiObject): void {
    for (const { uid } of ownerReferencesOf(object)) {
      const place = this.#store.placeOf(uid);
      const owner = place === undefined ? undefined : this.#store.find(place);
      if (place === undefined || owner?.metadata.finalizers?.includes('foregroundDeletion') !== true) continue;
      if (this.#store.dependentsOf(uid).length > 0) continue;
      const finalizers = owner.metadata.finalizers.filter((finalizer) => finalizer !== 'foregroundDeletion');
      const released = withMetadata(owner, { ...owner.metadata, finalizers });
      this.finishDeletion(place, this.#store.put(place.resource, released, garbageCollector), garbageCollector);
    }
  }

  #deleteNamespace(place: Place, object: ApiObject, by: string): ApiObject {
    if (object.metadata.deletionTimestamp !== undefined) return object;
    const deletionTimestamp = timeText(this.#timeline.now());
    const status = { ...recordOf(object['status']), phase: 'Terminating' };
    const marked = withMetadata({ ...object, status }, { ...object.metadata, deletionTimestamp });
    const stored = this.#store.put(place.resource, marked, by);
    for (const content of this.#store.placesIn(place.key)) {
      const member = this.#store.find(content);
      if (member !== undefined) this.delete(content, member, {}, namespaceController);
    }
    this.#finishNamespace(place.key);
    return this.#store.find(place) ?? stored;
  }

  #finishNamespace(name: string): void {
    const place = { resource: builtInDefinition('namespaces'), key: name };
    const namespace = this.#store.find(place);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    this.finishDeletion(place, namespace, namespaceController);
  }
}

/** Seconds that a pod has to end (pkg/registry/core/pod/strategy.go, CheckGracefulDelete); others have none. */
function graceOf(place: Place, object: ApiObject, asked: number | undefined): number {
  if (tableName(place.resource) !== 'pods') return 0;
  const spec = recordOf(object['spec']);
  const { phase } = recordOf(object['status']);
  if ((spec['nodeName'] ?? '') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = object.metadata.deletionGracePeriodSeconds ?? numberOf(spec['terminationGracePeriodSeconds']) ?? 30;
  const grace = asked ?? own;
  return grace < 0 ? 1 : grace;
}
