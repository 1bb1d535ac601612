import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection, type ParsedKey, type ServerChannel } from 'ssh2';
import type { HostLayout } from '../../src/host/jobDirectory.js';

const { Server, utils } = ssh2;

export interface TestKey {
  /** OpenSSH form. */
  readonly private: string;
  /** `ssh-ed25519 AAAA…` */
  readonly public: string;
}

/**
 * A new key pair. ssh2 1.17 strips leading zeros when it generates ed25519 keys: about one in 200 is damaged, and made
 * again here.
 */
export function createKey(type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519', passphrase?: string): TestKey {
  for (;;) {
    const key = generate(type, passphrase);
    if (!(utils.parseKey(key.private, passphrase) instanceof Error)) return key;
  }
}

function generate(type: 'ed25519' | 'ecdsa' | 'rsa', passphrase: string | undefined): TestKey {
  if (passphrase !== undefined)
    return utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 4 });
  switch (type) {
    case 'ed25519':
      return utils.generateKeyPairSync('ed25519');
    case 'ecdsa':
      return utils.generateKeyPairSync('ecdsa', { bits: 256 });
    case 'rsa':
      return utils.generateKeyPairSync('rsa', { bits: 2048 });
  }
}

/** A machine with its own disk and boot id: ssh2's server on loopback, commands run by the real /bin/sh. */
export interface ShellHost {
  readonly port: number;
  readonly hostKey: TestKey;
  readonly layout: HostLayout;
  /** The host's private directory; scripts may write here. */
  readonly directory: string;
  /** Logins so far. */
  logins(): number;
  /** Connections that are open now. */
  connections(): number;
  bootId(): Promise<string>;
  /** `[127.0.0.1]:port ssh-ed25519 AAAA…` */
  knownHostsLine(): string;
  /** Ends every connection; what was started goes on. */
  cutConnections(): void;
  /** The connection of the next command breaks when it has been handed so many bytes of input. */
  cutNextAfterInput(bytes: number): void;
  /** The connection of the next command breaks when the command begins to answer. */
  cutNextBeforeAnswer(): void;
  /** Runs this program whatever a client asks for, as `command=` in authorized_keys does; undefined: what it asks for. */
  force(program: string | undefined): void;
  /** Commands get no answer, nor does who wants to go through. */
  hang(hang: boolean): void;
  /** Kills every process of the host; its boot goes on. */
  kill(): Promise<void>;
  /** Kills every process of the host at once and gives it a new boot id. */
  powerCut(): Promise<void>;
  /** Closes new connections at once. */
  refuseConnections(refuse: boolean): void;
  /** Lines that scripts have appended to `name` in the host's directory. */
  count(name: string): Promise<number>;
  /** Puts a program in front of the host's PATH. */
  install(name: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startShellHost(options: {
  readonly clientKey: TestKey;
  readonly hostKeys?: readonly TestKey[];
  readonly user?: string;
}): Promise<ShellHost> {
  const hostKeys = options.hostKeys ?? [createKey()];
  const [hostKey] = hostKeys;
  if (hostKey === undefined) throw new Error('a host needs a key');
  const directory = await mkdtemp(join(tmpdir(), 'turnus-host-'));
  const programs = join(directory, 'bin');
  const layout = { baseDirectory: join(directory, 'var-lib-turnus'), bootIdPath: join(directory, 'boot_id') };
  await mkdir(programs);
  await writeFile(layout.bootIdPath, `${randomUUID()}\n`);
  const mark = `TURNUS_TEST_HOST=${randomUUID()}`;
  const [markName = '', markValue = ''] = mark.split('=');
  const environment = { PATH: `${programs}:${process.env['PATH'] ?? '/usr/bin:/bin'}`, [markName]: markValue };
  const sockets = new Set<Socket>();
  let logins = 0;
  let refuses = false;
  let hangs = false;
  let forced: string | undefined;
  let cut: { readonly afterInput?: number; readonly beforeAnswer?: boolean } | undefined;

  const run = (command: string, channel: ServerChannel, socket: Socket): void => {
    if (hangs) return;
    const breaks = cut;
    cut = undefined;
    const child = spawn('/bin/sh', ['-c', forced ?? command], {
      env: forced === undefined ? environment : { ...environment, SSH_ORIGINAL_COMMAND: command },
      cwd: directory,
    });
    const breakOff = () => {
      child.stdin.end();
      socket.destroy();
    };
    let handed = 0;
    channel.on('data', (data: Buffer) => {
      const limit = breaks?.afterInput ?? Infinity;
      const part = data.subarray(0, Math.max(0, limit - handed));
      handed += part.length;
      child.stdin.write(part);
      if (handed >= limit) breakOff();
    });
    channel.on('end', () => child.stdin.end());
    channel.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (data: Buffer) => {
      if (breaks?.beforeAnswer === true) breakOff();
      else channel.write(data);
    });
    child.stderr.on('data', (data: Buffer) => channel.stderr.write(data));
    child.on('close', (code, signal) => {
      if (socket.destroyed) return;
      if (code === null) channel.exit((signal ?? 'KILL').replace('SIG', ''));
      else channel.exit(code);
      channel.end();
    });
  };

  const serve = (client: Connection, connection: Socket): void => {
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => {
      const isUser = attempt.username === (options.user ?? 'root');
      if (!isUser || attempt.method !== 'publickey' || !attempt.key.data.equals(clientKey.getPublicSSH())) {
        attempt.reject(['publickey']);
        return;
      }
      if (attempt.signature !== undefined && attempt.blob !== undefined) {
        if (!clientKey.verify(attempt.blob, attempt.signature, attempt.hashAlgo)) {
          attempt.reject(['publickey']);
          return;
        }
        logins += 1;
      }
      attempt.accept();
    });
    client.on('session', (acceptSession) => {
      acceptSession().on('exec', (acceptExec, _reject, { command }) => {
        run(command, acceptExec(), connection);
      });
    });
    client.on('tcpip', (acceptForward, reject, { destIP, destPort }) => {
      if (hangs) return;
      const target = connect(destPort, destIP);
      let channel: ServerChannel | undefined;
      target.on('error', () => {
        if (channel === undefined) reject();
        else channel.end();
      });
      target.once('connect', () => {
        channel = acceptForward();
        channel.on('error', () => target.destroy());
        channel.pipe(target).pipe(channel);
      });
    });
  };
  const clientKey = parsedKey(options.clientKey);
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    if (refuses) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A server for each connection, so that a session knows the socket it comes by.
    const server = new Server({ hostKeys: hostKeys.map((key) => key.private) }, (client) => {
      serve(client, socket);
    });
    server.injectSocket(socket);
  });
  const port = await new Promise<number>((resolve) => {
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

  const cutConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  const killAll = async () => {
    const pids = await processesWith(mark);
    // Stopped before any is killed: as in a power cut, no shell sees its child die and tells of it.
    for (const signalName of ['SIGSTOP', 'SIGKILL'] as const) {
      for (const pid of pids) {
        try {
          process.kill(pid, signalName);
        } catch {
          // it has just ended
        }
      }
    }
  };
  return {
    port,
    hostKey,
    layout,
    directory,
    logins: () => logins,
    connections: () => sockets.size,
    bootId: async () => (await readFile(layout.bootIdPath, 'utf8')).trim(),
    knownHostsLine: () => `[127.0.0.1]:${String(port)} ${hostKey.public}`,
    cutConnections,
    cutNextAfterInput: (bytes) => {
      cut = { afterInput: bytes };
    },
    cutNextBeforeAnswer: () => {
      cut = { beforeAnswer: true };
    },
    force: (program) => {
      forced = program;
    },
    hang: (hang) => {
      hangs = hang;
    },
    refuseConnections: (refuse) => {
      refuses = refuse;
    },
    kill: killAll,
    async powerCut() {
      cutConnections();
      await killAll();
      await writeFile(layout.bootIdPath, `${randomUUID()}\n`);
    },
    async count(name) {
      const text = await readFile(join(directory, name), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '').length;
    },
    async install(name, text) {
      await writeFile(join(programs, name), text, { mode: 0o755 });
    },
    async stop() {
      cutConnections();
      await new Promise((resolve) => listener.close(resolve));
      await killAll();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

export function parsedKey(key: TestKey): ParsedKey {
  const parsed = utils.parseKey(key.public);
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

/** Processes that carry a variable in their environment: those of one host. */
async function processesWith(variable: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(variable)) found.push(Number(entry));
  }
  return found;
}
