import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { CurrentFaults } from './apiFaults.js';
import { discoveryAnswer, versionAnswer } from './discovery.js';
import { openApiAnswer } from './openApi.js';
import { requestTargetOf } from './requestTarget.js';
import { resourceAnswer, type ResourceServer } from './resourceAnswer.js';
import { jsonResponse, refusalResponse, refusals } from './statusAnswer.js';

/** What is larger than etcd takes by far. */
const mostBodyBytes = 3 * 1024 * 1024;

/** A path of the sandbox itself beside the API, behind the same tokens; faults of the API do not concern it. */
export interface SideDoor {
  readonly path: string;
  /** The answer, JSON, to what is posted there. */
  readonly answer: (body: string) => unknown;
}

/** Every path of the API, behind a token. */
export function apiRoutes(
  parts: ResourceServer & {
    /** User name by bearer token. */
    readonly tokens: ReadonlyMap<string, string>;
    readonly faults: Pick<CurrentFaults, 'isCut' | 'refusal'>;
    readonly sideDoor: SideDoor | undefined;
  },
) {
  const { api, tokens, faults, sideDoor } = parts;
  const app = new Hono<{ Bindings: HttpBindings; Variables: { user: string } }>();

  app.use(async (context, next) => {
    const [, token = ''] = /^Bearer (\S+)$/.exec(context.req.header('Authorization') ?? '') ?? [];
    const user = tokens.get(token);
    if (user === undefined) return refusalResponse(refusals.unauthorized);
    context.set('user', user);
    await next();
    return undefined;
  });

  if (sideDoor !== undefined) {
    app.post(sideDoor.path, async ({ req }) => jsonResponse(sideDoor.answer((await textOf(req.raw.body)) ?? '')));
  }
  app.use(async ({ env }, next) => {
    if (faults.isCut()) {
      env.incoming.socket.destroy();
      return RESPONSE_ALREADY_SENT;
    }
    const refusal = faults.refusal();
    if (refusal !== undefined) return refusalResponse(refusal);
    await next();
    return undefined;
  });

  app.get('/version', () => jsonResponse(versionAnswer));
  for (const path of ['/readyz', '/livez', '/healthz']) app.get(path, (context) => context.text('ok'));

  app.all('*', async (context) => {
    const { req } = context;
    const path = new URL(req.url).pathname;
    const served = api.served();
    const description =
      req.method === 'GET' ? (discoveryAnswer(path, served) ?? openApiAnswer(path, served)) : undefined;
    if (description !== undefined) return jsonResponse(description);
    const target = requestTargetOf(path, served);
    if (target === undefined) return refusalResponse(refusals.unknownPath(path));
    const text = await textOf(req.raw.body);
    if (text === undefined) return refusalResponse(refusals.tooLarge(mostBodyBytes));
    return resourceAnswer(
      {
        method: req.method,
        target,
        query: new URL(req.url).searchParams,
        accept: req.header('Accept'),
        body: { contentType: contentTypeOf(req.header('Content-Type')), text },
        user: context.get('user'),
        reset: () => {
          context.env.incoming.socket.destroy();
        },
      },
      parts,
    );
  });
  app.onError((error) => refusalResponse(refusals.internal(`the sandbox failed: ${error.message}`)));
  return app;
}

/** Undefined where it is too large. The rest is then left unread: ending the stream would end the connection. */
async function textOf(body: ReadableStream<Uint8Array> | null): Promise<string | undefined> {
  const reader = body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const read = await reader?.read();
    if (read === undefined || read.done) return Buffer.concat(chunks).toString('utf8');
    bytes += read.value.length;
    if (bytes > mostBodyBytes) return undefined;
    chunks.push(read.value);
  }
}

function contentTypeOf(header: string | undefined): string {
  return (header ?? '').replace(/;.*$/, '').trim().toLowerCase();
}
