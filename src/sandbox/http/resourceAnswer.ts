import type { ApiObject } from '../../cluster/clusterPort.js';
import { methodNotAllowed } from '../api/refusals.js';
import type { Reply, SimulatedApi } from '../api/simulatedApi.js';
import type { Timeline } from '../timeline.js';
import { representationOf, type Representation } from './representation.js';
import { deleteOptionsOf, evictionOf, objectOf, patchOf, wholeNumberOf, type RequestBody } from './requestBody.js';
import type { RequestTarget } from './requestTarget.js';
import { jsonResponse, refusalResponse, refusals } from './statusAnswer.js';
import { watchAnswer, type OpenWatch } from './watchAnswer.js';

/** A request for a resource, an object or a subresource. */
export interface ResourceRequest {
  readonly method: string;
  readonly target: RequestTarget;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly body: RequestBody;
  readonly user: string;
  /** Breaks the client's connection off. */
  readonly reset: () => void;
}

export interface ResourceServer {
  readonly api: SimulatedApi;
  readonly timeline: Timeline;
  /** The watches that are open now. */
  readonly watches: Set<OpenWatch>;
}

/** What the API server answers to a request for a resource. */
export function resourceAnswer(request: ResourceRequest, server: ResourceServer): Response {
  const { target, query, accept } = request;
  const { api, timeline } = server;
  const representation = representationOf({
    accept,
    includeObject: query.get('includeObject'),
    resource: target.resource,
    api,
    nowMs: () => timeline.now(),
  });
  if (representation === undefined) return refusalResponse(refusals.notAcceptable);
  const { name } = target;
  const reply =
    name === undefined
      ? ofCollection(request, server, representation)
      : ofObject({ ...request, target: { ...target, name } }, api);
  if (reply instanceof Response) return reply;
  if (reply.kind === 'refused') return refusalResponse(reply.status);
  return jsonResponse(representation.object(reply.value), { status: request.method === 'POST' ? 201 : 200 });
}

function ofCollection(
  request: ResourceRequest,
  server: ResourceServer,
  representation: Representation,
): Response | Reply<ApiObject> {
  const { method, target, query, user } = request;
  if (method === 'GET') {
    return isTrue(query.get('watch')) ? watch(request, server, representation) : list(request, server, representation);
  }
  if (method !== 'POST' || (target.resource.namespaced && target.namespace === undefined)) return methodNotAllowed();
  const object = objectOf(request.body, target);
  if (object.kind !== 'ok') return object;
  return server.api.create({ ...placeOf(request), object: object.value }, user);
}

function ofObject(
  request: ResourceRequest & { readonly target: { readonly name: string } },
  api: SimulatedApi,
): Response | Reply<ApiObject> {
  const { method, target, query, body, user } = request;
  const { name, namespace, subresource } = target;
  switch (method) {
    case 'GET':
      return api.get(target);
    case 'PUT': {
      const object = objectOf(body, target);
      return object.kind === 'ok' ? api.replace({ ...placeOf(request), object: object.value }, user) : object;
    }
    case 'PATCH': {
      const patch = patchOf(body, isTrue(query.get('force')));
      return patch.kind === 'ok' ? api.patch({ ...placeOf(request), name, patch: patch.value }, user) : patch;
    }
    case 'DELETE': {
      if (subresource !== undefined) return methodNotAllowed();
      const options = deleteOptionsOf(body, query);
      if (options.kind !== 'ok') return options;
      const reply = api.delete({ ...target, ...options.value }, user);
      return reply.kind === 'ok' && answersByStatus(target, api) ? jsonResponse(deleted(target, reply.value)) : reply;
    }
    case 'POST': {
      if (subresource !== 'eviction' || namespace === undefined) return methodNotAllowed();
      const eviction = evictionOf(body, { namespace, name }, query);
      if (eviction.kind !== 'ok') return eviction;
      const reply = api.evict(eviction.value, user);
      const done = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
      return reply.kind === 'ok' ? jsonResponse(done, { status: 201 }) : reply;
    }
    default:
      return methodNotAllowed();
  }
}

/** What is deleted at once is answered by a Status, except pods (apiserver, endpoints/handlers/delete.go). */
function answersByStatus(target: RequestTarget & { readonly name: string }, api: SimulatedApi): boolean {
  return target.resource.plural !== 'pods' && api.get(target).kind === 'refused';
}

function deleted({ resource: { group, plural } }: RequestTarget, { metadata: { name, uid } }: ApiObject) {
  const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function list({ target, query }: ResourceRequest, { api }: ResourceServer, representation: Representation) {
  const limit = wholeNumberOf(query.get('limit')) ?? 0;
  const continueToken = query.get('continue') ?? '';
  const reply = api.list({
    ...selectionOf(target, query),
    ...(limit === 0 ? {} : { limit }),
    ...(continueToken === '' ? {} : { continueToken }),
    ...(query.get('resourceVersion') === '0' ? { resourceVersion: '0' } : {}),
  });
  if (reply.kind !== 'ok') return reply;
  const { items, resourceVersion, continueToken: next, remainingItemCount } = reply.value;
  const metadata = {
    resourceVersion,
    ...(next === undefined ? {} : { continue: next }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
  return jsonResponse(representation.list({ items, metadata }));
}

function watch({ target, query, reset }: ResourceRequest, server: ResourceServer, representation: Representation) {
  const { api, timeline, watches: open } = server;
  const request = selectionOf(target, query);
  const opened = watchAnswer({ api, timeline, request, query, representation, open, reset });
  if (opened.kind !== 'ok') return opened;
  return new Response(opened.value.body, {
    headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked', 'Cache-Control': 'no-cache' },
  });
}

function selectionOf({ resource, namespace }: RequestTarget, query: URLSearchParams) {
  const labelSelector = query.get('labelSelector') ?? '';
  const fieldSelector = query.get('fieldSelector') ?? '';
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === '' ? {} : { labelSelector }),
    ...(fieldSelector === '' ? {} : { fieldSelector }),
  };
}

function placeOf({ target, query }: ResourceRequest) {
  const { resource, namespace, subresource } = target;
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(subresource === undefined ? {} : { subresource }),
    dryRun: query.getAll('dryRun').includes('All'),
  };
}

function isTrue(parameter: string | null): boolean {
  return parameter === 'true' || parameter === '1';
}
