import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createApp, type AppOptions, type Readiness } from '../../src/server/http.js';
import { listen, parseListenAddress } from '../../src/server/listen.js';
import { systemClock } from '../../src/systemClock.js';
import { metricsAt, valueOf } from './fixtures.js';

const isReady: Readiness = {
  ready: true,
  reasons: [{ check: 'cluster', ok: true, message: 'The cluster is followed.' }],
};

function app(options: Partial<AppOptions> = {}) {
  return createApp({ live: () => true, ready: () => isReady, metrics: metricsAt().metrics, ...options });
}

const never = new AbortController().signal;

describe('what is answered over HTTP', () => {
  it('/livez is 200 while the loop turns, and 503 when it stands still', async () => {
    expect((await app().request('/livez')).status).toBe(200);
    expect((await app({ live: () => false }).request('/livez')).status).toBe(503);
  });

  it('/readyz says each reason, with 503 where this process cannot work', async () => {
    const notReady: Readiness = {
      ready: false,
      reasons: [
        { check: 'cluster', ok: true, message: 'The cluster is followed.' },
        { check: 'playbooks', ok: false, message: 'No playbook is valid.' },
      ],
    };
    const well = await app().request('/readyz');
    expect([well.status, await well.json()]).toEqual([200, isReady]);
    const unwell = await app({ ready: () => notReady }).request('/readyz');
    expect([unwell.status, await unwell.json()]).toEqual([503, notReady]);
  });

  it('/livez does not ask whether it is ready', async () => {
    const ready = () => {
      throw new Error('asked');
    };
    expect((await app({ ready }).request('/livez')).status).toBe(200);
    expect((await app({ ready }).request('/readyz')).status).toBe(500);
  });

  it('/metrics is the text that Prometheus reads', async () => {
    const { metrics } = metricsAt();
    metrics.setLeader(true);
    const answer = await app({ metrics }).request('/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(valueOf(await answer.text(), 'turnus_leader')).toBe(1);
  });

  it.each(['/', '/metrics/', '/livez/x', '/.env', '//metrics'])('%s is not there', async (path) => {
    expect((await app().request(`http://127.0.0.1${path}`)).status).toBe(404);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is refused, wherever it is sent', async (method) => {
    for (const path of ['/livez', '/metrics', '/nowhere']) {
      const answer = await app().request(path, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });

  it('HEAD has the head of GET and no body', async () => {
    const answer = await app().request('/readyz', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('content-type')).toContain('application/json');
  });

  it('nothing is kept by a cache or read as something else, errors too', async () => {
    const broken = app({
      ready: () => {
        throw new Error('token=abc');
      },
    });
    for (const path of ['/livez', '/readyz', '/metrics', '/nowhere']) {
      const answer = await broken.request(path);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await answer.text()).not.toContain('abc');
    }
  });
});

describe('a server on loopback', () => {
  it('answers on the port that it says it took, until it is closed', async () => {
    const server = await listen({ app: app(), address: '127.0.0.1:0' });
    expect(server.address).toBe(`127.0.0.1:${String(server.port)}`);
    const answer = await fetch(`http://${server.address}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([200, isReady]);
    await server.close(never);
    await expect(fetch(`http://${server.address}/livez`)).rejects.toThrow();
    await server.close(never);
  });

  it('says where the port is in use, and what to do', async () => {
    const server = await listen({ app: app(), address: '127.0.0.1:0' });
    await expect(listen({ app: app(), address: server.address })).rejects.toMatchObject({
      code: 'listen-failed',
      message: `Nothing can be served on ${server.address}: the port is in use`,
      exitCode: 2,
    });
    await server.close(never);
  });

  it('ends although a client keeps its connection, and although a request is never answered', async () => {
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const text = async () => {
      asked();
      return await new Promise<string>(() => undefined);
    };
    const server = await listen({ app: app({ metrics: { text, contentType: 'text/plain' } }), address: '127.0.0.1:0' });
    const idle = connect(server.port, '127.0.0.1');
    const stuck = connect(server.port, '127.0.0.1');
    const ended = [idle, stuck].map(async (socket) => {
      socket.on('error', () => undefined);
      await once(socket, 'close');
    });
    idle.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    stuck.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await isAsked;
    const deadline = systemClock.deadline(50, never);
    await server.close(deadline.signal);
    await Promise.all(ended);
    deadline.clear();
  });

  it('lets a request that is under way have its answer', async () => {
    let answerNow: (text: string) => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const text = async () => {
      asked();
      return await new Promise<string>((resolve) => {
        answerNow = resolve;
      });
    };
    const server = await listen({ app: app({ metrics: { text, contentType: 'text/plain' } }), address: '127.0.0.1:0' });
    const answer = fetch(`http://${server.address}/metrics`, { headers: { Connection: 'close' } });
    await isAsked;
    const closed = server.close(never);
    answerNow('late\n');
    expect(await (await answer).text()).toBe('late\n');
    await closed;
  });

  it('takes in no body', async () => {
    const server = await listen({ app: app(), address: '127.0.0.1:0' });
    const answer = await fetch(`http://${server.address}/metrics`, { method: 'POST', body: 'x'.repeat(1000) });
    expect(answer.status).toBe(405);
    await answer.text();
    const deadline = systemClock.deadline(200, never);
    await server.close(deadline.signal);
    deadline.clear();
  });
});

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:9690', '127.0.0.1', 9690],
    ['0.0.0.0:9690', '0.0.0.0', 9690],
    ['[::]:9690', '::', 9690],
    ['localhost:0', 'localhost', 0],
  ])('%s is taken', (address, host, port) => {
    expect(parseListenAddress(address)).toEqual({ host, port });
  });

  it.each([
    '9690',
    ':9690',
    '127.0.0.1',
    '127.0.0.1:',
    '::1:9690',
    '127.0.0.1:65536',
    'http://127.0.0.1:1',
    'a b:1',
    '',
  ])('%s is not', (address) => {
    expect(() => parseListenAddress(address)).toThrow(/is no address to listen on/);
  });
});
