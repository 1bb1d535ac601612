import { matchesLabels } from '../cluster/labelSelector.js';
import { isFinished } from '../cluster/podPhase.js';
import { ownerName, ownerOf } from '../cluster/replicas.js';
import type { ServiceView, VitalService } from '../cluster/services.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import { go, type Allowance, type Permission, type Wait } from './nextStep.js';

/**
 * What the API server itself needs permits: a Service that it calls keeps one Ready pod, whoever owns its pods. The
 * last one goes when another is Ready, here or elsewhere; a pod that is not Ready may always go.
 */
export function backendAllowance(situation: {
  readonly view: ClusterView;
  readonly services: readonly VitalService[];
  /** UIDs of evictions under way: they no longer count as Ready. */
  readonly inFlight: ReadonlySet<string>;
}): Allowance {
  const { view, services, inFlight } = situation;
  const pods = [...view.pods.values()];
  const ready = new Map(
    services.map((service) => [
      service,
      backendsOf(service, pods).filter((pod) => pod.ready && !pod.terminating && !inFlight.has(pod.uid)).length,
    ]),
  );
  const servedBy = (pod: PodView) => (pod.ready ? services.filter((service) => isBehind(service, pod)) : []);
  return {
    ask(pod): Permission {
      const last = servedBy(pod).find((service) => (ready.get(service) ?? 0) <= 1);
      return last === undefined ? go : { kind: 'wait', wait: lastBackend(pod, last, view) };
    },
    take(pod) {
      for (const service of servedBy(pod)) ready.set(service, (ready.get(service) ?? 0) - 1);
    },
  };
}

/** Whether the Service sends requests to the pod once it is Ready. */
export function isBehind({ namespace, selector }: ServiceView, pod: PodView): boolean {
  return pod.namespace === namespace && matchesLabels({ matchLabels: selector, matchExpressions: [] }, pod.labels);
}

/** The pods behind a Service that have not finished. */
export function backendsOf(service: ServiceView, pods: Iterable<PodView>): readonly PodView[] {
  return [...pods].filter((pod) => isBehind(service, pod) && !isFinished(pod));
}

function lastBackend(pod: PodView, service: VitalService, view: ClusterView): Wait {
  const { name, loss } = vitalWords(service);
  const owner = ownerOf(view, pod);
  return {
    for: 'last-backend',
    objects: [name, ...service.calledBy, `Pod ${podKey(pod)}`, ...(owner === undefined ? [] : [ownerName(owner)])],
    message: `Pod ${podKey(pod)} is the last Ready pod behind ${name}${loss}`,
    hint:
      owner === undefined
        ? `Give ${name} a second Ready pod on another node.`
        : `Scale ${ownerName(owner)} to 2 replicas; this one goes when another is Ready on another node.`,
  };
}

/** The name of the Service, and what is lost without any pod behind it: the end of a sentence that has named it. */
export function vitalWords({ namespace, name, calledBy }: VitalService): {
  readonly name: string;
  readonly loss: string;
} {
  return {
    name: `Service ${namespace}/${name}`,
    loss: `, which the API server calls for ${calledBy.join(', ')}: without one it refuses what replacements need, in the whole cluster.`,
  };
}
