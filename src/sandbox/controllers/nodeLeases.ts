import type { ListRequest, ObjectRequest } from '../../cluster/clusterPort.js';
import { recordOf, stringOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import type { World } from './world.js';

export const nodeLeaseNamespace = 'kube-node-lease';

/**
 * Writes the leases of kubelets when somebody is about to read them, so that a hundred kubelets which nobody looks at
 * cost nothing. `lastHeard` says what a node's lease has to tell.
 */
export function renewOnRead(
  { api, state }: World,
  kubelets: {
    readonly names: () => Iterable<string>;
    readonly lastHeard: (node: string) => number | undefined;
    readonly isHeard: (node: string) => boolean;
  },
): (request: ObjectRequest | ListRequest) => void {
  const written = new Map<string, number>();
  const renew = (name: string): void => {
    const renewed = kubelets.lastHeard(name);
    if (renewed === undefined || renewed === written.get(name)) return;
    written.set(name, renewed);
    const renewTime = microTime(renewed);
    const lease = state.objects(resources.leases.plural).get(`${nodeLeaseNamespace}/${name}`);
    const where = { resource: resources.leases, namespace: nodeLeaseNamespace };
    const by = `system:node:${name}`;
    if (lease === undefined) {
      if (!kubelets.isHeard(name)) return;
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
      const metadata = { name, namespace: nodeLeaseNamespace };
      api.create({ ...where, object: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec } }, by);
      return;
    }
    const spec = recordOf(lease['spec']);
    const former = stringOf(spec['renewTime']) ?? '';
    if (renewTime > former) api.replace({ ...where, object: { ...lease, spec: { ...spec, renewTime } } }, by);
  };
  return (request) => {
    if (request.resource.plural !== resources.leases.plural) return;
    if ((request.namespace ?? nodeLeaseNamespace) !== nodeLeaseNamespace) return;
    if ('name' in request) renew(request.name);
    else for (const name of kubelets.names()) renew(name);
  };
}

function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
