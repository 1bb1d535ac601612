import { randomUUID } from 'node:crypto';
import type { Node } from './objects.js';

/** A node as a kubelet would register it, played by kwok. */
export function nodeObject({ number, zones, address }: { number: number; zones: number; address: string }): Node {
  const name = `node-${number}`;
  const resources = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '500Gi' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kwok.x-k8s.io/node': 'fake',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/region': 'region-1',
        'topology.kubernetes.io/zone': `zone-${String.fromCharCode(97 + ((number - 1) % zones))}`,
      },
    },
    spec: {},
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        bootID: randomUUID(),
        machineID: randomUUID().replaceAll('-', ''),
        systemUUID: randomUUID(),
        kernelVersion: '6.1.0-40-amd64',
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
