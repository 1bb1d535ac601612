import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { recordOf } from '../../../src/cluster/json.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Call } from '../witness.js';
import { evictionOf } from './lastReplicaStays.js';
import { appOf, isReady, isSame, isServing, nodeOfPod, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** A workload that our evictions made short, until all that it had is there again. */
interface Short {
  readonly namespace: string;
  readonly app: string;
  readonly readyBefore: number;
  /** The nodes from which its pods were evicted since then. */
  readonly nodes: Set<string>;
}

/**
 * One node after the other: no node that holds replicas of a workload is cordoned before the workload has again what our
 * evictions on another node took from it, however long that is waited for. It must be so in truth and in what the actor
 * had been told: only where both agree was it a mistake of the actor.
 */
export const shortOwnersKeepNodes: MakeInvariant = (night) => {
  const { say, violations } = complaints('short-owners-keep-nodes', night);
  // Beside another turn a workload may be short of both nodes' pods for as long as its budget allows.
  if (night.night.playbook.concurrency > 1) return { violations };
  const short = new Map<string, Short>();
  const told = new Map<string, ReadonlySet<string>>();
  // One that a person uncordoned is cordoned again whatever else is short: unproven, it must not be in service.
  const touched = new Set<string>();

  const needed = ({ namespace, app, readyBefore }: Short): number =>
    Math.min(readyBefore, night.truth.desired(namespace, app) ?? 0);
  const isShort = (each: Short, pods: readonly ApiObject[]): boolean => serving(pods, each) < needed(each);

  const recorded = (node: string, { namespace, app }: Pick<Short, 'namespace' | 'app'>): number | undefined => {
    const turn = night.truth.turns().find((one) => nodeOfTurn(one) === node);
    const { displaced = [] } = turn === undefined ? {} : turnStatusOf(turn);
    return displaced.find(({ owner }) => owner.startsWith(`${namespace}/`) && owner.endsWith(`/${app}`))?.readyBefore;
  };

  return {
    onHost(event) {
      if (event.kind === 'job-started' && event.stage !== 'prepare') touched.add(event.node);
      if (event.kind === 'went-down' && event.asked) touched.add(event.node);
    },
    sent(call) {
      if (!isCordon(call) || touched.has(call.name ?? '')) return;
      const known = [...night.told.of(call.actor).pods.values()].map(({ object }) => object);
      told.set(callId(call), new Set([...short].flatMap(([key, each]) => (isShort(each, known) ? [key] : []))));
    },
    arrived(call, answer) {
      const request = evictionOf(call);
      if (request !== undefined && answer.kind === 'accepted') {
        const pod = night.truth.pod(request);
        const app = pod && appOf(pod);
        const node = pod && nodeOfPod(pod);
        if (pod === undefined || app === undefined || node === undefined) return;
        const key = `${request.namespace}/${app}`;
        const before = short.get(key);
        const others = night.truth.pods(request.namespace).filter((other) => other.metadata.uid !== pod.metadata.uid);
        const { namespace } = request;
        const now = serving(others, { namespace, app }) + (isReady(pod) ? 1 : 0);
        // Counted when the drain began: replicas that came since then were nobody's loss.
        const readyBefore = Math.min(now, recorded(node, { namespace, app }) ?? now);
        if (before === undefined) short.set(key, { namespace, app, readyBefore, nodes: new Set([node]) });
        else before.nodes.add(node);
        return;
      }
      const toldShort = told.get(callId(call));
      told.delete(callId(call));
      if (toldShort === undefined || answer.kind !== 'ok') return;
      const { name: node = '' } = call;
      for (const key of toldShort) {
        const each = short.get(key);
        if (each === undefined || each.nodes.has(node)) continue;
        const here = night.truth.pods(each.namespace).some((pod) => nodeOfPod(pod) === node && isReplica(pod, each));
        if (!here) continue;
        say(
          `${call.actor} cordoned ${node}, which holds replicas of ${key}, while that was short of what it had before the evictions from ${[...each.nodes].join(', ')}`,
        );
      }
    },
    changed({ resource, object }) {
      if (short.size === 0 || !isSame(resource, resources.pods)) return;
      const key = `${object.metadata.namespace ?? ''}/${appOf(object) ?? ''}`;
      const each = short.get(key);
      if (each !== undefined && !isShort(each, night.truth.pods(each.namespace))) short.delete(key);
    },
    violations,
  };
};

/** The patch that makes a node unschedulable by us. */
function isCordon({ port, verb, resource, request }: Call): boolean {
  if (port !== 'cluster' || verb !== 'patch' || !isSame(resource, resources.nodes)) return false;
  const { operations } = recordOf(recordOf(request)['patch']);
  const paths = Array.isArray(operations)
    ? operations.map(recordOf).map(({ op, path }) => `${String(op)} ${String(path)}`)
    : [];
  return (
    paths.includes('add /spec/unschedulable') &&
    paths.some((path) => path.includes(marks.cordonedBy.replaceAll('/', '~1')) || path === 'add /metadata/annotations')
  );
}

function serving(pods: readonly ApiObject[], workload: Pick<Short, 'namespace' | 'app'>): number {
  return pods.filter((pod) => isReplica(pod, workload) && isServing(pod)).length;
}

function isReplica(pod: ApiObject, { namespace, app }: Pick<Short, 'namespace' | 'app'>): boolean {
  return pod.metadata.namespace === namespace && appOf(pod) === app && pod.metadata.deletionTimestamp === undefined;
}

function callId({ actor, number }: Call): string {
  return `${actor} ${String(number)}`;
}
