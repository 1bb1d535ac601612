import { onTestFinished } from 'vitest';
import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import { createSimulatedApi } from '../../../src/sandbox/api/createSimulatedApi.js';
import type { SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import { openApiServer, type ApiServer, type ApiServerOptions } from '../../../src/sandbox/http/openApiServer.js';
import { seededRandom } from '../../../src/sandbox/seededRandom.js';
import type { Timeline } from '../../../src/sandbox/timeline.js';
import { TestApi } from '../../cluster/api.js';

export interface ServedApi {
  readonly api: SimulatedApi;
  readonly server: ApiServer;
  readonly timeline: CountedTimeline;
  /** A plain HTTPS client with the server's token. */
  readonly client: TestApi;
}

/** Time in the test's hands, which also tells how much is waiting in it. */
export interface CountedTimeline extends Timeline {
  advance(ms: number): void;
  /** How many calls are due some time. */
  waiting(): number;
}

/** A simulated API without controllers, served on any free port until the test is over. */
export async function serveApi(options: Partial<ApiServerOptions> = {}): Promise<ServedApi> {
  const timeline = countedTimeline();
  const api = createSimulatedApi({ timeline, random: seededRandom(1) });
  const server = await openApiServer({ api, timeline, ...options });
  const client = clientOf(server, server.token);
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  return { api, server, timeline, client };
}

export function clientOf({ server, certificateAuthority }: ApiServer, token: string): TestApi {
  return new TestApi({ server, certificateAuthority, token, userAgent: 'sandbox-test' });
}

/** Stores an object behind the server's back. */
export function put(api: SimulatedApi, resource: Resource, object: ApiObject): ApiObject {
  const { namespace } = object.metadata;
  const reply = api.create({ resource, object, ...(namespace === undefined ? {} : { namespace }) }, 'test');
  if (reply.kind === 'refused') throw new Error(reply.status.message);
  return reply.value;
}

/** A pod of app `web` in namespace default that runs and is Ready on node-1. */
export function putReadyPod(api: SimulatedApi, name: string): ApiObject {
  const pod = put(api, resources.pods, {
    metadata: { name, namespace: 'default', labels: { app: 'web' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'main' }] },
  });
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: {} } }],
  };
  setStatus(api, resources.pods, pod, status);
  return pod;
}

/** A budget for app `web` with so many disruptions left. */
export function putBudget(api: SimulatedApi, disruptionsAllowed: number): void {
  const budget = put(api, resources.budgets, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  });
  const counts = { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
  setStatus(api, resources.budgets, budget, { ...counts, observedGeneration: 1 });
}

export function setStatus(api: SimulatedApi, resource: Resource, object: ApiObject, status: object): void {
  const { name = '', namespace } = object.metadata;
  const place = { resource, name, subresource: 'status', ...(namespace === undefined ? {} : { namespace }) };
  const reply = api.patch({ ...place, patch: { type: 'merge', body: { status } } }, 'test');
  if (reply.kind === 'refused') throw new Error(reply.status.message);
}

function countedTimeline(): CountedTimeline {
  const entries = new Set<{ readonly dueAt: number; readonly act: () => void }>();
  let now = Date.parse('2026-11-10T21:00:00Z');
  return {
    now: () => now,
    waiting: () => entries.size,
    after(delayMs, act) {
      const entry = { dueAt: now + delayMs, act };
      entries.add(entry);
      return () => entries.delete(entry);
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...entries].filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt);
        if (next === undefined) break;
        entries.delete(next);
        now = next.dueAt;
        next.act();
      }
      now = until;
    },
  };
}
