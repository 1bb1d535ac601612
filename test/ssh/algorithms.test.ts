import { createServer, type Server as TcpServer } from 'node:net';
import ssh2, { type Algorithms, type Server } from 'ssh2';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { containing, matching } from '../host/matchers.js';
import { createKey, parsedKey, type TestKey } from './shellHost.js';
import { createSshFixture, type SshFixture } from './sshFixture.js';

const signal = new AbortController().signal;
let fixture: SshFixture;
const servers: (Server | TcpServer)[] = [];
let rsa: TestKey;

beforeAll(() => {
  rsa = createKey('rsa');
});
afterEach(async () => {
  await fixture.close();
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  return await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** The answer of a host whose server knows no more than this. */
async function answerOf(algorithms: Algorithms, hostKey: TestKey = createKey()) {
  fixture = await createSshFixture();
  const server = new ssh2.Server({ hostKeys: [hostKey.private], algorithms }, (client) => {
    client
      .on('error', () => undefined)
      .on('authentication', (attempt) => {
        attempt.reject();
      });
  });
  const port = await listening(server);
  const machine = await fixture.start();
  const knownHosts = `[127.0.0.1]:${String(port)} ${hostKey.public}`;
  return await (await fixture.port(machine, { policy: { port }, knownHosts })).bootId(signal);
}

describe('a server that knows only what is broken', () => {
  test.each<[string, Algorithms, string]>([
    ['SHA-1 in the key exchange', { kex: ['diffie-hellman-group14-sha1'] }, 'key exchange'],
    ['a key exchange of 1024 bits', { kex: ['diffie-hellman-group1-sha1'] }, 'key exchange'],
    ['CBC', { cipher: ['aes256-cbc', '3des-cbc'] }, 'cipher'],
    ['SHA-1 in the MAC', { cipher: ['aes128-ctr'], hmac: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'] }, 'MAC'],
  ])('%s is refused in words', async (_what, algorithms, missing) => {
    const answer = await answerOf(algorithms);
    expect(answer).toMatchObject({
      kind: 'unreachable',
      message: matching(/node-1 .* and Turnus share no way to encrypt \(.*\): update its SSH server\./),
    });
    expect(answer).toMatchObject({ message: containing(missing) });
  });

  test('ssh-rsa for its host key is refused, although the key itself is known', async () => {
    expect(await answerOf({ serverHostKey: ['ssh-rsa'] }, rsa)).toMatchObject({
      kind: 'unreachable',
      message: containing('host key format'),
    });
    await fixture.close();
    expect(await answerOf({ serverHostKey: ['rsa-sha2-512'] }, rsa)).toMatchObject({ kind: 'login-refused' });
  });
});

describe('an RSA key, for a server that wants a signature with SHA-1', () => {
  /** What came of it, and how many signatures the server saw. */
  async function loginWith(access: (files: SshFixture) => Promise<{ identity?: string; agentSocket?: string }>) {
    fixture = await createSshFixture();
    const hostKey = createKey();
    let proofs = 0;
    // A server without server-sig-algs (RFC 8308), as of 2015.
    const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
      client
        .on('error', () => undefined)
        .on('authentication', (attempt) => {
          if (attempt.method === 'publickey' && attempt.signature !== undefined) proofs += 1;
          if (attempt.method === 'publickey' && attempt.key.data.equals(parsedKey(rsa).getPublicSSH()))
            attempt.accept();
          else attempt.reject(['publickey']);
        });
    });
    withoutExtensions(server);
    const port = await listening(server);
    const machine = await fixture.start();
    const { identity, agentSocket } = await access(fixture);
    const knownHosts = `[127.0.0.1]:${String(port)} ${hostKey.public}`;
    const host = await fixture.port(machine, { policy: { port, identity }, knownHosts, options: { agentSocket } });
    return { answer: await host.bootId(signal), proofs };
  }

  test('makes none', async () => {
    const { answer, proofs } = await loginWith(async (files) => ({
      identity: await files.file('id_rsa', rsa.private),
    }));
    expect(answer).toMatchObject({ kind: 'login-refused', message: containing('SHA-1 signature') });
    expect(proofs).toBe(0);
  });

  test('has its agent make none', async () => {
    const asked: string[] = [];
    const { answer, proofs } = await loginWith(async (files) => {
      const agentSocket = `${await files.file('agent', '')}.sock`;
      servers.push(await startAgent(agentSocket, rsa, asked));
      return { agentSocket };
    });
    expect(asked).toEqual(['identities']);
    expect(answer).toMatchObject({
      kind: 'login-refused',
      message: containing('a signature with SHA-1 was asked for'),
    });
    expect(proofs).toBe(0);
  });
});

/** An agent that holds one key and writes down what it is asked. */
async function startAgent(socketPath: string, key: TestKey, asked: string[]): Promise<TcpServer> {
  const parsed = ssh2.utils.parseKey(key.private);
  if (parsed instanceof Error) throw parsed;
  const agent = createServer((socket) => {
    const protocol = new ssh2.AgentProtocol(false);
    protocol.on('identities', (request) => {
      asked.push('identities');
      protocol.getIdentitiesReply(request, [parsed]);
    });
    protocol.on('sign', (request, _key, data, options) => {
      asked.push('sign');
      protocol.signReply(request, parsed.sign(data, options.hash));
    });
    socket.pipe(protocol).pipe(socket);
  });
  return await new Promise((resolve) => {
    agent.listen(socketPath, () => {
      resolve(agent);
    });
  });
}

/**
 * Keeps a server of ssh2 from telling its clients which signatures it knows. It has no option for that, and its types say
 * nothing of what is inside.
 */
function withoutExtensions(server: Server): void {
  server.on('connection', (client) => {
    const { _protocol: protocol } = client as unknown as { _protocol: { _kex: object | undefined } };
    let exchange = protocol._kex;
    Object.defineProperty(protocol, '_kex', {
      get: () => exchange,
      set: (next: object) => {
        exchange = Object.defineProperty(next, 'remoteExtInfoEnabled', { get: () => false, set: () => undefined });
      },
    });
  });
}

test('exactly these algorithms are offered, those of the known key first', async () => {
  fixture = await createSshFixture();
  const offers: Promise<string[][]>[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('SSH-2.0-listener\r\n');
    offers.push(
      new Promise((resolve) => {
        let received = Buffer.alloc(0);
        socket.on('data', (data) => {
          received = Buffer.concat([received, data]);
          const lists = nameListsOf(received);
          if (lists === undefined) return;
          resolve(lists);
          socket.destroy();
        });
      }),
    );
  });
  const port = await listening(server);
  const machine = await fixture.start();
  const knownHosts = `[127.0.0.1]:${String(port)} ${rsa.public}`;
  await (await fixture.port(machine, { policy: { port }, knownHosts })).bootId(signal);

  const [kex, hostKeys, ...others] = (await offers[0]) ?? [];
  const markers = ['ext-info-c', 'kex-strict-c-v00@openssh.com'];
  expect(kex?.filter((name) => !markers.includes(name))).toEqual([
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ]);
  expect(hostKeys).toEqual([
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
  ]);
  const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'];
  const macs = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'];
  expect(others).toEqual([ciphers, ciphers, macs, macs, ['none'], ['none'], [], []]);
});

/** The name-lists of a client's SSH_MSG_KEXINIT (RFC 4253, 7.1) once all of it has come. */
function nameListsOf(received: Buffer): string[][] | undefined {
  const packetAt = received.indexOf('\r\n') + 2;
  if (packetAt < 2 || received.length < packetAt + 4) return undefined;
  const length = received.readUInt32BE(packetAt);
  if (received.length < packetAt + 4 + length) return undefined;
  let at = packetAt + 5 + 1 + 16; // behind length, padding length, message number and cookie
  return Array.from({ length: 10 }, () => {
    const size = received.readUInt32BE(at);
    const names = received.toString('latin1', at + 4, at + 4 + size);
    at += 4 + size;
    return names === '' ? [] : names.split(',');
  });
}
