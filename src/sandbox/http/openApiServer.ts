import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { TurnusError } from '../../turnusError.js';
import type { SimulatedApi } from '../api/simulatedApi.js';
import type { Timeline } from '../timeline.js';
import { currentFaults, type ApiFaults } from './apiFaults.js';
import { apiRoutes, type SideDoor } from './apiRoutes.js';
import { createCertificate } from './certificate.js';
import { kubeconfigText } from './kubeconfig.js';
import type { OpenWatch } from './watchAnswer.js';

export interface ApiServerOptions {
  readonly api: SimulatedApi;
  readonly timeline: Timeline;
  /** Absent or 0: any free one. */
  readonly port?: number;
  /** User name by bearer token. Absent: one random token, of user `sandbox-admin`. */
  readonly tokens?: ReadonlyMap<string, string>;
  readonly sideDoor?: SideDoor;
}

/** The sandbox's API over HTTPS, on the loopback address only. */
export interface ApiServer {
  /** `https://127.0.0.1:<port>` */
  readonly server: string;
  readonly port: number;
  /** PEM. */
  readonly certificateAuthority: string;
  /** The first bearer token. */
  readonly token: string;
  /**
   * A kubeconfig for the user named (the first where absent). It holds the token: write it with mode 0600.
   * Throws where nobody has that name.
   */
  kubeconfig(options?: { readonly context?: string; readonly user?: string }): string;
  readonly faults: ApiFaults;
  /** Ends every connection, watch and timer at once, and frees the port. */
  close(): Promise<void>;
}

const loopback = '127.0.0.1';

/**
 * Serves a simulated cluster to kubectl, Turnus and anything else that speaks to an API server.
 *
 * @throws TurnusError `port-in-use`, `sandbox-not-installed`
 */
export async function openApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { api, timeline, tokens = new Map([[randomToken(), 'sandbox-admin']]), sideDoor } = options;
  const { key, certificate } = await createCertificate(Date.now());
  const sockets = new Set<Socket>();
  const watches = new Set<OpenWatch>();
  const faults = currentFaults(timeline, () => {
    for (const watch of watches) watch.reset();
  });
  const routes = apiRoutes({ api, timeline, watches, tokens, faults, sideDoor });
  const listener = getRequestListener((request, env) => routes.fetch(request, env), { overrideGlobalObjects: false });
  const server = createServer({ key, cert: certificate }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server, options.port ?? 0);
  const url = `https://${loopback}:${port}`;

  return {
    server: url,
    port,
    certificateAuthority: certificate,
    token: firstOf(tokens, () => true)[0],
    faults,
    kubeconfig({ context = 'turnus-sandbox', user } = {}) {
      const [token, name] = firstOf(tokens, (known) => user === undefined || known === user);
      return kubeconfigText({ server: url, certificateAuthority: certificate, token, user: name, context });
    },
    async close() {
      faults.end();
      for (const watch of watches) watch.end();
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A token that nobody guesses. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

async function listen(server: Server, port: number): Promise<number> {
  const listening = once(server, 'listening');
  server.listen({ host: loopback, port });
  try {
    await listening;
  } catch (cause) {
    if (!isInUse(cause)) throw cause;
    throw new TurnusError({
      code: 'port-in-use',
      message: `Port ${port} of ${loopback} is in use`,
      hint: 'Another sandbox may be running: end it, or choose another port (0 takes a free one).',
      cause,
    });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function firstOf(tokens: ReadonlyMap<string, string>, isWanted: (user: string) => boolean): [string, string] {
  for (const [token, user] of tokens) if (isWanted(user)) return [token, user];
  throw new Error('no token belongs to this user');
}
