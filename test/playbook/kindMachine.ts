import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectPath } from './shippedFiles.js';

/** A worker of a pretended kind cluster. */
export interface KindWorker {
  readonly name: string;
  readonly bootId: string;
  /** As the node reports them, the first first. */
  readonly addresses: readonly string[];
  /** Its host key, `ssh-ed25519 AAAA… root@name`. */
  readonly hostKey: string;
}

/** A laptop with a kind cluster on it: a container engine, kubectl and ssh are played, ssh-keygen is real. */
export class KindMachine {
  readonly directory: string;
  workers: KindWorker[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<KindMachine> {
    const machine = new KindMachine(await mkdtemp(join(tmpdir(), 'turnus-kind-')));
    for (const directory of ['bin', 'nodes', 'host-keys']) await mkdir(join(machine.directory, directory));
    for (const program of ['kubectl', 'ssh', 'ssh-keyscan', 'docker']) await machine.play(program);
    return machine;
  }

  /** Where enable-ssh.sh is told to put key and known_hosts; a name with a space. */
  get output(): string {
    return join(this.directory, 'key and hosts');
  }

  async readOutput(name: string): Promise<string | undefined> {
    return await readFile(join(this.output, name), 'utf8').catch(() => undefined);
  }

  /** Adds a worker with a real host key. */
  async addWorker(name: string, addresses: string[]): Promise<KindWorker> {
    const keyPath = join(this.directory, 'host-keys', name);
    await rm(keyPath, { force: true });
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `root@${name}`, '-f', keyPath]);
    const hostKey = (await readFile(`${keyPath}.pub`, 'utf8')).trim();
    const worker = { name, bootId: '6f1c0a52-1111-4222-8333-444455556666', addresses, hostKey };
    this.workers = [...this.workers.filter((other) => other.name !== name), worker];
    return worker;
  }

  /** Plays a program; `first` is shell that runs before the usual answer. */
  async play(program: string, first = ''): Promise<void> {
    const usual = programs[program] ?? programs['docker'] ?? '';
    const path = join(this.directory, 'bin', program);
    const record = `printf '%s' "${program}" >>"$MACHINE/calls"; for word; do printf ' [%s]' "$word" >>"$MACHINE/calls"; done; echo >>"$MACHINE/calls"`;
    await writeFile(path, `#!/bin/sh\n${record}\n${first}\n${usual}\n`);
    await chmod(path, 0o755);
  }

  /** Runs enable-ssh.sh to its end. */
  async enableSsh(args: string[] = [], environment: Record<string, string> = {}): Promise<Enabled> {
    await writeFile(join(this.directory, 'calls'), '');
    for (const { name, hostKey } of this.workers)
      await writeFile(join(this.directory, 'nodes', `${name}.pub`), `${hostKey}\n`);
    await writeFile(
      join(this.directory, 'workers'),
      this.workers.map(({ name, bootId, addresses }) => `${name} ${bootId} ${addresses.join(' ')}\n`).join(''),
    );
    const child = spawn('/bin/sh', [projectPath('playbooks/kind/enable-ssh.sh'), '--directory', this.output, ...args], {
      env: { PATH: `${join(this.directory, 'bin')}:/usr/bin:/bin`, MACHINE: this.directory, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
    const calls = (await readFile(join(this.directory, 'calls'), 'utf8')).split('\n').filter((line) => line !== '');
    return { exitCode, output, calls };
  }

  /** What ran inside a node: its arguments and its program. */
  async setUpOf(name: string): Promise<{ readonly key: string; readonly program: string }> {
    const read = async (what: string) => await readFile(join(this.directory, 'nodes', `${name}.${what}`), 'utf8');
    return { key: (await read('key')).trim(), program: await read('program') };
  }

  async stop(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

export interface Enabled {
  readonly exitCode: number | null;
  readonly output: string;
  /** The played programs, with each argument in brackets. */
  readonly calls: readonly string[];
}

/** Just enough of each program. `$MACHINE` is the directory of the machine. */
const programs: Readonly<Record<string, string>> = {
  kubectl: 'cat "$MACHINE/workers"',
  ssh: `
    cat >/dev/null
    for word; do case $word in maintenance@*) address=\${word#*@} ;; esac; done
    while read -r name boot first _; do [ "$first" != "$address" ] || { echo "$boot"; exit 0; }; done <"$MACHINE/workers"
    exit 255`,
  'ssh-keyscan': 'exit 1',
  docker: `
    verb=$1
    shift
    case $verb in
    inspect) echo turnus ;;
    exec)
      if [ "$1" = -i ]; then
        node=$2
        shift 5
        printf '%s\\n' "$1" >"$MACHINE/nodes/$node.key"
        cat >"$MACHINE/nodes/$node.program"
      else
        cat "$MACHINE/nodes/$1.pub"
      fi
      ;;
    esac`,
};
