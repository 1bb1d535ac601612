import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { openApiServer } from '../../../src/sandbox/http/openApiServer.js';
import { TurnusError } from '../../../src/turnusError.js';
import { waitFor } from '../../cluster/waitFor.js';
import { ask, open, type Question } from './ask.js';
import { putReadyPod, serveApi } from './servedApi.js';

const nodes: Question = { path: '/api/v1/nodes' };

describe('the API server of the sandbox', () => {
  it('listens on 127.0.0.1 only, with a certificate and a token of its own', async () => {
    const [one, other] = [await serveApi(), await serveApi()];
    expect(one.server.server).toBe(`https://127.0.0.1:${one.server.port}`);
    expect(one.server.token).not.toBe(other.server.token);
    expect(one.server.token.length).toBeGreaterThanOrEqual(32);
    expect(one.server.certificateAuthority).not.toBe(other.server.certificateAuthority);
    const elsewhere = createServer();
    onTestFinished(() => void elsewhere.close());
    await new Promise<void>((resolve, reject) => {
      elsewhere.on('error', reject).listen({ host: '127.0.0.2', port: one.server.port }, resolve);
    });
  });

  it('writes a kubeconfig for each of its users', async () => {
    const tokens = new Map([
      ['first', 'jane'],
      ['second', 'joe'],
    ]);
    const { server } = await serveApi({ tokens });
    expect(parse(server.kubeconfig())).toMatchObject({
      'current-context': 'turnus-sandbox',
      users: [{ name: 'jane', user: { token: 'first' } }],
      clusters: [{ cluster: { server: server.server } }],
    });
    expect(parse(server.kubeconfig({ context: 'other', user: 'joe' }))).toMatchObject({
      'current-context': 'other',
      contexts: [{ name: 'other', context: { cluster: 'other', user: 'joe' } }],
      users: [{ name: 'joe', user: { token: 'second' } }],
    });
    expect(() => server.kubeconfig({ user: 'nobody' })).toThrow('no token');
  });

  it('says which port is in use, and what to do', async () => {
    const { api, timeline, server } = await serveApi();
    const second = openApiServer({ api, timeline, port: server.port });
    await expect(second).rejects.toBeInstanceOf(TurnusError);
    await expect(second).rejects.toMatchObject({
      code: 'port-in-use',
      message: `Port ${server.port} of 127.0.0.1 is in use`,
      hint: expect.stringContaining('another port') as string,
    });
  });

  it('leaves no connection, watch or timer behind when it is closed, and frees its port', async () => {
    const before = openHandles();
    const { api, timeline, server } = await serveApi();
    const message = await open(server, { path: '/api/v1/pods?watch=1' });
    const ended = new Promise((resolve) => {
      message
        .on('close', resolve)
        .on('error', () => undefined)
        .resume();
    });
    await server.close();
    await ended;
    await server.close();
    expect(timeline.waiting()).toBe(0);
    await waitFor({ what: 'every handle to be closed', probe: () => openHandles() <= before, timeoutMs: 5000 });
    const again = await openApiServer({ api, timeline, port: server.port });
    await again.close();
  });

  it('hears of posts at its side door, whatever is broken in front', async () => {
    const { server } = await serveApi({ sideDoor: { path: '/sandbox/faults', answer: (body) => ({ heard: body }) } });
    const knock: Question = { method: 'POST', path: '/sandbox/faults', body: 'hello' };
    server.faults.cut();
    expect(await ask(server, knock)).toMatchObject({ status: 200, body: { heard: 'hello' } });
    expect(await ask(server, { ...knock, token: '' })).toMatchObject({ status: 401 });
  });
});

describe('a fault of the API', () => {
  it('cuts every connection until its time is over, watches too', async () => {
    const { server, timeline } = await serveApi();
    const message = await open(server, { path: '/api/v1/pods?watch=1' });
    const broken = new Promise((resolve) => {
      message.on('error', resolve).resume();
    });
    server.faults.cut(5000);
    expect(await broken).toMatchObject({ code: 'ECONNRESET' });
    await expect(ask(server, nodes)).rejects.toMatchObject({ code: 'ECONNRESET' });
    timeline.advance(5000);
    expect(await ask(server, nodes)).toMatchObject({ status: 200 });
  });

  it('throttles every request with Retry-After, while open watches go on', async () => {
    const { api, server } = await serveApi();
    const message = await open(server, { path: `/api/v1/pods?watch=1&resourceVersion=${api.version()}` });
    const heard = new Promise((resolve) => message.once('data', resolve));
    const mend = server.faults.refuse(429);
    const answer = await ask(server, nodes);
    expect(answer).toMatchObject({ status: 429, body: { kind: 'Status', reason: 'TooManyRequests', code: 429 } });
    expect(answer.headers['retry-after']).toBe('1');
    putReadyPod(api, 'a');
    expect(String(await heard)).toContain('ADDED');
    mend();
    expect(await ask(server, nodes)).toMatchObject({ status: 200 });
  });

  it('takes the place of the one before, whose end then changes nothing', async () => {
    const { server, timeline } = await serveApi();
    const mendFirst = server.faults.cut(5000);
    server.faults.refuse(500, 5000);
    mendFirst();
    expect(await ask(server, nodes)).toMatchObject({ status: 500, body: { kind: 'Status', code: 500 } });
    timeline.advance(5000);
    expect(await ask(server, nodes)).toMatchObject({ status: 200 });
    expect(timeline.waiting()).toBe(0);
  });

  it('breaks every open watch off, and takes new ones at once', async () => {
    const { server, timeline } = await serveApi();
    const watch: Question = { path: '/api/v1/pods?watch=1' };
    const messages = [await open(server, watch), await open(server, watch)];
    const broken = messages.map((message) => new Promise((resolve) => message.on('error', resolve).resume()));
    server.faults.breakWatches();
    expect(await Promise.all(broken)).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }]);
    await waitFor({ what: 'the watches to stop', probe: () => timeline.waiting() === 0, timeoutMs: 5000 });
    expect((await open(server, watch)).statusCode).toBe(200);
  });
});

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS/.test(kind)).length;
}
