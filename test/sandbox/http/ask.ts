import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ApiServer } from '../../../src/sandbox/http/openApiServer.js';

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Absent: the server's own; empty: none. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** One request on a connection of its own, with any header and body. */
export async function ask(server: ApiServer, question: Question): Promise<Answer> {
  const message = await open(server, question);
  message.setEncoding('utf8');
  let text = '';
  for await (const chunk of message) text += String(chunk);
  const isJson = message.headers['content-type']?.includes('json') ?? false;
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}

/** The same, answered as soon as the head of the answer is there. */
export async function open(server: ApiServer, question: Question): Promise<IncomingMessage> {
  const { method = 'GET', path, headers = {}, body, token = server.token, signal } = question;
  return await new Promise((resolve, reject) => {
    const outgoing = httpsRequest(new URL(path, server.server), {
      method,
      agent: false,
      ca: server.certificateAuthority,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The events of a watch, parsed, as they come. */
export async function* eventsOf(message: IncomingMessage): AsyncGenerator<{ type: string; object: unknown }> {
  message.setEncoding('utf8');
  let unread = '';
  for await (const chunk of message) {
    const lines = (unread + String(chunk)).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as { type: string; object: unknown };
  }
}
