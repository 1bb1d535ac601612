import { readFile } from 'node:fs/promises';
import { request as httpsRequest, Agent, createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.js';

/** What the API server is made to answer. */
export type Fault =
  | { readonly kind: 'answer'; readonly status: number; readonly message: string; readonly retryAfterSeconds?: number }
  /** A watch is opened and ended at once by an event of type ERROR with code 410. */
  | { readonly kind: 'expired-watch' }
  /** The answer comes so much later. */
  | { readonly kind: 'slow'; readonly delayMs: number };

export interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
  readonly token: string;
}

export interface AnsweringProxy {
  readonly port: number;
  /** Judges every request from now on; undefined: it goes on to the API server. */
  judge(fault: (asked: AskedRequest) => Fault | undefined): void;
  /** Ends the watches that are open, as an API server does from time to time. */
  endWatches(): void;
  /** Faults so far. */
  faults(): number;
  stop(): Promise<void>;
}

/**
 * The API server's own address and certificate at another port: requests go on to it with the token of the
 * cluster's admin, except where a fault is answered.
 */
export async function startAnsweringProxy(cluster: Cluster, adminToken: string): Promise<AnsweringProxy> {
  const certificates = join(cluster.directory, '..', 'apiserver');
  const { hostname, port } = new URL(cluster.server);
  const agent = new Agent({ keepAlive: true, ca: cluster.certificateAuthority });
  let judge: (asked: AskedRequest) => Fault | undefined = () => undefined;
  let faults = 0;
  const watches = new Set<ServerResponse>();

  const pass = (asked: IncomingMessage, answer: ServerResponse): void => {
    const headers = { ...asked.headers, authorization: `Bearer ${adminToken}` };
    const onward = httpsRequest(
      { host: hostname, port, method: asked.method, path: asked.url, headers, agent },
      (came) => {
        answer.writeHead(came.statusCode ?? 502, came.headers);
        came.pipe(answer);
        came.on('error', () => answer.destroy());
      },
    );
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  };

  const server = createServer(
    {
      key: await readFile(join(certificates, 'apiserver.key')),
      cert: await readFile(join(certificates, 'apiserver.crt')),
    },
    (asked, answer) => {
      const path = asked.url ?? '';
      const isWatch = /[?&]watch=(true|1)/.test(path);
      const fault = judge({
        method: asked.method ?? '',
        path,
        isWatch,
        token: (asked.headers.authorization ?? '').replace('Bearer ', ''),
      });
      if (fault !== undefined) faults += 1;
      switch (fault?.kind) {
        case undefined:
          if (isWatch) {
            watches.add(answer);
            answer.on('close', () => watches.delete(answer));
          }
          pass(asked, answer);
          return;
        case 'slow':
          setTimeout(() => {
            pass(asked, answer);
          }, fault.delayMs);
          return;
        case 'expired-watch':
          answer.writeHead(200, { 'content-type': 'application/json' });
          answer.end(
            `${JSON.stringify({ type: 'ERROR', object: status(410, 'too old resource version', 'Expired') })}\n`,
          );
          return;
        case 'answer': {
          const { status: code, message, retryAfterSeconds } = fault;
          asked.resume();
          answer.writeHead(code, {
            'content-type': 'application/json',
            ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
          });
          answer.end(JSON.stringify(status(code, message)));
        }
      }
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    judge(fault) {
      judge = fault;
    },
    endWatches() {
      for (const watch of watches) watch.end();
    },
    faults: () => faults,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

function status(code: number, message: string, reason = ''): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}
