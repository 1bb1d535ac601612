import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message as the receiver of a webhook got it. */
export interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly event: Record<string, unknown>;
}

/** A webhook on loopback. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Resolves when so many messages are there. */
  readonly until: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Answers each message with what `answer` does; 204 where it does nothing. */
export async function openReceiver(
  answer: (response: ServerResponse, place: number) => void = (response) => response.writeHead(204).end(),
  port = 0,
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting: { count: number; wake: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({ headers: request.headers, body, event: JSON.parse(body) as Record<string, unknown> });
      answer(response, received.length);
      for (const { count, wake } of waiting) if (received.length >= count) wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${String(taken)}/hook/of/turnus?path=secret-path`,
    port: taken,
    received,
    until: (count) =>
      new Promise((wake) => {
        if (received.length >= count) wake();
        else waiting.push({ count, wake });
      }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
