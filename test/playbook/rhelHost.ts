import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../playbooks/scripts/rhel-upgrade.sh', import.meta.url));

/** How a pretended RHEL host stands before the script runs. */
export interface RhelHostState {
  /** `name version` of what is installed. */
  readonly packages: readonly string[];
  /** The packages after an upgrade; absent: as before. */
  readonly packagesAfter?: readonly string[];
  /** Packages that `dnf check-update` lists. */
  readonly upgradable?: readonly string[];
  /** `uname -r`. */
  readonly kernel?: string;
  /** What grubby --default-kernel prints, before and after an upgrade; absent: the running kernel. */
  readonly defaultKernel?: string;
  readonly defaultKernelAfter?: string;
  /** What needs-restarting -r prints and ends with; absent: no reboot, 0. */
  readonly needsRestarting?: { readonly says: string; readonly exitCode: number };
  /** Who plays needs-restarting: a program (yum-utils), a command of dnf (dnf-plugins-core), or nobody. */
  readonly needsRestartingIs?: 'program' | 'dnf command' | 'missing';
  /** Programs that are not there; ask {@link isReallyInstalled} before. */
  readonly missing?: readonly string[];
  /** Lines of shell at the beginning of a pretended program, with its arguments in `$*`. */
  readonly before?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ostree?: boolean;
  /** Who runs the script; `/bin/sh`. On RHEL that is bash. */
  readonly shell?: readonly string[];
}

export interface RhelOutcome {
  readonly exitCode: number | null;
  readonly output: string;
  /** Lines of $TURNUS_RESULT. */
  readonly lines: readonly string[];
  /** By their names, the later line winning. */
  readonly answers: Readonly<Record<string, string>>;
  /** The pretended programs with their arguments, in order. */
  readonly calls: readonly string[];
}

/**
 * Whether the machine that runs the tests has this program. Where it has, the script would find it in the place of a
 * missing one, so nothing can be tried that misses it.
 */
export function isReallyInstalled(program: string): boolean {
  return ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((directory) => existsSync(join(directory, program)));
}

/** Of needs-restarting, as dnf-plugins-core and dnf 5 word it. */
export const saysReboot =
  'Core libraries or services have been updated since boot-up:\n  * kernel-core\n\nReboot is required to fully utilize these updates.';
export const saysNoReboot =
  'No core libraries or services have been updated since boot-up.\nReboot should not be necessary.';

/** Runs rhel-upgrade.sh on a pretended host. */
export async function runRhelUpgrade(state: RhelHostState): Promise<RhelOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-rhel-'));
  try {
    await writeHost(directory, state);
    const [shell = '/bin/sh', ...shellArgs] = state.shell ?? ['/bin/sh'];
    const child = spawn(shell, [...shellArgs, script], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environmentOf(directory, state),
    });
    child.stdin.on('error', () => undefined); // nobody reads it
    child.stdin.end('y\n');
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return await outcomeOf(directory, exitCode, output);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeHost(directory: string, state: RhelHostState): Promise<void> {
  const { kernel = usualKernel, defaultKernel = `/boot/vmlinuz-${kernel}`, needsRestarting, upgradable = [] } = state;
  await mkdir(join(directory, 'bin'));
  const files: Readonly<Record<string, string>> = {
    packages: lines(state.packages),
    after: lines(state.packagesAfter ?? state.packages),
    updates: lines(upgradable.map((name) => `${name}.x86_64  2-1.el9  baseos`)),
    'default-kernel': `${defaultKernel}\n`,
    'default-kernel-after': `${state.defaultKernelAfter ?? defaultKernel}\n`,
    'restart-says': needsRestarting?.says ?? `${saysNoReboot}\n`,
    calls: '',
    ...(state.ostree === true ? { 'ostree-booted': '' } : {}),
  };
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(directory, name), content)));
  const missing = missingPrograms(state);
  const real = missing.filter(isReallyInstalled);
  if (real.length > 0) throw new Error(`this machine has ${real.join(', ')}: the script would run it`);
  const present = Object.entries(programs).filter(([name]) => !missing.includes(name));
  for (const [name, body] of present) {
    const path = join(directory, 'bin', name);
    await writeFile(path, `#!/bin/sh\necho "${name} $*" >>"$HOST/calls"\n${state.before?.[name] ?? ''}\n${body}\n`);
    await chmod(path, 0o755);
  }
}

const usualKernel = '5.14.0-503.15.1.el9_5.x86_64';

function missingPrograms(state: RhelHostState): readonly string[] {
  const asProgram = (state.needsRestartingIs ?? 'program') === 'program';
  return [...(state.missing ?? []), ...(asProgram ? [] : ['needs-restarting'])];
}

const needsRestarting = 'cat "$HOST/restart-says"; exit "$RESTART_EXIT"';

/** Just enough of each program. `$HOST` is the directory of the pretended host. */
const programs: Readonly<Record<string, string>> = {
  id: 'echo 0',
  uname: 'echo "$KERNEL"',
  sleep: ':',
  grubby: 'cat "$HOST/default-kernel"',
  rpm: 'while read -r name version; do echo "$name $version"; done <"$HOST/packages"',
  'needs-restarting': needsRestarting,
  dnf: `
    case " $* " in
    *' needs-restarting '*)
      if [ "$DNF_RESTART" != yes ]; then echo 'No such command: needs-restarting.' >&2; exit 1; fi
      case " $* " in *' --help '*) exit 0 ;; esac
      ${needsRestarting}
      ;;
    *' check --duplicates '*) ;;
    *' check-update '*)
      cat "$HOST/updates"
      [ -s "$HOST/updates" ] && exit 100
      exit 0
      ;;
    *' upgrade --downloadonly '*) ;;
    *' upgrade '*)
      cp "$HOST/after" "$HOST/packages"
      cp "$HOST/default-kernel-after" "$HOST/default-kernel"
      ;;
    esac`,
};

function environmentOf(directory: string, state: RhelHostState): Record<string, string> {
  return {
    PATH: `${join(directory, 'bin')}:/usr/bin:/bin`,
    HOST: directory,
    KERNEL: state.kernel ?? usualKernel,
    RESTART_EXIT: String(state.needsRestarting?.exitCode ?? 0),
    DNF_RESTART: state.needsRestartingIs === 'dnf command' ? 'yes' : 'no',
    TURNUS_RESULT: join(directory, 'result'),
    TURNUS_RUN: 'monthly-2026-11',
    TURNUS_NODE: 'node-1',
    TURNUS_STAGE: 'update',
    OSTREE_FLAG: join(directory, 'ostree-booted'),
    ...state.environment,
  };
}

async function outcomeOf(directory: string, exitCode: number | null, output: string): Promise<RhelOutcome> {
  const result = await linesOf(join(directory, 'result'));
  const answers = result.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  return {
    exitCode,
    output,
    lines: result,
    answers: Object.fromEntries(answers),
    calls: await linesOf(join(directory, 'calls')),
  };
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
