import type { TestApi } from '../api.js';
import { ApiFailure } from '../api.js';
import { resourcePath } from '../resourcePaths.js';
import { waitFor } from '../waitFor.js';

const group = 'test.example.com';

/** A reference to an object of a custom kind, as its pods and budgets carry it. */
export interface CustomReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean;
}

/** Makes the kinds Fleet (with a scale) and Flock (without) known; returns when the API server serves them. */
export async function createCustomKinds(api: TestApi): Promise<void> {
  for (const kind of ['Fleet', 'Flock'] as const) {
    const plural = pluralOf(kind);
    await api.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, plural, singular: kind.toLowerCase() },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            subresources: {
              status: {},
              ...(kind === 'Fleet'
                ? { scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } }
                : {}),
            },
          },
        ],
      },
    });
    await waitFor({
      what: `${kind}s to be served`,
      probe: async () => (await api.request({ method: 'GET', path: `/apis/${group}/v1/${plural}` })).status === 200,
    });
  }
}

/** Creates an object of a custom kind; answers the reference with which it controls its pods. */
export async function createCustom(
  api: TestApi,
  object: { kind: 'Fleet' | 'Flock'; namespace: string; name: string; replicas: number },
): Promise<CustomReference> {
  const { kind, namespace, name, replicas } = object;
  const apiVersion = `${group}/v1`;
  const request = {
    method: 'POST',
    path: `/apis/${group}/v1/namespaces/${namespace}/${pluralOf(kind)}`,
    body: { apiVersion, kind, metadata: { name }, spec: { replicas } },
  };
  const response = await api.request(request);
  if (response.status !== 201) throw new ApiFailure(request, response);
  const { uid } = (response.body as { metadata: { uid: string } }).metadata;
  return { apiVersion, kind, name, uid, controller: true };
}

/** Creates a ReplicationController, which the test client does not know by name. */
export async function createReplicationController(api: TestApi, namespace: string, body: object): Promise<void> {
  const path = resourcePath({ kind: 'Pod', namespace }).replace(/pods$/, 'replicationcontrollers');
  const response = await api.request({ method: 'POST', path, body });
  if (response.status !== 201) throw new ApiFailure({ method: 'POST', path }, response);
}

function pluralOf(kind: 'Fleet' | 'Flock'): string {
  return `${kind.toLowerCase()}s`;
}
