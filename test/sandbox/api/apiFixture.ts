import type { ApiObject, Resource } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import { createSimulatedApi, type SimulatedApiOptions } from '../../../src/sandbox/api/createSimulatedApi.js';
import type { ApiEvent, Reply, SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import { seededRandom } from '../../../src/sandbox/seededRandom.js';
import { handTimeline, type HandTimeline } from '../handTimeline.js';

export const startMs = Date.UTC(2026, 9, 13, 20);

/** An API server of its own, with its time in our hands. */
export function apiWith(options: Partial<SimulatedApiOptions> = {}): { api: SimulatedApi; timeline: HandTimeline } {
  const timeline = handTimeline(startMs);
  return { api: createSimulatedApi({ timeline, random: seededRandom(1), ...options }), timeline };
}

/** The value of a reply that must be no refusal. */
export function valueOf<T>(reply: Reply<T>): T {
  if (reply.kind === 'refused') throw new Error(`refused: ${reply.status.code} ${reply.status.message}`);
  return reply.value;
}

/** What a refusal looks like: code, reason, message. */
export function refusalOf(reply: Reply<unknown>): { code: number; reason: string; message: string } | 'ok' {
  if (reply.kind === 'ok') return 'ok';
  const { code, reason, message } = reply.status;
  return { code, reason, message };
}

export function create(api: SimulatedApi, resource: Resource, object: ApiObject): ApiObject {
  const { namespace } = object.metadata;
  return valueOf(api.create({ resource, object, ...(namespace === undefined ? {} : { namespace }) }, 'test'));
}

export function setStatus(api: SimulatedApi, resource: Resource, object: ApiObject, status: unknown): ApiObject {
  const { name = '', namespace } = object.metadata;
  const place = { resource, name, ...(namespace === undefined ? {} : { namespace }) };
  const operations = [{ op: 'add' as const, path: '/status', value: status }];
  return valueOf(api.patch({ ...place, subresource: 'status', patch: { type: 'json', operations } }, 'test'));
}

/** A pod in namespace default that is bound to a node and runs. */
export function runningPod(
  api: SimulatedApi,
  pod: { name?: string; ready?: boolean; phase?: string; labels?: Record<string, string>; metadata?: object } = {},
): ApiObject {
  const { name = 'web-0', ready = true, phase = 'Running', labels = { app: 'web' } } = pod;
  const created = create(api, resources.pods, {
    metadata: { name, namespace: 'default', labels, ...pod.metadata },
    spec: { nodeName: 'worker-1', containers: [{ name: 'main', image: 'main' }] },
  });
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  return setStatus(api, resources.pods, created, { phase, conditions });
}

export function listed(api: SimulatedApi, resource: Resource): readonly ApiObject[] {
  return valueOf(api.list({ resource })).items;
}

export function read(api: SimulatedApi, resource: Resource, name: string, namespace = 'default'): ApiObject {
  return valueOf(api.get({ resource, name, ...(resource.namespaced ? { namespace } : {}) }));
}

/** Follows a resource into an array. */
export function watched(
  api: SimulatedApi,
  request: Parameters<SimulatedApi['watch']>[0],
): { events: ApiEvent[]; stop(): void } {
  const events: ApiEvent[] = [];
  const watch = valueOf(api.watch(request, (event) => events.push(event)));
  return {
    events,
    stop: () => {
      watch.stop();
    },
  };
}

/** `added web-0` and so on. */
export function eventTexts(events: readonly ApiEvent[]): string[] {
  return events.map((event) =>
    event.type === 'bookmark' ? 'bookmark' : `${event.type} ${event.object.metadata.name ?? ''}`,
  );
}
