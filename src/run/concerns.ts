import { ownerName, ownerOf } from '../cluster/replicas.js';
import { responsibleOf, type Responsible } from '../cluster/responsible.js';
import { ownerKey, podKey, type ClusterView, type PodView } from '../cluster/view.js';
import { selects } from '../drain/podBudgets.js';
import type { Finding } from '../gates/finding.js';

/** A workload that a finding concerns, and who answers for it. */
export interface Concern {
  readonly namespace: string;
  readonly namespaceResponsible: Responsible;
  /** As `Kind namespace/name`: a Deployment, a Job, a pod without a controller, a budget without pods. */
  readonly owner: string;
  readonly ownerResponsible: Responsible;
  /** Its pods that are meant, as `namespace/name`: those on the node, and those that the finding names. */
  readonly pods: readonly string[];
}

/** What a finding says of which node. */
export interface NodeFinding {
  readonly node: string;
  readonly finding: Pick<Finding, 'objects'>;
}

/** Kinds whose objects belong to a workload also where the view does not have them (any more). */
const workloadKinds: ReadonlySet<string> = new Set([
  'Pod',
  'PodDisruptionBudget',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'ReplicationController',
  'Job',
  'PersistentVolumeClaim',
]);

/**
 * The workloads that a finding concerns, by its objects and whatever its code: [] where it concerns none, but the node,
 * its host or the cluster, which is the platform team's. So are DaemonSets and static pods, which belong to the node,
 * and the namespaces `kube-…`, which are Kubernetes' own (kubernetes.io, "Namespaces": the prefix is reserved).
 */
export function concernsOn(view: ClusterView): (of: NodeFinding) => readonly Concern[] {
  const podsOn = podsByNode(view);
  return ({ node, finding }) => {
    const here = podsOn.get(node) ?? [];
    const owners = new Map<string, Owner>();
    const add = ({ owner, namespace }: Omit<Owner, 'pods'>, pod?: string): void => {
      if (namespace.startsWith('kube-')) return;
      const known = owners.get(owner) ?? { owner, namespace, pods: new Set() };
      if (pod !== undefined) known.pods.add(pod);
      owners.set(owner, known);
    };
    const addPod = (pod: PodView): void => {
      const owner = workloadOf(view, pod);
      if (owner !== undefined) add({ owner, namespace: pod.namespace }, podKey(pod));
    };
    const objects = finding.objects.flatMap(parseObjectName);
    for (const object of objects) addNamed(object, { view, here, add, addPod });
    if (owners.size === 0) for (const object of objects) addBudget(object, { view, here, add, addPod });
    return [...owners.values()].map((owner) => concernOf(owner, { view, here }));
  };
}

interface Owner {
  readonly owner: string;
  readonly namespace: string;
  readonly pods: Set<string>;
}

interface ObjectName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Gathering {
  readonly view: ClusterView;
  /** The pods of the node. */
  readonly here: readonly PodView[];
  readonly add: (owner: Omit<Owner, 'pods'>, pod?: string) => void;
  readonly addPod: (pod: PodView) => void;
}

function addNamed({ kind, namespace, name }: ObjectName, { view, here, add, addPod }: Gathering): void {
  const object = `${kind} ${namespace}/${name}`;
  if (kind === 'PodDisruptionBudget' || kind === 'DaemonSet') return;
  if (kind === 'Pod') {
    const pod = view.pods.get(`${namespace}/${name}`);
    if (pod === undefined) add({ owner: object, namespace }, `${namespace}/${name}`);
    else addPod(pod);
    return;
  }
  if (kind === 'PersistentVolumeClaim') {
    const users = here.filter((pod) => pod.namespace === namespace && pod.claims.includes(name));
    for (const pod of users) addPod(pod);
    if (users.length > 0) return;
  }
  if (workloadKinds.has(kind) || view.owners.has(ownerKey({ namespace, kind, name }))) {
    add({ owner: object, namespace });
  }
}

/** A budget concerns the owners of its pods on the node, else those of its pods elsewhere, else only itself. */
function addBudget({ kind, namespace, name }: ObjectName, { view, here, add, addPod }: Gathering): void {
  if (kind !== 'PodDisruptionBudget') return;
  const budget = view.budgets.find((one) => one.namespace === namespace && one.name === name);
  const pods = budget === undefined ? [] : here.filter((pod) => selects(budget, pod));
  for (const pod of pods) addPod(pod);
  if (pods.length > 0) return;
  const elsewhere = budget === undefined ? [] : [...view.pods.values()].filter((pod) => selects(budget, pod));
  for (const pod of elsewhere) {
    const owner = workloadOf(view, pod);
    if (owner !== undefined) add({ owner, namespace });
  }
  if (elsewhere.length === 0) add({ owner: `${kind} ${namespace}/${name}`, namespace });
}

function concernOf(
  { owner, namespace, pods }: Owner,
  { view, here }: { readonly view: ClusterView; readonly here: readonly PodView[] },
): Concern {
  const own = here.filter((pod) => workloadOf(view, pod) === owner);
  const isNamed = own.some((pod) => pods.has(podKey(pod)));
  const [kind = '', place = ''] = owner.split(' ');
  const known = view.owners.get(ownerKey({ namespace, kind, name: place.slice(namespace.length + 1) }));
  const [pod] = own;
  return {
    namespace,
    namespaceResponsible: view.namespaces.get(namespace)?.responsible ?? {},
    owner,
    // What an owner's own labels do not say, the labels that it gives to its pods may.
    ownerResponsible: { ...(pod === undefined ? {} : responsibleOf({ labels: pod.labels })), ...known?.responsible },
    pods: [...new Set([...pods, ...(isNamed ? [] : own.map(podKey))])].sort(),
  };
}

/** What a person would change to change the pod; undefined where it belongs to the node. */
function workloadOf(view: ClusterView, pod: PodView): string | undefined {
  const { controller, namespace } = pod;
  if (pod.mirror || controller?.kind === 'DaemonSet' || controller?.kind === 'Node') return undefined;
  if (controller === undefined) return `Pod ${podKey(pod)}`;
  return ownerName(
    ownerOf(view, pod) ??
      view.ownerOfController.get(controller.uid) ??
      ownerKey({ namespace, kind: controller.kind, name: controller.name }),
  );
}

function podsByNode(view: ClusterView): ReadonlyMap<string, readonly PodView[]> {
  const pods = new Map<string, PodView[]>();
  for (const pod of view.pods.values()) {
    if (pod.nodeName === undefined) continue;
    const here = pods.get(pod.nodeName);
    if (here === undefined) pods.set(pod.nodeName, [pod]);
    else here.push(pod);
  }
  return pods;
}

/** `Kind namespace/name`; what has no namespace (`Node n1`, `API server`) belongs to no workload. */
function parseObjectName(text: string): ObjectName[] {
  const match = /^(?<kind>\S+) (?<namespace>[^\s/]+)\/(?<name>\S+)$/.exec(text);
  const { kind, namespace, name } = match?.groups ?? {};
  return kind === undefined || namespace === undefined || name === undefined ? [] : [{ kind, namespace, name }];
}
