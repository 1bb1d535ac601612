import type { ListRequest, Resource } from '../../cluster/clusterPort.js';
import type { ApiEvent, Reply, SimulatedApi } from '../api/simulatedApi.js';
import type { Timeline } from '../timeline.js';
import type { Representation } from './representation.js';
import { wholeNumberOf } from './requestBody.js';
import { statusOf } from './statusAnswer.js';

export interface WatchOptions {
  readonly api: SimulatedApi;
  readonly timeline: Timeline;
  readonly request: Pick<ListRequest, 'namespace' | 'labelSelector' | 'fieldSelector'> & {
    readonly resource: Resource & { readonly kind: string };
  };
  readonly query: URLSearchParams;
  readonly representation: Representation;
  /** The watches that are open: this one is among them as long as it lasts. */
  readonly open: Set<OpenWatch>;
  /** Breaks the client's connection off. */
  readonly reset: () => void;
}

export interface OpenWatch {
  /** Closes the stream as a server does whose time for it is over. */
  readonly end: () => void;
  /** Breaks the connection off. */
  readonly reset: () => void;
}

const bookmarkEveryMs = 60_000;
/** The least time of a watch for which the client asks no other (kube-apiserver, --min-request-timeout). */
const defaultSeconds = 1800;
/** A reader that is so far behind is dropped, as the server does. */
const mostUnreadBytes = 64 * 1024 * 1024;

/** Answers a watch: one JSON event a line (apiserver, pkg/endpoints/handlers/watch.go). */
export function watchAnswer(options: WatchOptions): Reply<{ readonly body: ReadableStream<Uint8Array> }> {
  const { api, timeline, request, query, representation, open, reset } = options;
  const line = new TextEncoder();
  const wantsBookmarks = isTrue(query.get('allowWatchBookmarks'));
  const stops: (() => void)[] = [];
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let hasEnded = false as boolean;

  const stop = () => {
    hasEnded = true;
    for (const each of stops.splice(0)) each();
    open.delete(watch);
  };
  const end = () => {
    if (hasEnded) return;
    controller?.close();
    stop();
  };
  const watch: OpenWatch = { end, reset };
  const source = {
    start(opened: ReadableStreamDefaultController<Uint8Array>) {
      controller = opened;
    },
    cancel: stop,
  };
  const body = new ReadableStream<Uint8Array>(source, new ByteLengthQueuingStrategy({ highWaterMark: 0 }));
  const send = (type: string, object: unknown) => {
    if (hasEnded) return;
    controller?.enqueue(line.encode(`${JSON.stringify({ type, object })}\n`));
    if ((controller?.desiredSize ?? 0) < -mostUnreadBytes) end();
  };
  const bookmark = (resourceVersion: string, annotations?: Readonly<Record<string, string>>) => {
    if (!wantsBookmarks) return;
    const { kind, group, version } = request.resource;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    send('BOOKMARK', { kind, apiVersion, metadata: { resourceVersion, ...(annotations && { annotations }) } });
  };
  const tell = (event: ApiEvent) => {
    if (event.type === 'bookmark') bookmark(event.resourceVersion);
    else send(event.type.toUpperCase(), representation.event(event.object));
  };

  const wantsInitial = isTrue(query.get('sendInitialEvents'));
  const resourceVersion = wantsInitial ? '0' : (query.get('resourceVersion') ?? '0');
  const following = api.watch({ ...request, resourceVersion }, tell);
  if (following.kind === 'refused') {
    if (following.status.code !== 410) return following;
    // Once the version could be read, the server says what is wrong inside the stream (storage/cacher/cacher.go).
    send('ERROR', statusOf(following.status));
    end();
    return { kind: 'ok', value: { body } };
  }
  // KEP-3157: a client that asked for a streamed list waits for this mark.
  if (wantsInitial) bookmark(api.version(), { 'k8s.io/initial-events-end': 'true' });
  const remind = () => {
    bookmark(api.version());
    stops[1] = timeline.after(bookmarkEveryMs, remind);
  };
  const seconds = wholeNumberOf(query.get('timeoutSeconds')) ?? 0;
  const close = () => {
    bookmark(api.version());
    end();
  };
  open.add(watch);
  stops.push(
    () => {
      following.value.stop();
    },
    timeline.after(bookmarkEveryMs, remind),
    timeline.after((seconds === 0 ? defaultSeconds : seconds) * 1000, close),
  );
  if (hasEnded) stop();
  return { kind: 'ok', value: { body } };
}

function isTrue(parameter: string | null): boolean {
  return parameter === 'true' || parameter === '1';
}
