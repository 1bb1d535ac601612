import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { TurnusError } from '../turnusError.js';

/** A server that answers. */
export interface Listening {
  /** Where, as `127.0.0.1:9690` or `[::1]:9690`: the port that was taken where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  /**
   * Takes no more connections and resolves when the last one has ended; requests under way are finished until the signal
   * aborts, then cut off.
   */
  close(signal: AbortSignal): Promise<void>;
}

/** How long a client may take, in milliseconds: readings are short, and nothing is taken in. */
const limits = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 30_000 } as const;
/** Prometheus and the kubelet need one or two. */
const mostConnections = 200;

/**
 * Serves the app on `address` (`ADDRESS:PORT`, IPv6 in brackets).
 *
 * @throws TurnusError `listen-address-invalid`, `listen-failed`
 */
export async function listen({ app, address }: { readonly app: Hono; readonly address: string }): Promise<Listening> {
  const { host, port } = parseListenAddress(address);
  const listener = getRequestListener((request, env) => app.fetch(request, env), { overrideGlobalObjects: false });
  const server = createServer({ ...limits, maxHeaderSize: 8192 }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  server.maxConnections = mostConnections;
  const bound = await bind(server, { host, port, address });
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${String(bound)}`,
    port: bound,
    async close(signal) {
      if (!server.listening) return;
      const closed = once(server, 'close');
      const cutOff = () => {
        server.closeAllConnections();
      };
      server.close();
      server.closeIdleConnections();
      if (signal.aborted) cutOff();
      else signal.addEventListener('abort', cutOff, { once: true });
      await closed;
      signal.removeEventListener('abort', cutOff);
    },
  };
}

/** @throws TurnusError `listen-address-invalid` */
export function parseListenAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(address);
  const [, inBrackets, plain, digits = ''] = match ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new TurnusError({
    code: 'listen-address-invalid',
    message: `--listen ${JSON.stringify(address)} is no address to listen on`,
    hint: 'Write ADDRESS:PORT, as 127.0.0.1:9690, 0.0.0.0:9690 or [::]:9690.',
  });
}

async function bind(
  server: Server,
  { host, port, address }: { host: string; port: number; address: string },
): Promise<number> {
  const listening = once(server, 'listening');
  server.listen({ host, port });
  try {
    await listening;
  } catch (cause) {
    const isInUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurnusError({
      code: 'listen-failed',
      message: `Nothing can be served on ${address}: ${isInUse ? 'the port is in use' : reason}`,
      hint: isInUse
        ? 'Another turnus serve may run here: end it, or choose another port with --listen.'
        : 'Choose an address of this machine and a port that may be used with --listen.',
      cause,
    });
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server listens on no port');
  return bound.port;
}
