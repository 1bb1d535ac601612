import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { KindName, Kinds, KubeObject } from './objects.js';
import { isNamespaced, knownKind, resourcePath } from './resourcePaths.js';
import type { ResourcePath } from './resourcePaths.js';

export interface ApiRequest {
  method: string;
  /** With its query. */
  path: string;
  body?: unknown;
  contentType?: string;
  timeoutMs?: number;
}

export interface ApiResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Parsed where it is JSON, else the text. */
  body: unknown;
}

/** The API server said no; `status` and `body` (a Status object) are its answer. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(request: ApiRequest, response: ApiResponse) {
    const { body } = response;
    const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
    super(`${request.method} ${request.path}: ${response.status} ${said}`);
    this.name = 'ApiFailure';
    this.status = response.status;
    this.body = body;
  }
}

/** What names one object. Without `namespace`, a namespaced kind is looked up in `default`. */
export interface ObjectReference<K extends KindName> {
  kind: K;
  name: string;
  namespace?: string | undefined;
}

/** What names many objects. Without `namespace`, all namespaces. */
export interface Selection<K extends KindName> {
  kind: K;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface PatchOptions {
  /** JSON merge patch (an object), unless `type` says otherwise. */
  body: unknown;
  type?: 'merge' | 'json' | 'strategic';
  subresource?: string;
}

export interface WatchEvent<O> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: O;
}

export interface TestApiOptions {
  server: string;
  certificateAuthority: string;
  token: string;
  userAgent: string;
}

/** The tests' own eyes and hands on the API server: plain HTTPS, none of the code under test. */
export class TestApi {
  readonly #options: TestApiOptions;
  readonly #agent: Agent;

  constructor(options: TestApiOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, ca: options.certificateAuthority });
  }

  /** Any request; answers whatever the server says, also an error. */
  async request(request: ApiRequest): Promise<ApiResponse> {
    const message = await this.#send(request, new AbortController().signal);
    message.setEncoding('utf8');
    let text = '';
    for await (const chunk of message) text += String(chunk);
    const isJson = message.headers['content-type']?.includes('json') ?? false;
    return { status: message.statusCode ?? 0, headers: message.headers, body: isJson ? parseJson(text) : text };
  }

  async get<K extends KindName>(reference: ObjectReference<K>): Promise<Kinds[K]> {
    return (await this.#object({ method: 'GET', path: resourcePath(reference) })) as Kinds[K];
  }

  /** Like `get`, but `undefined` where the object does not exist. */
  async find<K extends KindName>(reference: ObjectReference<K>): Promise<Kinds[K] | undefined> {
    try {
      return await this.get(reference);
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw error;
    }
  }

  async list<K extends KindName>(selection: Selection<K>): Promise<Kinds[K][]> {
    return (await this.listWithVersion(selection)).items;
  }

  /** The objects and the resourceVersion from which a watch goes on. */
  async listWithVersion<K extends KindName>(
    selection: Selection<K>,
  ): Promise<{ items: Kinds[K][]; resourceVersion: string }> {
    const path = resourcePath({ kind: selection.kind, namespace: selection.namespace }) + queryOf(selection);
    const list = (await this.#object({ method: 'GET', path })) as {
      items: Kinds[K][];
      metadata: { resourceVersion: string };
    };
    return { items: list.items, resourceVersion: list.metadata.resourceVersion };
  }

  async create<O extends KubeObject>(object: O): Promise<O> {
    return (await this.#object({ method: 'POST', path: pathOf(object, false), body: object })) as O;
  }

  /** Server-side apply that takes over fields others own. */
  async apply<O extends KubeObject>(object: O): Promise<O> {
    const path = `${pathOf(object, true)}?fieldManager=turnus-test&force=true`;
    return (await this.#object({
      method: 'PATCH',
      path,
      body: object,
      contentType: 'application/apply-patch+yaml',
    })) as O;
  }

  async patch<K extends KindName>(reference: ObjectReference<K>, options: PatchOptions): Promise<Kinds[K]> {
    const types = {
      merge: 'application/merge-patch+json',
      json: 'application/json-patch+json',
      strategic: 'application/strategic-merge-patch+json',
    };
    return (await this.#object({
      method: 'PATCH',
      path: resourcePath({ ...reference, subresource: options.subresource }),
      body: options.body,
      contentType: types[options.type ?? 'merge'],
    })) as Kinds[K];
  }

  /** Deletes; an object that is not there is as good. */
  async delete<K extends KindName>(
    reference: ObjectReference<K>,
    options: { gracePeriodSeconds?: number; propagationPolicy?: string } = {},
  ): Promise<void> {
    const request = { method: 'DELETE', path: resourcePath(reference), body: options };
    const response = await this.request(request);
    if (response.status >= 300 && response.status !== 404) throw new ApiFailure(request, response);
  }

  /** Asks for the eviction of a pod and answers what the server says (201, 429, ...). */
  async evict(pod: { name: string; namespace?: string; uid?: string; dryRun?: boolean }): Promise<ApiResponse> {
    const namespace = pod.namespace ?? 'default';
    return await this.request({
      method: 'POST',
      path: resourcePath({ kind: 'Pod', namespace, name: pod.name, subresource: 'eviction' }),
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: pod.name, namespace },
        deleteOptions: {
          ...(pod.uid === undefined ? {} : { preconditions: { uid: pod.uid } }),
          ...(pod.dryRun === true ? { dryRun: ['All'] } : {}),
        },
      },
    });
  }

  /** Follows a selection from `resourceVersion` until the server ends the watch or `signal` is raised. */
  async watch<K extends KindName>(
    selection: Selection<K> & { resourceVersion: string; signal: AbortSignal },
    onEvent: (event: WatchEvent<Kinds[K]>) => void,
  ): Promise<void> {
    const query = queryOf(selection, { watch: '1', resourceVersion: selection.resourceVersion });
    const path = resourcePath({ kind: selection.kind, namespace: selection.namespace }) + query;
    const message = await this.#send({ method: 'GET', path }, selection.signal);
    message.setEncoding('utf8');
    let unread = '';
    for await (const chunk of message) {
      const lines = (unread + String(chunk)).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) onEvent(parseJson(line) as WatchEvent<Kinds[K]>);
    }
  }

  /** Ends idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #object(request: ApiRequest): Promise<unknown> {
    const response = await this.request(request);
    if (response.status >= 300) throw new ApiFailure(request, response);
    return response.body;
  }

  #send(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { server, token, userAgent } = this.#options;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(new URL(request.path, server), {
        method: request.method,
        agent: this.#agent,
        signal,
        ...(request.timeoutMs === undefined ? {} : { timeout: request.timeoutMs }),
        headers: {
          authorization: `Bearer ${token}`,
          'user-agent': userAgent,
          accept: 'application/json',
          ...(body === undefined
            ? {}
            : { 'content-type': request.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.on('timeout', () => {
        outgoing.destroy(new Error(`no answer from ${server} within ${request.timeoutMs ?? 0} ms`));
      });
      outgoing.end(body);
    });
  }
}

function pathOf(object: KubeObject, withName: boolean): string {
  const kind = knownKind(object.kind);
  const { name, namespace } = object.metadata;
  const path: ResourcePath = { kind, namespace: isNamespaced(kind) ? (namespace ?? 'default') : undefined };
  return resourcePath(withName ? { ...path, name } : path);
}

function queryOf<K extends KindName>(selection: Selection<K>, further: Record<string, string> = {}): string {
  const query = new URLSearchParams(further);
  if (selection.labelSelector !== undefined) query.set('labelSelector', selection.labelSelector);
  if (selection.fieldSelector !== undefined) query.set('fieldSelector', selection.fieldSelector);
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function parseJson(text: string): unknown {
  return JSON.parse(text) as unknown;
}
