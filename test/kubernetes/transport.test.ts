import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect as netConnect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { apiFailureOf } from '../../src/kubernetes/apiFailure.js';
import { credentialsOf, type Credentials } from '../../src/kubernetes/credentials.js';
import { readKubeconfig } from '../../src/kubernetes/kubeconfig.js';
import { repeatReads } from '../../src/kubernetes/repeatReads.js';
import { transport, type Transport, type TransportOptions } from '../../src/kubernetes/transport.js';
import { systemClock } from '../../src/systemClock.js';

/** These tests are about connections alone: a server on loopback plays what a network does, not what Kubernetes does. */
const endings: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
});

interface Loopback {
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[];
  /** Connections opened so far. */
  connections(): number;
  stop(): Promise<void>;
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  listening?: Server,
): Promise<Loopback> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = listening ?? createServer();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  endings.push(stop);
  return { url: `http://127.0.0.1:${String(port)}`, port, requests, connections: () => connections, stop };
}

const anonymous: Credentials = {
  current: async () =>
    await Promise.resolve({ headers: { Authorization: 'Bearer t' }, tls: {}, proxyAgent: undefined }),
  renew: () => false,
};

function transportTo(server: string, options: Partial<TransportOptions> = {}): Transport {
  const made = transport({
    server,
    credentials: anonymous,
    userAgent: 'turnus/test',
    clock: systemClock,
    requestTimeoutMs: 1000,
    ...options,
  });
  endings.push(() => {
    made.close();
  });
  return made;
}

const signal = new AbortController().signal;
const get = { method: 'GET', path: '/api?x=1' } as const;

/** Credentials of the single user of a kubeconfig in a fresh directory. */
async function credentialsFrom(user: unknown, cluster: Record<string, unknown>, script?: string) {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-transport-'));
  endings.push(async () => {
    await rm(directory, { recursive: true });
  });
  if (script !== undefined) {
    await writeFile(join(directory, 'login'), script);
    await chmod(join(directory, 'login'), 0o700);
  }
  const content = {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(join(directory, 'config'), JSON.stringify(content));
  const selected = await readKubeconfig({ path: join(directory, 'config') });
  return { directory, credentials: credentialsOf(selected, systemClock) };
}

describe('the transport', () => {
  it('sends what is asked, below the path of the server, and says who it is', async () => {
    const bodies: string[] = [];
    const server = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
      request.on('end', () => response.writeHead(429, { 'Retry-After': '7' }).end('later'));
    });
    const sent = transportTo(`${server.url}/k8s/clusters/c-1/`);
    const request = {
      method: 'PATCH',
      path: '/api?x=1',
      contentType: 'application/merge-patch+json',
      body: '{"ä":1}',
    } as const;
    expect(await sent.send(request, signal)).toEqual({
      kind: 'answer',
      status: 429,
      retryAfterSeconds: 7,
      body: 'later',
    });
    expect(server.requests[0]).toMatchObject({ method: 'PATCH', url: '/k8s/clusters/c-1/api?x=1' });
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': 'turnus/test',
      'content-type': 'application/merge-patch+json',
      authorization: 'Bearer t',
    });
    expect(bodies.join('')).toBe('{"ä":1}');
  });

  it('uses one connection for many requests', async () => {
    const server = await serve((_request, response) => response.end('{}'));
    const sent = transportTo(server.url);
    for (let turn = 0; turn < 5; turn += 1) await sent.send(get, signal);
    expect(server.connections()).toBe(1);
  });

  it('gives up on a server that says nothing, and on one that never ends its answer', async () => {
    const silent = await serve(() => undefined);
    const message = expect.stringMatching(/^GET http:.*\/api: no answer within 0\.1 s$/) as string;
    const impatient = { requestTimeoutMs: 100 };
    expect(await transportTo(silent.url, impatient).send(get, signal)).toEqual({ kind: 'unreachable', message });
    expect(await transportTo(silent.url, impatient).open(get, signal)).toEqual({ kind: 'unreachable', message });
    const slow = await serve((_request, response) => response.writeHead(200).write('{'));
    expect(await transportTo(slow.url, impatient).send(get, signal)).toEqual({ kind: 'unreachable', message });
  });

  it('gives all connections up where a request stays without an answer and nothing else was heard, and only then', async () => {
    const watches: ServerResponse[] = [];
    const server = await serve((request, response) => {
      if (request.url === '/watch') {
        watches.push(response);
        response.writeHead(200).write('{}\n');
      } else if (request.url === '/quick') response.end('{}');
    });
    const sent = transportTo(server.url, { requestTimeoutMs: 3200 });
    const opened = await sent.open({ method: 'GET', path: '/watch' }, signal);
    if (opened.kind !== 'stream') throw new Error(opened.message);
    const chunks = opened.body[Symbol.asyncIterator]();
    await chunks.next();

    const first = sent.send({ method: 'GET', path: '/never' }, signal);
    const hears = setInterval(() => void sent.send({ method: 'GET', path: '/quick' }, signal), 200);
    expect(await first).toMatchObject({ kind: 'unreachable' });
    clearInterval(hears);
    watches[0]?.write('{}\n');
    expect(await chunks.next()).toMatchObject({ done: false });

    const next = chunks.next();
    const [answer] = await Promise.allSettled([sent.send({ method: 'GET', path: '/never' }, signal)]);
    expect(answer).toMatchObject({ value: { kind: 'unreachable' } });
    await expect(next).rejects.toThrow();
    expect(await sent.send({ method: 'GET', path: '/quick' }, signal)).toMatchObject({ kind: 'answer' });
  }, 15_000);

  it('reports a connection that is refused or breaks off as unreachable', async () => {
    const broken = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('{', () => response.socket?.destroy());
    });
    expect(await transportTo(broken.url).send(get, signal)).toMatchObject({ kind: 'unreachable' });
    const gone = await serve(() => undefined);
    await gone.stop();
    expect(await transportTo(gone.url).send(get, signal)).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it("rejects with the signal's reason, before, during and after the head of an answer", async () => {
    const slow = await serve((_request, response) => response.writeHead(200).write('{'));
    const sent = transportTo(slow.url);
    const ending = new AbortController();
    const sending = sent.send(get, ending.signal);
    const opened = await sent.open(get, ending.signal);
    if (opened.kind !== 'stream') throw new Error(opened.message);
    ending.abort(new Error('shutting down'));
    await expect(sending).rejects.toThrow('shutting down');
    await expect(sent.send(get, ending.signal)).rejects.toThrow('shutting down');
    await expect(
      (async () => {
        for await (const chunk of opened.body) expect(chunk).toBeDefined();
      })(),
    ).rejects.toThrow();
  });

  it('bounds the size of an answer', async () => {
    const large = await serve((_request, response) => response.end('x'.repeat(2_000_000)));
    expect(await transportTo(large.url, { maxBodyBytes: 1024 * 1024 }).send(get, signal)).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('larger than 1 MiB') as string,
    });
  });

  it('streams beyond the deadline of its head', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200).write('first\n');
      server.requests[0]?.socket.once('close', () => undefined);
      setTimeout(() => response.end('second\n'), 200);
    });
    const opened = await transportTo(server.url, { requestTimeoutMs: 100 }).open(get, signal);
    if (opened.kind !== 'stream') throw new Error(opened.message);
    let text = '';
    for await (const chunk of opened.body) text += chunk.toString();
    expect(text).toBe('first\nsecond\n');
  });
});

describe('credentials', () => {
  it('of a plugin without an expiry are cached, and renewed once when the server refuses them', async () => {
    let accepted = '1';
    const server = await serve((request, response) => {
      response.writeHead(request.headers.authorization === `Bearer token-${accepted}` ? 200 : 401).end('{}');
    });
    const { directory, credentials } = await credentialsFrom(
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './login', provideClusterInfo: true } },
      { server: server.url },
      `#!/bin/sh
cd "$(dirname "$0")"
echo "$KUBERNETES_EXEC_INFO" > info
echo run >> runs
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-'$(wc -l < runs)'"}}'
`,
    );
    const runs = async () => (await readFile(join(directory, 'runs'), 'utf8')).trim().split('\n').length;
    const sent = transportTo(server.url, { credentials });
    for (let turn = 0; turn < 3; turn += 1) expect(await sent.send(get, signal)).toMatchObject({ status: 200 });
    expect(await runs()).toBe(1);
    expect(JSON.parse(await readFile(join(directory, 'info'), 'utf8'))).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: server.url } },
    });
    accepted = '2';
    expect(await sent.send(get, signal)).toMatchObject({ status: 200 });
    accepted = 'none';
    const before = server.requests.length;
    expect(await sent.send(get, signal)).toMatchObject({ status: 401 });
    expect(server.requests.length - before).toBe(2);
    expect(await runs()).toBe(3);
  });

  it('in a token file are read again after the server refused them, without the newline at its end', async () => {
    let accepted = 'one';
    const server = await serve((request, response) => {
      response.writeHead(request.headers.authorization === `Bearer ${accepted}` ? 200 : 401).end('{}');
    });
    const directory = await mkdtemp(join(tmpdir(), 'turnus-token-'));
    endings.push(async () => {
      await rm(directory, { recursive: true });
    });
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'one\n');
    const { credentials } = await credentialsFrom({ tokenFile }, { server: server.url });
    const sent = transportTo(server.url, { credentials });
    expect(await sent.send(get, signal)).toMatchObject({ status: 200 });
    accepted = 'two';
    await writeFile(tokenFile, 'two\n');
    expect(await sent.send(get, signal)).toMatchObject({ status: 200 });
  });

  it('that are a name and a password, or nobody at all, are sent as such', async () => {
    const server = await serve((_request, response) => response.end('{}'));
    for (const user of [{ username: 'u', password: 'p' }, {}]) {
      const { credentials } = await credentialsFrom(user, { server: server.url });
      await transportTo(server.url, { credentials }).send(get, signal);
    }
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Basic dTpw', undefined]);
  });

  it('lead through the proxy of the kubeconfig, over one tunnel', async () => {
    const server = await serve((_request, response) => response.end('{}'));
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const upstream = netConnect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) end.on('error', () => undefined);
    });
    const { url } = await serve(() => undefined, proxy);
    const { credentials } = await credentialsFrom({}, { server: server.url, 'proxy-url': url });
    const sent = transportTo(server.url, { credentials });
    for (let turn = 0; turn < 3; turn += 1) expect(await sent.send(get, signal)).toMatchObject({ status: 200 });
    expect(tunnels).toEqual([`127.0.0.1:${String(server.port)}`]);
  });
});

describe('a read', () => {
  async function readFrom(answers: readonly (number | 'reset')[], retryAfter?: string) {
    const left = [...answers];
    const server = await serve((_request, response) => {
      const next = left.shift() ?? 200;
      if (next === 'reset') response.socket?.destroy();
      else response.writeHead(next, retryAfter === undefined ? {} : { 'Retry-After': retryAfter }).end('{}');
    });
    const sent = transportTo(server.url);
    const startedAt = performance.now();
    const answer = await repeatReads({
      clock: systemClock,
      totalMs: 5000,
      signal,
      read: async () => {
        const got = await sent.send(get, signal);
        if (got.kind === 'unreachable') return got;
        return got.status === 200 ? { kind: 'ok', value: got.status } : apiFailureOf(got);
      },
    });
    return { answer, requests: server.requests.length, tookMs: performance.now() - startedAt };
  }

  it('is repeated after a reset and after a 5xx', async () => {
    expect(await readFrom(['reset', 503])).toMatchObject({ answer: { kind: 'ok' }, requests: 3 });
  });

  it('is not repeated where the answer would be the same', async () => {
    expect(await readFrom([404])).toMatchObject({ answer: { kind: 'not-found' }, requests: 1 });
    expect(await readFrom([403])).toMatchObject({ answer: { kind: 'forbidden' }, requests: 1 });
  });

  it('is given up after three repetitions, with the last answer', async () => {
    expect(await readFrom([500, 500, 500, 502, 200])).toMatchObject({
      answer: { kind: 'refused', status: 502 },
      requests: 4,
    });
  });

  it('waits as long as flow control asks, but not for ever', async () => {
    const { answer, requests, tookMs } = await readFrom([429], '1');
    expect({ answer, requests }).toMatchObject({ answer: { kind: 'ok' }, requests: 2 });
    expect(tookMs).toBeGreaterThan(1000);
    expect(await readFrom([429], '3600')).toMatchObject({ answer: { kind: 'throttled' }, requests: 1 });
  });
});

describe('what is told of exchanges', () => {
  it('is each status that came, the 401 before it too', async () => {
    const statuses = [401, 200, 503];
    const server = await serve((_, response) => response.writeHead(statuses.shift() ?? 500).end('{}'));
    const told: unknown[] = [];
    const renewing = { ...anonymous, renew: () => true };
    const made = transportTo(server.url, { credentials: renewing, onAnswer: (answer) => told.push(answer) });
    await made.send(get, signal);
    await made.send({ method: 'POST', path: '/api', body: '{}' }, signal);
    expect(told).toEqual([
      { method: 'GET', status: 401 },
      { method: 'GET', status: 200 },
      { method: 'POST', status: 503 },
    ]);
  });

  it('is that none came, but nothing of what the caller gave up', async () => {
    const server = await serve(() => undefined);
    const told: unknown[] = [];
    const made = transportTo(server.url, { requestTimeoutMs: 50, onAnswer: (answer) => told.push(answer) });
    const stopped = new AbortController();
    const givenUp = made.send(get, stopped.signal);
    stopped.abort(new Error('no longer wanted'));
    await expect(givenUp).rejects.toThrow('no longer wanted');
    await made.send(get, signal);
    await made.open(get, signal);
    await server.stop();
    await made.send(get, signal);
    expect(told).toEqual(Array.from({ length: 3 }, () => ({ method: 'GET', status: 'unreachable' })));
  });
});
