import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChildProcess } from '../childProcess.js';
import { sshPort } from '../addresses.js';
import { TestbedError } from '../testbedError.js';
import { isSshServer } from './hostProcess.js';
import { waitFor } from '../waitFor.js';
import type { KeyPair } from './keys.js';

/** A real sshd on an address of its own; what is asked of it runs on the test machine itself, as root. */
export interface Sshd {
  readonly address: string;
  readonly port: number;
  /** What it has said so far, at LogLevel DEBUG1. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface SshdOptions {
  readonly name: string;
  readonly address: string;
  /** Gets its configuration and its log. */
  readonly directory: string;
  readonly hostKey: KeyPair;
  /** "ssh-ed25519 AAAA..." of those who may log in as root. */
  readonly authorizedKeys: readonly string[];
  /** More lines of sshd_config(5). */
  readonly settings?: readonly string[];
}

/** Starts it; returns when it answers. It ends with the test process. */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const { name, address, directory, hostKey, authorizedKeys, settings = [] } = options;
  const file = (suffix: string) => join(directory, `${name}.${suffix}`);
  await writeFile(file('authorized_keys'), `${authorizedKeys.join('\n')}\n`);
  const configuration = [
    ...settings,
    `Port ${String(sshPort)}`,
    `ListenAddress ${address}`,
    `HostKey ${hostKey.privatePath}`,
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'LogLevel DEBUG1',
  ];
  await writeFile(file('sshd_config'), `${configuration.join('\n')}\n`);
  const child = await startChildProcess({
    name: `sshd ${name}`,
    command: '/usr/bin/unshare',
    // sshd confines its unprivileged half in /run/sshd, which this machine need not have.
    args: [
      ...['-m', '--propagation', 'private', 'sh', '-c'],
      `mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec /usr/sbin/sshd -D -e -f '${file('sshd_config')}'`,
    ],
    logPath: file('log'),
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
  });
  await waitFor({
    what: `sshd ${name} at ${address}:${String(sshPort)}`,
    probe: () => {
      if (!child.isRunning()) throw new TestbedError(`sshd ${name} does not start:\n${child.logTail()}`);
      return isSshServer(address);
    },
  });
  return { address, port: sshPort, log: () => readFile(file('log'), 'utf8'), stop: () => child.stop() };
}
