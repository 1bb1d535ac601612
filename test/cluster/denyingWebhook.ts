import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from './cluster.js';
import { waitFor } from './waitFor.js';

/** An admission webhook of the test that refuses the evictions of one namespace. */
export interface DenyingWebhook {
  /** How often the API server has asked it: for the first refusal too, since a dry run of an eviction is not told as one. */
  asked(): number;
  /** From now on it leaves evictions without an answer. */
  hang(): void;
  /** Evictions that wait for its answer, and for which somebody still waits. */
  waiting(): number;
  /** From now on it lets evictions pass, those that wait for its answer too. */
  relent(): void;
  /** It gives no answer any more; returns when the API server has refused an eviction for that in a dry run. */
  fall(): Promise<void>;
}

/**
 * Serves the webhook on the API server's own address (with its certificate, which every client knows) and registers it;
 * returns when it has refused the eviction of `pod` in a dry run. It ends with the cluster.
 */
export async function startDenyingWebhook(options: {
  cluster: Cluster;
  /** For example `deny.example.com`. */
  name: string;
  namespace: string;
  pod: string;
  /** HTTP status and sentence of the refusal. */
  code: number;
  message: string;
}): Promise<DenyingWebhook> {
  const { cluster, name, namespace, pod, code, message } = options;
  const certificates = join(cluster.directory, '..', 'apiserver');
  let isDenying = true;
  let isHanging = false;
  const held = new Set<() => void>();
  let asked = 0;
  const server = createServer(
    {
      key: await readFile(join(certificates, 'apiserver.key')),
      cert: await readFile(join(certificates, 'apiserver.crt')),
    },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } };
        const { uid } = review.request;
        asked += 1;
        const answer = (): void => {
          const verdict = isDenying ? { allowed: false, status: { code, message } } : { allowed: true };
          response.setHeader('content-type', 'application/json');
          response.end(
            JSON.stringify({
              apiVersion: 'admission.k8s.io/v1',
              kind: 'AdmissionReview',
              response: { uid, ...verdict },
            }),
          );
        };
        if (!isHanging) {
          answer();
          return;
        }
        held.add(answer);
        response.on('close', () => held.delete(answer));
      });
    },
  );
  // The API server keeps its connections: one that ends at the moment of a request would be a webhook that fails.
  server.keepAliveTimeout = 0;
  const { hostname } = new URL(cluster.server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, hostname, resolve);
  });
  cluster.onStop(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  await cluster.api.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: {
          url: `https://${hostname}:${String(port)}/`,
          caBundle: Buffer.from(cluster.certificateAuthority).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        failurePolicy: 'Fail',
        // The longest that the API server waits for any (admissionregistration/v1).
        timeoutSeconds: 30,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  const untilRefused = (status: number) =>
    waitFor({
      what: `an eviction refused with ${String(status)} for webhook ${name}`,
      probe: async () => (await cluster.api.evict({ namespace, name: pod, dryRun: true })).status === status,
    });
  await untilRefused(code);
  return {
    asked: () => asked,
    hang: () => {
      isHanging = true;
    },
    waiting: () => held.size,
    relent: () => {
      isDenying = false;
      isHanging = false;
      for (const answer of held) answer();
    },
    fall: async () => {
      server.close();
      server.closeAllConnections();
      await untilRefused(500);
    },
  };
}
