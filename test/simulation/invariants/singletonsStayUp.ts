import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { recordOf, recordsOf, stringMapOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Change } from '../../../src/sandbox/api/simulatedApi.js';
import type { Call } from '../witness.js';
import { evictionOf } from './lastReplicaStays.js';
import { singletonPolicy } from './nightPolicy.js';
import { appOf, isSame, isServing, isTerminating, nodeOfPod, podName, toleratesCordon } from './truth.js';
import { complaints, type MakeInvariant, type WatchedNight } from './watchedNight.js';

/**
 * Where the playbook surges singletons, a Deployment with one replica that can start its replacement first never loses
 * its last Ready pod by an eviction of ours (neither in truth nor in what the actor had been told), nor by the rollout
 * that we began. Of a Deployment we change the mark on its template and nothing else, and never to the same value again.
 */
export const singletonsStayUp: MakeInvariant = (night) => {
  const { say, violations } = complaints('singletons-stay-up', night);
  /** Evictions by actor and number that the actor knew to take the last Ready pod of a singleton. */
  const lastOfOne = new Set<string>();
  /** Marks that were set, by the UID of the Deployment. */
  const marksSet = new Map<string, Set<string>>();
  let latest: Change | undefined;

  const judgeRestart = ({ actor }: Call, before: ApiObject, after: ApiObject): void => {
    const name = podName(after);
    const mark = markOf(after);
    if (JSON.stringify(withoutMark(before)) !== JSON.stringify(withoutMark(after))) {
      say(`${actor} changed more of Deployment ${name} than its mark`);
    }
    if (mark === undefined || mark === markOf(before)) return;
    const set = marksSet.get(after.metadata.uid ?? '') ?? new Set();
    marksSet.set(after.metadata.uid ?? '', set.add(mark));
    if (markOf(before) === undefined && set.size > 1) say(`${actor} restarted Deployment ${name} again for ${mark}`);
  };

  const judgeEviction = (call: Call, before: ApiObject | undefined): void => {
    const request = evictionOf(call);
    const pod = request && night.truth.pod(request);
    const deployment = pod && deploymentOf(night, pod);
    if (pod === undefined || deployment === undefined) return;
    if (!isReadyNow(before ?? pod) || !isSurgeable(night, pod, deployment)) return;
    // A replacement that has come back is not replaced a second time in the turn.
    if (pod.metadata.annotations?.[marks.restartedFor]?.endsWith(`/${nodeOfPod(pod) ?? ''}`) === true) return;
    if (othersServing(night, pod) === 0) say(`${call.actor} evicted ${podName(pod)}, which could have been surged`);
  };

  return {
    sent(call) {
      const request = evictionOf(call);
      if (request === undefined || singletonPolicy(night.night, request.namespace) !== 'surge') return;
      const { pods, desired } = night.told.of(call.actor);
      const pod = pods.get(`${request.namespace}/${request.name}`)?.object;
      if (pod === undefined || !isServing(pod) || desired.get(workloadOf(pod)) !== 1) return;
      const others = [...pods.values()].filter(({ object }) => isOtherOf(object, pod));
      if (others.length === 0) lastOfOne.add(`${call.actor} ${String(call.number)}`);
    },
    changed(change) {
      latest = change;
      if (!isEnding(change) || change.by !== 'system:serviceaccount:kube-system:replicaset-controller') return;
      const { object: pod } = change;
      const deployment = deploymentOf(night, pod);
      if (deployment === undefined || markOf(deployment) === undefined || !isSurgeable(night, pod, deployment)) return;
      if (isReadyNow(change.before) && othersServing(night, pod) === 0) {
        say(`the restart of ${workloadOf(pod)} ended its last Ready pod ${podName(pod)}`);
      }
    },
    arrived(call, answer) {
      const change = latest;
      latest = undefined;
      if (isSame(call.resource, resources.deployments) && call.verb === 'patch' && answer.kind === 'ok') {
        if (change?.before === undefined || !isSame(change.resource, resources.deployments)) return;
        judgeRestart(call, change.before, change.object);
      } else if (lastOfOne.delete(`${call.actor} ${String(call.number)}`) && answer.kind === 'accepted') {
        judgeEviction(call, change?.before);
      }
    },
    violations,
  };
};

/** Of the night's Deployment with this pod: nothing forbids to start a second pod elsewhere first. */
function isSurgeable({ night, truth }: WatchedNight, pod: ApiObject, deployment: ApiObject): boolean {
  const workload = night.workloads.find(({ name }) => name === appOf(pod));
  if (workload?.strategy !== undefined || recordOf(deployment['spec'])['replicas'] !== 1) return false;
  if (toleratesCordon(pod)) return false;
  return truth.nodes().some((node) => {
    const isThere = node.metadata.name === nodeOfPod(pod);
    const zone = node.metadata.labels?.['topology.kubernetes.io/zone'];
    const isTainted = recordsOf(recordOf(node['spec'])['taints']).some(({ key }) => key === 'pool');
    return !isThere && !isTainted && (workload?.zone === undefined || workload.zone === zone);
  });
}

function deploymentOf({ api }: WatchedNight, pod: ApiObject): ApiObject | undefined {
  const { namespace = '' } = pod.metadata;
  const found = api.get({ resource: resources.deployments, namespace, name: appOf(pod) ?? '' });
  return found.kind === 'ok' ? found.value : undefined;
}

function othersServing({ truth }: WatchedNight, pod: ApiObject): number {
  return truth.pods(pod.metadata.namespace).filter((other) => isOtherOf(other, pod)).length;
}

function isOtherOf(other: ApiObject, pod: ApiObject): boolean {
  return (
    other.metadata.namespace === pod.metadata.namespace &&
    appOf(other) === appOf(pod) &&
    other.metadata.uid !== pod.metadata.uid &&
    isServing(other)
  );
}

function workloadOf(pod: ApiObject): string {
  return `${pod.metadata.namespace ?? ''}/${appOf(pod) ?? ''}`;
}

/** A pod begins to end. */
function isEnding({ type, resource, object, before }: Change): boolean {
  return (
    type === 'modified' && isSame(resource, resources.pods) && isTerminating(object) && !isTerminating(before ?? object)
  );
}

function isReadyNow(pod: ApiObject | undefined): boolean {
  return pod !== undefined && isServing(pod);
}

function templateOf(deployment: ApiObject) {
  return recordOf(recordOf(deployment['spec'])['template']);
}

function markOf(deployment: ApiObject): string | undefined {
  return stringMapOf(recordOf(templateOf(deployment)['metadata'])['annotations'])[marks.restartedFor];
}

function withoutMark(deployment: ApiObject): unknown {
  const template = templateOf(deployment);
  const metadata = recordOf(template['metadata']);
  const { [marks.restartedFor]: _mark, ...annotations } = stringMapOf(metadata['annotations']);
  const { labels } = deployment.metadata;
  return {
    labels,
    own: deployment.metadata.annotations,
    spec: { ...recordOf(deployment['spec']), template: { ...template, metadata: { ...metadata, annotations } } },
  };
}
