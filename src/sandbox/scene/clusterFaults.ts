import type { ApiObject, Resource } from '../../cluster/clusterPort.js';
import { recordOf, recordsOf, stringMapOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import type { FaultMaker, MadeFault } from '../faults.js';
import type { SimulatedApi } from '../api/simulatedApi.js';
import type { SimulatedCluster } from '../simulatedCluster.js';
import { stuckWorkload } from './workloads.js';

const unreadyAnnotation = 'sandbox.turnus.dev/unready';

/** Faults that people and workloads make in a cluster. */
export function clusterFaults(
  cluster: SimulatedCluster,
  nodes: readonly string[],
): Readonly<Record<'block-budget' | 'unready' | 'silence-kubelet', FaultMaker>> {
  const { api } = cluster;
  return {
    'block-budget': ({ subject = 'shop/web' }) => {
      const found = find(api, [resources.budgets], subject);
      if ('refused' in found) return found;
      const { object, label } = found;
      const { maxUnavailable = null, minAvailable = null } = recordOf(object['spec']);
      patch(api, resources.budgets, object, { spec: { maxUnavailable: 0, minAvailable: null } });
      return {
        subject: label,
        broken: `The budget ${label} allows no eviction any more (maxUnavailable: 0).`,
        mend: () => {
          patch(api, resources.budgets, object, { spec: { maxUnavailable, minAvailable } });
          return `The budget ${label} is as before.`;
        },
      };
    },

    unready: ({ subject }) => {
      if (subject === undefined) return { refused: 'Name a workload, for example shop/web.' };
      const found = find(api, [resources.deployments, resources.statefulSets], subject);
      if ('refused' in found) return found;
      const { object, label } = found;
      const pods = podsOf(api, object);
      for (const pod of pods) {
        patch(api, resources.pods, pod, { metadata: { annotations: { [unreadyAnnotation]: 'yes' } } });
        patch(api, resources.pods, pod, { status: unreadyStatus(pod) }, 'status');
      }
      return {
        subject: label,
        broken: `The ${String(pods.length)} pods of ${label} run, but are not Ready.`,
        mend: () => {
          for (const pod of podsOf(api, object))
            patch(api, resources.pods, pod, { metadata: { annotations: { [unreadyAnnotation]: null } } });
          return `The pods of ${label} get Ready again.`;
        },
      };
    },

    'silence-kubelet': ({ subject: node }) => {
      if (node === undefined || !nodes.includes(node)) return unknownNode(node, nodes);
      cluster.machine(node).silence(true);
      return {
        subject: node,
        broken: `The kubelet of ${node} is not heard any more; the node turns NotReady when its lease has run out.`,
        mend: () => {
          cluster.machine(node).silence(false);
          return `The kubelet of ${node} is heard again.`;
        },
      };
    },
  };
}

/** What is wrong with the scene from its beginning, until the team of the workload mends it. */
export function stuckBudget(api: SimulatedApi): MadeFault {
  const { namespace, name, mendedReplicas } = stuckWorkload;
  const label = `${namespace}/${name}`;
  return {
    // Another fault than a budget that was changed.
    subject: `${label} from the beginning`,
    broken: `The budget ${label} wants one available pod, and the Deployment has only one replica.`,
    mend: () => {
      const found = find(api, [resources.deployments], label);
      if ('refused' in found) return found.refused;
      patch(api, resources.deployments, found.object, { spec: { replicas: mendedReplicas } });
      return `The Deployment ${label} has ${String(mendedReplicas)} replicas now, so its budget allows an eviction.`;
    },
  };
}

export function unknownNode(node: string | undefined, nodes: readonly string[]): { readonly refused: string } {
  const known = `The nodes are: ${nodes.join(', ')}.`;
  return { refused: node === undefined ? `Name a node. ${known}` : `There is no node ${node}. ${known}` };
}

type Found = { readonly object: ApiObject; readonly label: string } | { readonly refused: string };

/** The object that people call `namespace/name`, or `name` where that is clear. */
function find(api: SimulatedApi, among: readonly Resource[], subject: string): Found {
  const objects = among.flatMap((resource) => {
    const reply = api.list({ resource });
    return reply.kind === 'ok' ? reply.value.items : [];
  });
  const labelled = objects.map((object) => ({ object, label: labelOf(object) }));
  const matching = labelled.filter(({ object, label }) => label === subject || object.metadata.name === subject);
  const [only, ...more] = matching;
  if (only !== undefined && more.length === 0) return only;
  const known = labelled.map(({ label }) => label).join(', ');
  const what = among.map(({ plural }) => plural).join(' and ');
  return {
    refused: `${only === undefined ? 'None' : 'More than one'} of the ${what} is called ${subject}. There are: ${known}.`,
  };
}

function labelOf({ metadata: { namespace = '', name = '' } }: ApiObject): string {
  return `${namespace}/${name}`;
}

function podsOf(api: SimulatedApi, owner: ApiObject): readonly ApiObject[] {
  const { namespace = '' } = owner.metadata;
  const { matchLabels } = recordOf(recordOf(owner['spec'])['selector']);
  const labelSelector = Object.entries(stringMapOf(matchLabels))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const reply = api.list({ resource: resources.pods, namespace, labelSelector });
  return reply.kind === 'ok' ? reply.value.items : [];
}

function unreadyStatus(pod: ApiObject): Readonly<Record<string, unknown>> {
  const status = recordOf(pod['status']);
  return {
    conditions: recordsOf(status['conditions']).map((condition) =>
      condition['type'] === 'Ready' || condition['type'] === 'ContainersReady'
        ? { ...condition, status: 'False', reason: 'ContainersNotReady' }
        : condition,
    ),
    containerStatuses: recordsOf(status['containerStatuses']).map((container) => ({ ...container, ready: false })),
  };
}

/** An object that is gone meanwhile needs no patch. */
function patch(
  api: SimulatedApi,
  resource: Resource,
  { metadata: { namespace = '', name = '' } }: ApiObject,
  body: Readonly<Record<string, unknown>>,
  subresource?: string,
): void {
  const reply = api.patch(
    {
      resource,
      namespace,
      name,
      patch: { type: 'merge', body },
      ...(subresource === undefined ? {} : { subresource }),
    },
    'sandbox',
  );
  if (reply.kind === 'refused' && reply.status.code !== 404)
    throw new Error(`${resource.plural} ${namespace}/${name} cannot be patched: ${reply.status.message}`);
}
