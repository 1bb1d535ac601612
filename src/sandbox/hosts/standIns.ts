import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellQuote } from '../../host/shellQuote.js';

/** `yes` in the environment of a process that is root as far as the host's programs can tell. */
export const rootVariable = 'TURNUS_SANDBOX_ROOT';

/** Where the parts of a host are, below its directory; where Linux has such a file, under the same name. */
export const hostFiles = {
  programs: 'bin',
  requests: 'run/requests',
  /** While it is there the disk is full. */
  diskFull: 'run/disk-full',
  runningKernel: 'proc/sys/kernel/osrelease',
  /** The kernel of the next boot: a script that "installs" one writes its version here. */
  installedKernel: 'boot/kernel',
} as const;

/** Says which host it stands for: proof that the stand-ins are found, and found first. */
export const probe = 'turnus-sandbox-host';

/** These change the machine that the sandbox runs on, which is none of its hosts. */
const refused = [
  ...['apt', 'apt-get', 'aptitude', 'dpkg', 'dnf', 'yum', 'rpm', 'zypper', 'snap', 'unattended-upgrade'],
  ...['systemd-run', 'loginctl', 'init', 'telinit', 'kexec', 'mount', 'umount', 'modprobe', 'sysctl'],
];

/**
 * Writes the programs that stand in for those of a real machine, to be found first. They know the host's directory:
 * an environment that was cleared does not lead to the machine's own `reboot`.
 */
export async function writeStandIns(host: {
  readonly directory: string;
  readonly node: string;
  /** Where the machine's own programs are, as in PATH. */
  readonly path: string;
}): Promise<void> {
  const programs = join(host.directory, hostFiles.programs);
  await mkdir(programs, { recursive: true });
  const texts = { ...Object.fromEntries(refused.map((name) => [name, refusal])), ...standIns(host) };
  await Promise.all(
    Object.entries(texts).map(async ([name, text]) => {
      await writeFile(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }),
  );
}

const refusal = `echo "\${0##*/}: not in the sandbox: this host is a directory on your own machine" >&2
exit 1`;

function standIns(host: { directory: string; node: string; path: string }): Readonly<Record<string, string>> {
  const file = (name: keyof typeof hostFiles) => shellQuote(join(host.directory, hostFiles[name]));
  // Opened for reading too, a pipe does not make the writer wait where nobody reads any more (fifo(7)).
  const ask = (word: string) => `printf '${word}\\n' 1<>${file('requests')}`;
  const forRoot = `[ "$${rootVariable}" = yes ] || { echo "\${0##*/}: only root may do this" >&2; exit 1; }`;
  const ownProgram = `PATH=${shellQuote(host.path)} exec "\${0##*/}" "$@"`;
  const powerOff = `${forRoot}\n${ask('poweroff')}`;
  return {
    reboot: `${forRoot}\n${ask('reboot')}`,
    poweroff: powerOff,
    halt: powerOff,
    shutdown: `${forRoot}
case " $* " in
  *' -c '*) ;;
  *' -r '* | *' --reboot '*) ${ask('reboot')} ;;
  *) ${ask('poweroff')} ;;
esac`,
    systemctl: `case " $* " in
  *' reboot '*) exec reboot ;;
  *' poweroff '* | *' halt '*) exec poweroff ;;
  *' is-active '* | *' is-enabled '*) echo active ;;
  *) ${refusal} ;;
esac`,
    sudo: `while [ "$#" -gt 0 ]; do
  case $1 in
    -v | -k | -K) exit 0 ;;
    -u | -g) shift 2 ;;
    --) shift; break ;;
    -*) shift ;;
    [A-Za-z_]*=*) export "$1"; shift ;;
    *) break ;;
  esac
done
SUDO_USER=\${SUDO_USER:-$USER} USER=root LOGNAME=root ${rootVariable}=yes
export SUDO_USER USER LOGNAME ${rootVariable}
[ "$#" -gt 0 ] || set -- /bin/sh -i
exec "$@"`,
    id: `if [ "$${rootVariable}" = yes ]; then id=0 name=root; else id=1000 name=$USER; fi
case $* in
  -u | -g | -ru | -rg) echo "$id" ;;
  -*n*) echo "$name" ;;
  *) echo "uid=$id($name) gid=$id($name) groups=$id($name)" ;;
esac`,
    [probe]: `echo ${shellQuote(host.directory)}`,
    whoami: 'id -un',
    hostname: `echo ${shellQuote(host.node)}`,
    uname: `case $* in
  -r) [ ! -s ${file('runningKernel')} ] || exec cat ${file('runningKernel')} ;;
  -n) echo ${shellQuote(host.node)}; exit 0 ;;
esac
${ownProgram}`,
    // Asked whether unattended-upgrades reboots by itself: no answer means no.
    'apt-config': 'exit 0',
    // Its disk outlives a boot, also where the machine keeps the directory in memory.
    df: `if [ ! -e ${file('diskFull')} ]; then
  PATH=${shellQuote(host.path)} "\${0##*/}" "$@" | sed 's/^tmpfs /sandbox /'
  exit
fi
echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'
echo 'sandbox 1048576 1048576 0 100% /'`,
    mktemp: `[ -e ${file('diskFull')} ] || ${ownProgram}
echo 'mktemp: No space left on device' >&2
exit 1`,
  };
}
