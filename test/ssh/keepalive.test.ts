import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matching } from '../host/matchers.js';
import type { ShellHost } from './shellHost.js';
import { createSshFixture, type PortChange, type SshFixture } from './sshFixture.js';
import { startTcpProxy, type TcpProxy } from './tcpProxy.js';

const signal = new AbortController().signal;
/** A connection that nobody answers on is broken after 100 ms times five. */
const timings = { keepaliveIntervalMs: 100, keepaliveCount: 4 };
/** Far above that, for a busy machine, and far below the time that a call may take. */
const boundMs = 5000;
let fixture: SshFixture;
let machine: ShellHost;
let bastion: ShellHost;
const proxies: TcpProxy[] = [];

beforeAll(async () => {
  fixture = await createSshFixture();
  machine = await fixture.start();
  bastion = await fixture.start();
});
afterAll(async () => {
  for (const proxy of proxies) proxy.close();
  await fixture.close();
});

async function proxyTo(host: ShellHost): Promise<TcpProxy & { readonly line: string }> {
  const proxy = await startTcpProxy(host.port);
  proxies.push(proxy);
  return { ...proxy, line: `[127.0.0.1]:${String(proxy.port)} ${host.hostKey.public}` };
}

async function expectNoticed(change: PortChange, swallow: () => void): Promise<void> {
  const host = await fixture.port(machine, { ...change, options: { timings } });
  expect(await host.inspect(signal)).toMatchObject({ kind: 'ok' });
  swallow();
  const since = performance.now();
  expect(await host.check('true', signal)).toMatchObject({
    kind: 'lost',
    message: matching(/^The connection to node-1 .* broke before the answer\.$/),
  });
  expect(performance.now() - since).toBeLessThan(boundMs);
  expect(await host.inspect(signal), 'a new connection').toMatchObject({ kind: 'ok' });
}

describe('a connection that is swallowed on its way', () => {
  test('is noticed by its probes, and made anew at the next call', async () => {
    const proxy = await proxyTo(machine);
    await expectNoticed({ policy: { port: proxy.port }, knownHosts: proxy.line }, proxy.swallow);
  });

  test('behind a bastion is noticed as well', async () => {
    const proxy = await proxyTo(machine);
    const policy = { port: proxy.port, bastion: [{ host: '127.0.0.1', port: bastion.port, user: 'root' }] };
    await expectNoticed({ policy, knownHosts: `${proxy.line}\n${bastion.knownHostsLine()}` }, proxy.swallow);
  });

  test('in front of a bastion is noticed as well', async () => {
    const proxy = await proxyTo(bastion);
    const policy = { bastion: [{ host: '127.0.0.1', port: proxy.port, user: 'root' }] };
    await expectNoticed({ policy, knownHosts: `${proxy.line}\n${machine.knownHostsLine()}` }, proxy.swallow);
  });
});

test('a command that is silent over many probes comes to its end', async () => {
  const before = machine.logins();
  const host = await fixture.port(machine, { options: { timings } });
  expect(await host.check('sleep 1; echo done', signal)).toEqual({
    kind: 'ok',
    value: { exitCode: 0, output: 'done\n' },
  });
  expect(machine.logins()).toBe(before + 1);
});
