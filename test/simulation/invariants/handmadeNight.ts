import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import type { JournalEntry } from '../../../src/journal/entry.js';
import type { Change, SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import type { Night, NightPlaybook, NightWorkload, Trouble, Violation } from '../night.js';
import type { Call, HostEvent, Invariant, NightScene, Witness } from '../witness.js';
import { nightWatch } from './nightWatch.js';

/** A night that nobody plays: a test tells the invariants what happened, good or bad, and reads what they say. */
export interface HandmadeNight {
  /** Lets time pass. */
  wait(milliseconds: number): void;
  /** Stores an object, by whomever, and tells the actors that are named. */
  store(resource: Resource, object: ApiObject, toldTo?: readonly string[]): void;
  /** The same by a user or component of this name, which tells nobody. */
  storeBy(by: string, resource: Resource, object: ApiObject): void;
  tell(actor: string, resource: Resource, object: ApiObject, gone?: boolean): void;
  remove(resource: Resource, object: ApiObject): void;
  /** A call that is sent, does what `effect` does, and is answered at once. */
  call(call: Partial<Call> & Pick<Call, 'verb'>, answer?: { readonly kind: string }, effect?: () => void): void;
  onHost(event: HostEvent): void;
  actor: NonNullable<Witness['actor']>;
  machine(node: string, machine: { readonly bootId: string; readonly isUp: boolean }): void;
  end(facts?: {
    readonly isOver?: boolean;
    readonly journal?: readonly JournalEntry[];
    readonly exitCodes?: readonly number[];
  }): Promise<readonly Violation[]>;
}

const quietPlaybook: NightPlaybook = {
  maxUnavailable: 1,
  concurrency: 1,
  stopAfterFailures: 1,
  reboot: 'required',
  stages: ['update'],
  drainTimeoutMs: 60_000,
  attempts: 1,
  jobMs: 1000,
  bootMs: 1000,
};

export interface NightParts {
  readonly playbook?: Partial<NightPlaybook>;
  readonly workloads?: readonly NightWorkload[];
  readonly troubles?: readonly Trouble[];
}

/** `watchOf` makes the invariants that are told. */
export function handmadeNight(
  parts: NightParts,
  watchOf: (scene: NightScene) => Invariant = nightWatch,
): HandmadeNight {
  const night: Night = {
    seed: 1,
    nodes: [],
    workloads: parts.workloads ?? [],
    playbook: { ...quietPlaybook, ...parts.playbook },
    troubles: parts.troubles ?? [{ id: 't1', kind: 'history-lost', atMs: 0 }],
  };
  const objects = new Map<string, { readonly resource: Resource; readonly object: ApiObject }>();
  const machines = new Map<string, { readonly bootId: string; readonly isUp: boolean }>();
  let now = 0;
  let calls = 0;
  const scene: NightScene = {
    night,
    api: storedObjects(objects),
    elapsedMs: () => now,
    machine: (node) => machines.get(node) ?? { bootId: 'boot-1', isUp: true },
  };
  const watch = watchOf(scene);
  const store = (by: string, resource: Resource, object: ApiObject): void => {
    const key = keyOf(resource, object);
    const before = objects.get(key)?.object;
    objects.set(key, { resource, object });
    const type: Change['type'] = before === undefined ? 'added' : 'modified';
    watch.changed?.({ type, resource, object, before, by });
  };

  return {
    wait(milliseconds) {
      now += milliseconds;
    },
    store(resource, object, toldTo = []) {
      store('somebody', resource, object);
      for (const actor of toldTo) watch.told?.(actor, { resource, object, gone: false });
    },
    storeBy: store,
    tell(actor, resource, object, gone = false) {
      watch.told?.(actor, { resource, object, gone });
    },
    remove(resource, object) {
      objects.delete(keyOf(resource, object));
      watch.changed?.({ type: 'deleted', resource, object, before: object, by: 'somebody' });
    },
    call(call, answer = { kind: 'ok' }, effect) {
      calls += 1;
      const whole: Call = { actor: 'one', number: calls, port: 'cluster', isOutward: true, request: {}, ...call };
      watch.sent?.(whole);
      effect?.();
      watch.arrived?.(whole, answer);
    },
    onHost(event) {
      watch.onHost?.(event);
    },
    actor(event) {
      watch.actor?.(event);
    },
    machine(node, machine) {
      machines.set(node, machine);
    },
    async end({ isOver = true, journal = [], exitCodes = [0] } = {}) {
      await watch.atEnd?.({ ...scene, isOver, journal, exitCodes });
      return watch.violations();
    },
  };
}

function keyOf({ plural }: Resource, { metadata }: ApiObject): string {
  return `${plural} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** As much of the API as the invariants read. */
function storedObjects(
  objects: ReadonlyMap<string, { readonly resource: Resource; readonly object: ApiObject }>,
): SimulatedApi {
  const unused = (): never => {
    throw new Error('no invariant needs this');
  };
  return {
    get(request) {
      const { resource, name, namespace } = request;
      const found = objects.get(
        keyOf(resource, { metadata: { name, ...(namespace === undefined ? {} : { namespace }) } }),
      );
      if (found !== undefined) return { kind: 'ok', value: found.object };
      return { kind: 'refused', status: { code: 404, reason: 'NotFound', message: 'not found' } };
    },
    list({ resource, namespace }) {
      const items = [...objects.values()]
        .filter((stored) => stored.resource.plural === resource.plural)
        .map(({ object }) => object)
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      return { kind: 'ok', value: { items, resourceVersion: '1' } };
    },
    watch: unused,
    create: unused,
    replace: unused,
    patch: unused,
    delete: unused,
    evict: unused,
    served: unused,
    observe: unused,
    version: unused,
    compact: unused,
  };
}
