import type { ApiObject } from '../cluster/clusterPort.js';
import type { SeededRandom } from './seededRandom.js';
import type { NodeDescription } from './simulatedCluster.js';

/** A Node object as a kubelet registers it, not Ready yet. */
export function nodeObject(description: NodeDescription, random: SeededRandom): ApiObject {
  const { name, zone, labels, taints = [] } = description;
  const { cpu = 4, memoryGib = 16, pods = 110 } = description.capacity ?? {};
  const capacity = { cpu: String(cpu), memory: `${String(memoryGib)}Gi`, pods: String(pods) };
  const address = description.address ?? `10.0.${String(random.between(0, 255))}.${String(random.between(1, 254))}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
        ...labels,
      },
    },
    // Admission adds the taint (plugin TaintNodesByCondition); the node controller takes it away.
    spec: { taints: [...taints, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
    status: {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        bootID: description.bootId ?? random.uuid(),
        machineID: random.uuid().replaceAll('-', ''),
        systemUUID: random.uuid(),
        kernelVersion: description.kernel ?? '6.1.0-40-amd64',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        containerRuntimeVersion: 'containerd://2.1.4',
        kubeletVersion: 'v1.36.3',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  };
}
