import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../playbooks/scripts/debian-upgrade.sh', import.meta.url));

/** How a pretended Debian host stands before the script runs. */
export interface HostState {
  /** `ii name version`, the first word as dpkg's Status-Abbrev. */
  readonly packages: readonly string[];
  /** The packages after an upgrade; absent: as before. */
  readonly packagesAfter?: readonly string[];
  /** Packages that `apt-get -s upgrade` would install. */
  readonly upgradable?: readonly string[];
  readonly holds?: readonly string[];
  /** `uname -r`. */
  readonly kernel?: string;
  /** `uname -v`. */
  readonly kernelBuild?: string;
  /** Releases with a /boot/vmlinuz; absent: those of all kernel packages, before and after. */
  readonly bootable?: readonly string[];
  readonly rebootFlag?: boolean;
  /** What needrestart prints. */
  readonly needrestart?: string;
  /** Lines of shell at the beginning of a pretended program, with its arguments in `$*`. */
  readonly before?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Packages on record as held by an earlier, killed script. */
  readonly leftHolds?: readonly string[];
}

export interface ScriptOutcome {
  readonly exitCode: number | null;
  readonly output: string;
  /** Lines of $TURNUS_RESULT. */
  readonly lines: readonly string[];
  /** By their names, the later line winning. */
  readonly answers: Readonly<Record<string, string>>;
  /** The pretended programs with their arguments, in order. */
  readonly calls: readonly string[];
  readonly holds: readonly string[];
  /** Holds while packages were upgraded; undefined where they were not. */
  readonly holdsDuringUpgrade: readonly string[] | undefined;
  readonly holdsOnRecord: boolean;
}

/** Runs debian-upgrade.sh on a pretended host. `whileRunning` gets the process (its own group) and the directory. */
export async function runUpgrade(
  state: HostState,
  whileRunning?: (pid: number, directory: string) => Promise<void>,
): Promise<ScriptOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-debian-'));
  try {
    await writeHost(directory, state);
    const child = spawn('/bin/sh', [script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environmentOf(directory, state),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    if (whileRunning !== undefined && child.pid !== undefined) await whileRunning(child.pid, directory);
    return await outcomeOf(directory, await ended, output);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeHost(directory: string, state: HostState): Promise<void> {
  const after = state.packagesAfter ?? state.packages;
  const kernels = [...state.packages, ...after].flatMap(
    (line) => /linux-image-(?:unsigned-)?(\d\S*)/.exec(line)?.[1] ?? [],
  );
  await Promise.all(['bin', 'boot', 'state'].map((name) => mkdir(join(directory, name))));
  const files: Readonly<Record<string, string>> = {
    packages: lines(state.packages),
    after: lines(after),
    holds: lines(state.holds ?? []),
    simulation: lines((state.upgradable ?? []).map((name) => `Inst ${name} [1] (2 Debian:12/stable [amd64])`)),
    needrestart: state.needrestart ?? '',
    calls: '',
    ...(state.rebootFlag === true ? { 'reboot-required': '' } : {}),
    ...(state.leftHolds === undefined ? {} : { 'state/held-by-debian-upgrade': lines(state.leftHolds) }),
    ...Object.fromEntries((state.bootable ?? kernels).map((release) => [`boot/vmlinuz-${release}`, ''])),
  };
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(directory, name), content)));
  for (const [name, body] of Object.entries(programs)) {
    const path = join(directory, 'bin', name);
    await writeFile(path, `#!/bin/sh\necho "${name} $*" >>"$HOST/calls"\n${state.before?.[name] ?? ''}\n${body}\n`);
    await chmod(path, 0o755);
  }
}

/** Just enough of each program. `$HOST` is the directory of the pretended host. */
const programs: Readonly<Record<string, string>> = {
  id: 'echo 0',
  uname: 'case $1 in -r) echo "$KERNEL" ;; -v) echo "$KERNEL_BUILD" ;; esac',
  sleep: ':',
  dpkg: ':',
  needrestart: 'cat "$HOST/needrestart"',
  'dpkg-query': `
    format=$3
    shift 3
    known=1
    while read -r status name version; do
      wanted=$#
      for pattern in "$@"; do
        case $name in $pattern) wanted=0 ;; esac
      done
      [ "$wanted" = 0 ] || continue
      known=0
      case $format in
      *Package*) echo "$status  $name" ;;
      *) echo "$status  $version" ;;
      esac
    done <"$HOST/packages"
    exit "$known"`,
  'apt-mark': `
    verb=$1
    shift
    case $verb in
    showhold) sort "$HOST/holds" ;;
    hold) printf '%s\\n' "$@" >>"$HOST/holds" ;;
    unhold)
      for name in "$@"; do
        grep -Fvx -- "$name" "$HOST/holds" >"$HOST/holds.new"
        mv "$HOST/holds.new" "$HOST/holds"
      done
      ;;
    esac`,
  'apt-get': `
    case " $* " in
    *' -s '*) cat "$HOST/simulation" ;;
    *' --download-only '* | *' update '*) ;;
    *' upgrade '*)
      cp "$HOST/holds" "$HOST/holds-during"
      cp "$HOST/after" "$HOST/packages"
      ;;
    esac`,
};

function environmentOf(directory: string, state: HostState): Record<string, string> {
  return {
    PATH: `${join(directory, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOST: directory,
    KERNEL: state.kernel ?? '6.1.0-40-amd64',
    KERNEL_BUILD: state.kernelBuild ?? '#1 SMP PREEMPT_DYNAMIC',
    TURNUS_RESULT: join(directory, 'result'),
    TURNUS_RUN: 'monthly-2026-11',
    TURNUS_NODE: 'node-1',
    TURNUS_STAGE: 'update',
    REBOOT_FLAG: join(directory, 'reboot-required'),
    BOOT_DIRECTORY: join(directory, 'boot'),
    STATE_DIRECTORY: join(directory, 'state'),
    ...state.environment,
  };
}

async function outcomeOf(directory: string, exitCode: number | null, output: string): Promise<ScriptOutcome> {
  const result = (await linesOf(join(directory, 'result'))) ?? [];
  return {
    exitCode,
    output,
    lines: result,
    answers: Object.fromEntries(
      result.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
    calls: (await linesOf(join(directory, 'calls'))) ?? [],
    holds: ((await linesOf(join(directory, 'holds'))) ?? []).sort(),
    holdsDuringUpgrade: (await linesOf(join(directory, 'holds-during')))?.sort(),
    holdsOnRecord: (await linesOf(join(directory, 'state/held-by-debian-upgrade'))) !== undefined,
  };
}

async function linesOf(path: string): Promise<string[] | undefined> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  } catch {
    return undefined;
  }
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
