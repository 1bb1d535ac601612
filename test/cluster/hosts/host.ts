import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { sshPort } from '../addresses.js';
import { runCommand } from '../runCommand.js';
import type { CommandResult } from '../runCommand.js';
import { TestbedError } from '../testbedError.js';
import { createHostImage, maintenanceUser, prepareBoot, setSudo } from './hostImage.js';
import type { HostImage, SudoMode } from './hostImage.js';
import { startHostProcess } from './hostProcess.js';
import type { HostProcess } from './hostProcess.js';
import { createKeyPair, knownHostsLine } from './keys.js';
import type { KeyPair } from './keys.js';
import { pause } from './nodePower.js';
import type { NodePower } from './nodePower.js';

/** Where scripts of tests may write on a host: on its persistent disk as well. */
export const scratchDirectory = '/srv/host';

/** What happens when somebody on the host asks for a reboot. */
export type RebootBehaviour =
  /** Host and node come back with a new boot id. */
  | 'normal'
  /** The host goes down and stays down, until `powerOn`. */
  | 'never-returns'
  /** The host comes back with its old boot id, and the node never noticed. */
  | 'same-boot-id'
  /** The host comes back, its kubelet does not, until `releaseKubelet`. */
  | 'kubelet-stays-down'
  /** The command succeeds and nothing happens. */
  | 'ignored'
  /** The command fails. */
  | 'refused';

export interface HostOptions {
  node: string;
  address: string;
  bootId: string;
  /** Gets the host's disk, keys and log. */
  directory: string;
  /** The key that may log in, as root and as maintenance. */
  clientKey: KeyPair;
  power: NodePower;
  /** 1500 */
  bootDelayMs?: number;
  /** From the request to go down to the end of all processes; 200. */
  shutdownMs?: number;
  onReboot?: RebootBehaviour;
  sudo?: SudoMode;
}

/** The machine behind a node: a real sshd, a disk, a boot id, a power switch. Start it with `startHost`. */
export class Host {
  /** May be changed at any time. */
  bootDelayMs: number;
  /** Boot ids so far; the last is the current one. */
  readonly bootIds: string[];
  readonly #options: HostOptions;
  readonly #image: HostImage;
  readonly #hostKey: KeyPair;
  readonly #stopping = new AbortController();
  #onReboot: RebootBehaviour;
  /** Before the key in authorized_keys. */
  #loginOptions = '';
  #process: HostProcess | undefined;
  /** Settles when the host has gone down and what follows is in `#transition`. */
  #down: Promise<void> = Promise.resolve();
  #transition: Promise<void> = Promise.resolve();
  /** Of a host that is off and was to come back, or is held down. */
  #nextBootId: string | undefined;

  private constructor(options: HostOptions, image: HostImage, hostKey: KeyPair) {
    this.#options = options;
    this.#image = image;
    this.#hostKey = hostKey;
    this.bootDelayMs = options.bootDelayMs ?? 1500;
    this.bootIds = [options.bootId];
    this.#onReboot = options.onReboot ?? 'normal';
  }

  /** Lays the host out and switches it on; its node is left as it is. */
  static async start(options: HostOptions): Promise<Host> {
    await mkdir(options.directory, { recursive: true });
    const image = await createHostImage(options.directory);
    await setSudo(image, options.sudo ?? 'works');
    const hostKey = await createKeyPair(join(options.directory, 'host_key'), options.node);
    const host = new Host(options, image, hostKey);
    await host.#boot(options.bootId);
    return host;
  }

  get node(): string {
    return this.#options.node;
  }

  get address(): string {
    return this.#options.address;
  }

  get port(): number {
    return sshPort;
  }

  get bootId(): string {
    return this.bootIds.at(-1) ?? '';
  }

  get isOn(): boolean {
    return this.#process !== undefined;
  }

  /** "ssh-ed25519 AAAA... node-1" */
  get hostPublicKey(): string {
    return this.#hostKey.publicKey;
  }

  get knownHostsLine(): string {
    return knownHostsLine({ address: this.address, port: this.port, key: this.#hostKey });
  }

  get onReboot(): RebootBehaviour {
    return this.#onReboot;
  }

  /** Decides what the next request for a reboot does. */
  async setOnReboot(behaviour: RebootBehaviour): Promise<void> {
    this.#onReboot = behaviour;
    await this.#writeRebootAnswer();
  }

  async setSudo(mode: SudoMode): Promise<void> {
    await setSudo(this.#image, mode);
  }

  /** Whether sshd lets the client's key in, until the next boot; open connections stay. */
  async setLogin(answer: 'accepted' | 'refused'): Promise<void> {
    const content = answer === 'accepted' ? `${this.#loginOptions}${this.#options.clientKey.publicKey.trim()}\n` : '';
    await writeFile(join(this.#image.run, 'testbed', 'authorized_keys'), content);
  }

  /** From now on the client's key runs this program as maintenance, whatever it asks for (sshd(8), `command=`). */
  async restrictLogin(program: string): Promise<void> {
    this.#loginOptions = `restrict,command="${program}" `;
    await this.setLogin('accepted');
  }

  /** How often somebody has logged in so far. */
  async logins(): Promise<number> {
    const log = await readFile(join(this.#options.directory, 'host.log'), 'utf8');
    return log.split('\n').filter((line) => line.startsWith('Accepted publickey for ')).length;
  }

  /** Where Turnus keeps its jobs: as it is, without room, or read-only. Until the next boot. */
  async setJobDisk(state: 'normal' | 'full' | 'read-only'): Promise<void> {
    const place = '/var/lib/turnus';
    const commands = {
      normal: `while umount ${place} 2>/dev/null; do :; done`,
      full: `mount -t tmpfs -o size=64k full ${place} && { cat /dev/zero > ${place}/filler || :; } 2>/dev/null`,
      'read-only': `mount --bind ${place} ${place} && mount -o remount,bind,ro ${place}`,
    };
    const { exitCode, stderr } = await this.ssh(commands[state]);
    if (exitCode !== 0) throw new TestbedError(`The disk of ${this.node} cannot be made ${state}: ${stderr}`);
  }

  /** The path, on the test machine, of a file on the host's disk: below /srv, /var/lib, /root or /home. */
  pathOnDisk(path: string): string {
    const places = { '/srv': 'srv', '/var/lib': 'var-lib', '/root': 'root', '/home': 'home' };
    for (const [mountPoint, directory] of Object.entries(places)) {
      if (path === mountPoint || path.startsWith(`${mountPoint}/`)) {
        return join(this.#image.disk, directory, relative(mountPoint, path));
      }
    }
    throw new TestbedError(`${path} is not on the host's disk`, {
      hint: `These are: ${Object.keys(places).join(', ')}.`,
    });
  }

  /** A file on the host's disk, or `undefined` where there is none. */
  async readFile(path: string): Promise<string | undefined> {
    return await readFile(this.pathOnDisk(path), 'utf8').catch(() => undefined);
  }

  /** How many lines scripts have appended to /srv/host/<name>; 0 where there is no such file. */
  async counter(name: string): Promise<number> {
    const content = (await this.readFile(`${scratchDirectory}/${name}`)) ?? '';
    return content.split('\n').filter((line) => line !== '').length;
  }

  /** Runs a command over SSH with OpenSSH's client, as root unless `user` says otherwise. */
  async ssh(
    command: string,
    options: { user?: 'root' | 'maintenance'; timeoutMs?: number } = {},
  ): Promise<CommandResult> {
    const { user = 'root', timeoutMs = 30_000 } = options;
    const knownHosts = join(this.#options.directory, 'known_hosts');
    await writeFile(knownHosts, `${this.knownHostsLine}\n`);
    const settings = [
      ...['BatchMode=yes', 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes', 'LogLevel=ERROR', 'ConnectTimeout=5'],
      `UserKnownHostsFile=${knownHosts}`,
    ];
    const args = settings.flatMap((setting) => ['-o', setting]);
    const identity = this.#options.clientKey.privatePath;
    const target = `${user}@${this.address}`;
    return await runCommand('ssh', ['-F', 'none', ...args, '-i', identity, '-p', String(this.port), target, command], {
      timeoutMs,
    });
  }

  /** Ends everything on the host at once; the node turns NotReady. Stays so until `powerOn`. */
  async powerCut(): Promise<void> {
    await this.#transition;
    if (this.#process === undefined) return;
    await this.#process.cutPower();
    await this.#down;
    await this.#transition;
  }

  /** Switches the host on again: a new boot id after `bootDelayMs`. Returns when sshd answers. */
  async powerOn(): Promise<void> {
    await this.#transition;
    if (this.#process !== undefined) return;
    await this.#options.power.release(this.#stopping.signal);
    await this.#returnAs(this.#nextBootId ?? randomUUID());
  }

  /** Lets the kubelet of a host that came back without one start. */
  async releaseKubelet(): Promise<void> {
    await this.#options.power.release(this.#stopping.signal);
    await this.#options.power.restartPods(this.#stopping.signal);
  }

  /** Ends the open SSH connections; the host and its detached jobs go on. */
  dropConnections(): void {
    this.#process?.dropConnections();
  }

  /** The host hangs: connections stay and nothing answers. */
  freeze(): void {
    this.#process?.signalAll('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signalAll('SIGCONT');
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#process?.cutPower();
    await this.#transition;
    await this.#process?.cutPower(); // a boot was under way
  }

  async #boot(bootId: string): Promise<void> {
    const { node, address, clientKey, directory, shutdownMs = 200 } = this.#options;
    const { privateKey: hostKey } = this.#hostKey;
    await prepareBoot(this.#image, {
      bootId,
      address,
      hostKey,
      authorizedKey: `${this.#loginOptions}${clientKey.publicKey}`,
    });
    await this.#writeRebootAnswer();
    const logPath = join(directory, 'host.log');
    const running = await startHostProcess({ node, address, image: this.#image, logPath, shutdownMs });
    if (bootId !== this.bootId) this.bootIds.push(bootId);
    this.#nextBootId = undefined;
    this.#process = running;
    this.#down = running.down.then((way) => {
      this.#process = undefined;
      if (this.#stopping.signal.aborted) return;
      this.#transition = (way === 'reboot' ? this.#reboot() : this.#goDark()).catch((error: unknown) => {
        console.error(`The host of ${node} could not go through a ${way}:`, error);
      });
    });
  }

  async #reboot(): Promise<void> {
    const behaviour = this.#onReboot;
    const { power } = this.#options;
    const { signal } = this.#stopping;
    if (behaviour === 'never-returns') {
      await this.#goDark();
      return;
    }
    if (behaviour === 'same-boot-id') {
      await pause(this.bootDelayMs, signal);
      if (!signal.aborted) await this.#boot(this.bootId);
      return;
    }
    const bootId = randomUUID();
    const kubeletReturns = behaviour !== 'kubelet-stays-down';
    await power.lose({ bootId, bootDelayMs: this.bootDelayMs, holdDown: !kubeletReturns, signal });
    await this.#returnAs(bootId, kubeletReturns);
  }

  async #goDark(): Promise<void> {
    const bootId = randomUUID();
    this.#nextBootId = bootId;
    const { signal } = this.#stopping;
    await this.#options.power.lose({ bootId, bootDelayMs: this.bootDelayMs, holdDown: true, signal });
  }

  async #returnAs(bootId: string, withKubelet = true): Promise<void> {
    const { signal } = this.#stopping;
    await pause(this.bootDelayMs, signal);
    if (signal.aborted) return;
    await this.#boot(bootId);
    if (withKubelet) await this.#options.power.restartPods(signal);
  }

  async #writeRebootAnswer(): Promise<void> {
    const answers: Partial<Record<RebootBehaviour, string>> = { ignored: 'ignore', refused: 'refuse' };
    await writeFile(join(this.#image.run, 'testbed', 'reboot-answer'), answers[this.#onReboot] ?? 'accept');
  }
}

/** The user that is not root, for playbooks. */
export const maintenanceUserName = maintenanceUser.name;
