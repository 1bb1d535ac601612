import {
  ownerKey,
  podKey,
  type BudgetView,
  type ClaimView,
  type ClusterView,
  type PodView,
  type VolumeView,
} from '../../src/cluster/view.js';
import { node, takenAt, type Workload } from './clusterFixtures.js';

/** A budget's rule, and what its status says. */
export interface ModelBudget {
  readonly app: string;
  readonly rule: { readonly minAvailable?: number | string; readonly maxUnavailable?: number | string };
  readonly alwaysAllow: boolean;
}

/**
 * A small cluster with the eviction handler, the disruption controller, the controllers of workloads and the kubelets
 * of a real one. Its arithmetic is written down a second time here, from the server's sources, with fractions of
 * integers only. One thing happens at a time, so that every order of events can be played.
 */
export class ModelCluster {
  readonly #pods = new Map<string, PodView>();
  readonly #status = new Map<
    string,
    { healthy: number; desired: number; expected: number; allowed: number; disrupted: Set<string> }
  >();
  /** Pods that are ending, while the watch has not said so yet: the view has them as they were. */
  readonly #notYetSeen = new Map<string, PodView>();
  #created = 0;
  /** Evictions that the server would have refused. */
  readonly refused: string[] = [];

  constructor(
    readonly workloads: readonly Workload[],
    readonly budgets: readonly ModelBudget[],
    loose: readonly PodView[] = [],
  ) {
    for (const pod of [...workloads.flatMap(({ pods }) => pods), ...loose]) this.#pods.set(pod.uid, pod);
    for (const { app } of budgets) this.#count(app);
  }

  view(): ClusterView {
    return {
      takenAt,
      nodes: new Map([node('node-1', { unschedulable: true }), node('node-2')].map((one) => [one.name, one])),
      pods: new Map([...this.#pods.values()].map((pod) => [podKey(pod), this.#notYetSeen.get(pod.uid) ?? pod])),
      budgets: this.budgets.map((one) => this.#budgetView(one)),
      namespaces: new Map(),
      claims: new Map(this.#claims().map((claim) => [`shop/${claim.name}`, claim])),
      volumes: new Map(['node-1', 'node-2'].map((name) => [`disk of ${name}`, diskOf(name)])),
      owners: new Map(this.workloads.map(({ owner }) => [ownerKey(owner), owner])),
      ownerOfController: new Map(this.workloads.map(({ owner, controllerUid }) => [controllerUid, ownerKey(owner)])),
    };
  }

  /** The eviction subresource: refuses, or the pod is terminating. */
  evict(pod: PodView): void {
    const own = this.budgets.filter(({ app }) => app === pod.labels['app']);
    const [budget] = own;
    if (pod.phase === 'Running' && budget !== undefined && !this.#passes(pod, budget)) {
      this.refused.push(pod.name);
      return;
    }
    this.#notYetSeen.set(pod.uid, pod);
    this.#pods.set(pod.uid, { ...pod, terminating: true, ready: false });
  }

  /** What could happen next by itself. */
  events(): { name: string; happen: () => void }[] {
    const events: { name: string; happen: () => void }[] = [];
    for (const pod of this.#pods.values()) {
      if (this.#notYetSeen.has(pod.uid)) {
        events.push({ name: `${pod.name} is seen to end`, happen: () => this.#notYetSeen.delete(pod.uid) });
      } else if (pod.terminating) events.push({ name: `${pod.name} ends`, happen: () => this.#pods.delete(pod.uid) });
      if (pod.controller?.kind === 'Job' && pod.phase === 'Running') {
        events.push({
          name: `${pod.name} finishes`,
          happen: () => {
            this.#set(pod, { phase: 'Succeeded', ready: false });
          },
        });
      }
      if (pod.name.includes('new') && pod.nodeName !== undefined && !pod.ready && !pod.terminating) {
        events.push({
          name: `${pod.name} becomes Ready`,
          happen: () => {
            this.#set(pod, { phase: 'Running', ready: true });
          },
        });
      }
    }
    for (const workload of this.workloads) {
      if (this.#lacksPod(workload) && this.#next(workload) !== undefined) {
        events.push({
          name: `${workload.owner.name} gets a pod`,
          happen: () => {
            this.#create(workload);
          },
        });
      }
    }
    for (const { app } of this.budgets) {
      if (this.#isBehind(app))
        events.push({
          name: `budget ${app} is counted`,
          happen: () => {
            this.#count(app);
          },
        });
    }
    return events;
  }

  podsOf({ controllerUid }: Workload): PodView[] {
    return [...this.#pods.values()].filter(({ controller }) => controller?.uid === controllerUid);
  }

  healthyOf(app: string): number {
    return this.#members(app).filter(({ ready, terminating }) => ready && !terminating).length;
  }

  desiredOf({ app, rule }: ModelBudget): number {
    const members = this.#members(app);
    const scale = this.workloads.find(({ owner }) => owner.name === app)?.owner.desired ?? 0;
    if (typeof rule.minAvailable === 'number') return rule.minAvailable;
    if (rule.minAvailable !== undefined) return upTo(rule.minAvailable, scale);
    const { maxUnavailable = 0 } = rule;
    const unavailable = typeof maxUnavailable === 'number' ? maxUnavailable : upTo(maxUnavailable, scale);
    return members.length === 0 ? 0 : Math.max(0, scale - unavailable);
  }

  #passes(pod: PodView, budget: ModelBudget): boolean {
    const status = this.#status.get(budget.app);
    if (status === undefined) return false;
    if (!pod.ready && (budget.alwaysAllow || (status.desired > 0 && status.healthy >= status.desired))) return true;
    if (status.allowed <= 0) return false;
    status.allowed -= 1;
    status.disrupted.add(pod.name);
    return true;
  }

  #count(app: string): void {
    const budget = this.budgets.find((one) => one.app === app);
    if (budget === undefined) return;
    const healthy = this.healthyOf(app);
    const desired = this.desiredOf(budget);
    const scale = this.workloads.find(({ owner }) => owner.name === app)?.owner.desired ?? 0;
    const expected = typeof budget.rule.minAvailable === 'number' ? this.#members(app).length : scale;
    const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
    this.#status.set(app, { healthy, desired, expected, allowed, disrupted: new Set() });
  }

  #isBehind(app: string): boolean {
    const status = this.#status.get(app);
    return status === undefined || status.disrupted.size > 0 || status.healthy !== this.healthyOf(app);
  }

  #budgetView({ app, rule, alwaysAllow }: ModelBudget): BudgetView {
    const status = this.#status.get(app);
    return {
      namespace: 'shop',
      name: app,
      uid: `budget-${app}`,
      labels: {},
      generation: 1,
      selector: { matchLabels: { app }, matchExpressions: [] },
      minAvailable: rule.minAvailable,
      maxUnavailable: rule.maxUnavailable,
      unhealthyPodEvictionPolicy: alwaysAllow ? 'AlwaysAllow' : 'IfHealthyBudget',
      managedBy: undefined,
      status: {
        observedGeneration: 1,
        disruptionsAllowed: status?.allowed ?? 0,
        currentHealthy: status?.healthy ?? 0,
        desiredHealthy: status?.desired ?? 0,
        expectedPods: status?.expected ?? 0,
        disruptedPods: Object.fromEntries([...(status?.disrupted ?? [])].map((name) => [name, takenAt])),
        syncFailure: undefined,
      },
    };
  }

  #members(app: string): PodView[] {
    return [...this.#pods.values()].filter(({ labels, phase }) => labels['app'] === app && phase !== 'Succeeded');
  }

  #lacksPod(workload: Workload): boolean {
    return this.podsOf(workload).filter(({ terminating }) => !terminating).length < (workload.owner.desired ?? 0);
  }

  /** A claim for each pod with data of its own, bound to a disk of the node on which the pod was at first. */
  #claims(): ClaimView[] {
    const pods = this.workloads.flatMap((workload) => workload.pods);
    return pods.flatMap(({ namespace, claims, nodeName }) =>
      claims.map((name) => ({ namespace, name, volume: `disk of ${nodeName ?? ''}`, onOneNode: true })),
    );
  }

  /** What the next pod is like: with data, one whose claim no pod uses any more; beyond these, one without data. */
  #next(workload: Workload): PodView | undefined {
    const [first] = workload.pods;
    if (first === undefined || first.claims.length === 0) return first;
    const used = new Set(this.podsOf(workload).flatMap(({ claims }) => claims));
    const free = workload.pods.find(({ claims }) => claims.some((claim) => !used.has(claim)));
    const isBeyond = this.podsOf(workload).length >= workload.pods.length;
    return free ?? (isBeyond ? { ...first, claims: [] } : undefined);
  }

  #create(workload: Workload): void {
    const like = this.#next(workload);
    if (like === undefined) return;
    this.#created += 1;
    const name = `${workload.owner.name}-new${String(this.#created)}`;
    const isTied = like.claims.length > 0 && like.nodeName === 'node-1';
    this.#pods.set(name, {
      ...like,
      name,
      uid: name,
      nodeName: isTied ? undefined : 'node-2',
      phase: 'Pending',
      ready: false,
      terminating: false,
    });
  }

  #set(pod: PodView, changes: Partial<PodView>): void {
    this.#pods.set(pod.uid, { ...pod, ...changes });
  }
}

/** A local volume. */
function diskOf(node: string): VolumeView {
  const labels = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }];
  return { name: `disk of ${node}`, nodeAffinity: [{ labels, fields: [] }] };
}

function upTo(percent: string, total: number): number {
  const hundredths = Number(percent.slice(0, -1)) * total;
  return (hundredths - (hundredths % 100)) / 100 + (hundredths % 100 === 0 ? 0 : 1);
}
