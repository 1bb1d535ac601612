import type { ApiObject, Resource } from '../../src/cluster/clusterPort.js';
import { recordOf, recordsOf } from '../../src/cluster/json.js';
import { marks } from '../../src/cluster/marks.js';
import { resources } from '../../src/cluster/resources.js';
import type { Ask } from '../../src/run/ask.js';
import type { SimulatedApi } from '../../src/sandbox/api/simulatedApi.js';
import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { SimulatedCluster } from '../../src/sandbox/simulatedCluster.js';
import type { NightTime } from './actorLife.js';
import { askAsPerson, type Person } from './askAsPerson.js';
import type { Night, NightWorkload, Trouble } from './night.js';
import type { SimulatedHosts } from './simulatedHosts.js';
import type { ChangingWeather } from './weather.js';

export interface TroubleScene {
  readonly night: Night;
  readonly cluster: SimulatedCluster;
  readonly hosts: SimulatedHosts;
  readonly weather: ChangingWeather;
  readonly time: NightTime;
  readonly random: SeededRandom;
  /** Who pauses, aborts and skips. */
  readonly person: Person;
  /** Hears of what must not happen: an error that is none of Turnus' own. */
  readonly onError: (error: unknown) => void;
}

/** The label that playbooks of nights set during a turn. */
export const turnLabel = 'night.example/maintenance';

/** Name by which people change things in the cluster. */
export const personName = 'person';

/**
 * Puts the troubles of a night on its timeline: weather, machines, people. Three kinds are not for it, because they
 * are about the actors themselves: `crash`, `interrupt` and `second-actor`.
 */
export function applyTroubles(scene: TroubleScene): void {
  for (const trouble of scene.night.troubles) {
    const act = () => {
      applyTrouble(scene, trouble);
    };
    if ('atMs' in trouble) scene.time.after(trouble.atMs, act);
    else act();
  }
}

/** Lets one trouble happen now, whenever it says. Weather is here; the rest belongs to machines and people. */
export function applyTrouble(scene: TroubleScene, trouble: Trouble): void {
  const { cluster, weather } = scene;
  switch (trouble.kind) {
    case 'crash':
    case 'second-actor':
    case 'interrupt':
      return;
    case 'watches-lag':
      weather.lagWatches(trouble);
      return;
    case 'watches-break':
      weather.breakWatches(trouble.how);
      return;
    case 'history-lost':
      cluster.api.compact();
      return;
    case 'api-answers':
      weather.answer(trouble);
      return;
    case 'api-down':
      weather.apiDown(trouble.forMs);
      return;
    case 'host-hangs':
      weather.hangHost(trouble.node, trouble.forMs);
      return;
    case 'host-loses-answers':
      weather.loseAnswers(trouble.node, trouble.forMs);
      return;
    case 'host-reboots':
    case 'script-fails':
    case 'script-reboots':
    case 'boot-never-returns':
    case 'kubelet-silent':
    case 'node-added':
    case 'node-deleted':
      applyToMachine(scene, trouble);
      return;
    default:
      applyByPeople(scene, trouble);
  }
}

/** The troubles whose kinds are all among these. */
type Of<Kind extends Trouble['kind']> = Extract<Trouble, { readonly kind: Kind }>;

function applyToMachine(
  { cluster, hosts, time, night }: TroubleScene,
  trouble: Of<
    | 'host-reboots'
    | 'script-fails'
    | 'script-reboots'
    | 'boot-never-returns'
    | 'kubelet-silent'
    | 'node-added'
    | 'node-deleted'
  >,
): void {
  const { node } = trouble;
  if (trouble.kind === 'node-deleted') {
    cluster.api.delete({ resource: resources.nodes, name: node }, personName);
    return;
  }
  if (trouble.kind === 'node-added') {
    if (cluster.api.get({ resource: resources.nodes, name: node }).kind === 'ok') return;
    const known = night.nodes.find(({ name }) => name === node);
    const { zone } = night.nodes[0] ?? {};
    cluster.addNode(known ?? { name: node, ...(zone === undefined ? {} : { zone }) });
    return;
  }
  const host = hosts.host(node);
  if (host === undefined) return;
  switch (trouble.kind) {
    case 'host-reboots':
      host.goDown(false);
      return;
    case 'script-fails':
      host.failScript(trouble.stage, trouble.changed);
      return;
    case 'script-reboots':
      host.rebootInScript();
      return;
    case 'boot-never-returns':
      host.stayDown(trouble.mendedAfterMs);
      return;
    case 'kubelet-silent':
      cluster.machine(node).silence(true);
      time.after(trouble.forMs, () => {
        cluster.machine(node).silence(false);
      });
  }
}

/** What people do; what is no longer there is left alone. */
function applyByPeople(
  scene: TroubleScene,
  trouble: Of<
    | 'cordon'
    | 'uncordon'
    | 'hold'
    | 'budget-edited'
    | 'scaled'
    | 'pod-unready'
    | 'never-ready'
    | 'pause'
    | 'abort'
    | 'abort-now'
    | 'skip'
    | 'relabelled'
  >,
): void {
  const { time } = scene;
  const { api } = scene.cluster;
  switch (trouble.kind) {
    case 'cordon':
    case 'uncordon':
      mergeNode(api, trouble.node, { spec: { unschedulable: trouble.kind === 'cordon' ? true : null } });
      return;
    case 'hold':
      mergeNode(api, trouble.node, { metadata: { annotations: { [marks.hold]: 'somebody looks at it' } } });
      time.after(trouble.forMs, () => {
        mergeNode(api, trouble.node, { metadata: { annotations: { [marks.hold]: null } } });
      });
      return;
    case 'budget-edited': {
      const spec = { maxUnavailable: trouble.maxUnavailable, minAvailable: null };
      mergeWorkload(scene, trouble.workload, { resourceOf: () => resources.budgets, body: { spec } });
      return;
    }
    case 'scaled': {
      const body = { spec: { replicas: trouble.replicas } };
      mergeWorkload(scene, trouble.workload, { resourceOf: (kind) => scalable[kind], body });
      return;
    }
    case 'pod-unready':
      makeUnready(scene, trouble);
      return;
    case 'never-ready':
      holdBackNewPods(scene, trouble);
      return;
    case 'pause':
    case 'abort':
    case 'abort-now':
      ask(scene, { verb: trouble.kind });
      time.after(trouble.resumedAfterMs, () => {
        ask(scene, { verb: 'resume' });
      });
      return;
    case 'skip':
      ask(scene, { verb: 'skip', node: trouble.node });
      return;
    case 'relabelled':
      mergeNode(api, trouble.node, { metadata: { labels: { [turnLabel]: trouble.value } } });
  }
}

const scalable: Partial<Record<NightWorkload['kind'], Resource>> = {
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
};

function workloadOf(night: Night, name: string): NightWorkload | undefined {
  return night.workloads.find((workload) => workload.name === name);
}

/** One Ready pod of the workload fails its readiness probe for a while. */
function makeUnready({ cluster: { api }, night, time, random }: TroubleScene, trouble: Of<'pod-unready'>): void {
  const workload = workloadOf(night, trouble.workload);
  if (workload === undefined) return;
  const { namespace, name: app } = workload;
  const pods = api.list({ resource: resources.pods, namespace, labelSelector: `app=${app}` });
  const ready = pods.kind === 'ok' ? pods.value.items.filter(isReady) : [];
  if (ready.length === 0) return;
  const pod = random.pick(ready);
  const { name = '' } = pod.metadata;
  const place = { resource: resources.pods, namespace, name };
  const annotate = (value: string | null) => {
    merge(api, place, { metadata: { annotations: { 'sandbox.turnus.dev/unready': value } } });
  };
  annotate('yes');
  merge(api, { ...place, subresource: 'status' }, { status: { conditions: unreadyConditions(pod) } });
  time.after(trouble.forMs, () => {
    annotate(null);
  });
}

/** As an image that cannot be pulled any more: what runs already goes on running. */
function holdBackNewPods({ cluster: { api }, night, time }: TroubleScene, trouble: Of<'never-ready'>): void {
  const workload = workloadOf(night, trouble.workload);
  if (workload === undefined) return;
  const { namespace, name: app } = workload;
  const heldBack = new Set<string>();
  const annotate = (name: string, value: string | null) => {
    const place = { resource: resources.pods, namespace, name };
    merge(api, place, { metadata: { annotations: { 'sandbox.turnus.dev/never-ready': value } } });
  };
  const stop = api.observe(({ type, resource, object: { metadata } }) => {
    if (type !== 'added' || resource.plural !== 'pods') return;
    if (metadata.namespace !== namespace || metadata.labels?.['app'] !== app) return;
    const { name = '' } = metadata;
    heldBack.add(name);
    time.after(1, () => {
      annotate(name, 'true');
    });
  });
  time.after(trouble.forMs, () => {
    stop();
    for (const name of heldBack) annotate(name, null);
  });
}

function isReady(pod: ApiObject): boolean {
  return recordsOf(recordOf(pod['status'])['conditions']).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
}

function unreadyConditions(pod: ApiObject): unknown[] {
  return recordsOf(recordOf(pod['status'])['conditions']).map((condition) =>
    condition['type'] === 'Ready' || condition['type'] === 'ContainersReady'
      ? { ...condition, status: 'False', reason: 'ContainersNotReady' }
      : condition,
  );
}

/** Changes what a team made for its workload: the workload, or the budget of the same name. */
function mergeWorkload(
  { cluster, night }: TroubleScene,
  workload: string,
  {
    resourceOf,
    body,
  }: {
    readonly resourceOf: (kind: NightWorkload['kind']) => Resource | undefined;
    readonly body: Readonly<Record<string, unknown>>;
  },
): void {
  const found = workloadOf(night, workload);
  const resource = found && resourceOf(found.kind);
  if (found === undefined || resource === undefined) return;
  merge(cluster.api, { resource, namespace: found.namespace, name: found.name }, body);
}

export function mergeNode(api: SimulatedApi, name: string, body: Readonly<Record<string, unknown>>): void {
  merge(api, { resource: resources.nodes, name }, body);
}

function merge(
  api: SimulatedApi,
  place: {
    readonly resource: Resource;
    readonly namespace?: string;
    readonly name: string;
    readonly subresource?: string;
  },
  body: Readonly<Record<string, unknown>>,
): void {
  const { resource, namespace, name, subresource } = place;
  api.patch(
    {
      resource,
      name,
      patch: { type: 'merge', body },
      ...(namespace === undefined ? {} : { namespace }),
      ...(subresource === undefined ? {} : { subresource }),
    },
    personName,
  );
}

function ask({ person, onError }: TroubleScene, what: Ask): void {
  askAsPerson(person, what).catch((error: unknown) => {
    if (!person.signal.aborted) onError(error);
  });
}
