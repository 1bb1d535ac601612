import type { NodeDescription } from '../simulatedCluster.js';
import type { ScenePace } from './scenePace.js';

const zones = ['zone-a', 'zone-b', 'zone-c'] as const;

/** `worker-1` and so on, one zone after the other. */
export function sceneNodes(
  count: number,
  { newKernelEvery }: Pick<ScenePace, 'newKernelEvery'>,
): (NodeDescription & { readonly zone: string })[] {
  return Array.from({ length: count }, (_, place) => ({
    name: `worker-${String(place + 1)}`,
    zone: zones[place % zones.length] ?? zones[0],
    labels: { 'topology.kubernetes.io/region': 'sandbox' },
    kernel: newKernelEvery > 0 && (place + 1) % newKernelEvery === 0 ? nextKernel : runningKernel,
  }));
}

/** What a host runs before its turn, and what the upgrade installs. */
export const runningKernel = '6.12.41+deb13-amd64';
export const nextKernel = '6.12.57+deb13-amd64';
