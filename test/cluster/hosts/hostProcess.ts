import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { startChildProcess } from '../childProcess.js';
import { connect } from 'node:net';
import { sshPort } from '../addresses.js';
import { TestbedError } from '../testbedError.js';
import { waitFor } from '../waitFor.js';
import type { HostImage } from './hostImage.js';

/** How a host went down. */
type WayDown = 'reboot' | 'power-off' | 'power-cut';

/** A host that is switched on: sshd and all that was started through it, in namespaces of its own. */
export interface HostProcess {
  /** Settles when every process of the host has ended. */
  readonly down: Promise<WayDown>;
  /** Nothing on the host gets to say goodbye. */
  cutPower(): Promise<void>;
  /** Ends the open SSH connections; detached jobs go on, new connections are accepted. */
  dropConnections(): void;
  /** SIGSTOP or SIGCONT to everything that runs on the host. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

const exitCodes = { reboot: 42, powerOff: 43 };

/**
 * Process 1 of the host. The machine's file system is there read-only; the host's own directories lie over it.
 * USR1 and USR2 take the host down as systemd does: everybody gets a TERM, some time later everything ends.
 */
const processOne = `
set -eu
mount --bind "$PROGRAMS" /usr/local/sbin
mount --bind "$DISK/srv" /srv
mount --bind "$DISK/root" /root
mount --bind "$DISK/home" /home
mount --bind "$DISK/var-lib" /var/lib
for program in systemctl reboot shutdown poweroff halt; do
  for directory in /usr/bin /usr/sbin /bin /sbin; do
    if [ -e "$directory/$program" ]; then mount --bind "$PROGRAMS/systemctl" "$directory/$program"; fi
  done
done
mount --bind "$RUN" /run
mount --bind "$TEMPORARY" /tmp
for file in passwd group shadow; do mount --bind "/run/testbed/$file" "/etc/$file"; done
if [ -e /usr/bin/sudo ]; then mount --bind /run/testbed/empty /usr/bin/sudo; fi
mount --bind /run/testbed/boot_id /proc/sys/kernel/random/boot_id
if [ -e /proc/sysrq-trigger ]; then mount --bind /run/testbed/empty /proc/sysrq-trigger; fi
mount -o remount,bind,ro /
hostname "$NODE"
cd /

go_down() {
  kill -TERM -- -1 || :
  sleep "$SHUTDOWN_SECONDS"
  exit "$1"
}
trap 'go_down ${exitCodes.reboot}' USR1
trap 'go_down ${exitCodes.powerOff}' USR2
unset PROGRAMS DISK RUN TEMPORARY NODE
/usr/sbin/sshd -D -e -f /run/testbed/sshd_config &
sshd=$!
while kill -0 $sshd 2>/dev/null; do wait $sshd || :; done
echo "sshd has ended" >&2
exit 1
`;

export interface HostProcessOptions {
  node: string;
  address: string;
  image: HostImage;
  logPath: string;
  /** Between the request to go down and the end of all processes. */
  shutdownMs: number;
}

/** Switches a host on (its /run must be prepared); returns when sshd answers. */
export async function startHostProcess(options: HostProcessOptions): Promise<HostProcess> {
  const { node, address, image, logPath, shutdownMs } = options;
  const child = await startChildProcess({
    name: `host ${node}`,
    command: '/usr/bin/unshare',
    args: ['-m', '-p', '-u', '-f', '--mount-proc', '--kill-child', '--propagation', 'private', 'sh', '-c', processOne],
    logPath,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      NODE: node,
      PROGRAMS: image.programs,
      DISK: image.disk,
      RUN: image.run,
      TEMPORARY: image.temporary,
      SHUTDOWN_SECONDS: String(shutdownMs / 1000),
    },
  });
  await waitFor({
    what: `sshd of ${node} at ${address}:${sshPort}`,
    probe: () => {
      if (!child.isRunning()) throw new TestbedError(`The host of ${node} does not start:\n${child.logTail()}`);
      return isSshServer(address);
    },
  });
  const init = firstChildOf(child.pid);
  let powerWasCut = false;
  return {
    down: child.exited.then(({ exitCode, signal }) => {
      if (powerWasCut) return 'power-cut';
      // reboot(2) in a PID namespace ends its process 1 by SIGHUP for a restart, by SIGINT for a halt.
      if (exitCode === exitCodes.reboot || signal === 'SIGHUP') return 'reboot';
      if (exitCode === exitCodes.powerOff || signal === 'SIGINT') return 'power-off';
      return 'power-cut';
    }),
    cutPower: async () => {
      powerWasCut = true;
      // The kernel reports the end of a process 1 only when all of its namespace has ended.
      signalIfThere(init, 'SIGKILL');
      await child.exited;
    },
    dropConnections: () => {
      for (const process of processesOf(init)) {
        if (process.command.startsWith('sshd') && process.parent !== init) signalIfThere(process.pid, 'SIGKILL');
      }
    },
    signalAll: (signal) => {
      for (const { pid } of processesOf(init)) if (pid !== init) signalIfThere(pid, signal);
    },
  };
}

/** Whether an SSH server greets at this address. */
export async function isSshServer(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port: sshPort });
    const answer = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(2000, () => {
      answer(false);
    });
    socket.on('error', () => {
      answer(false);
    });
    socket.on('data', (data) => {
      answer(data.toString('latin1').startsWith('SSH-2.0'));
    });
  });
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function firstChildOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const first = Number(children[0]);
  if (!Number.isInteger(first) || first <= 1) throw new TestbedError(`Process ${pid} has no child`);
  return first;
}

/** The processes in the PID namespace of `init`, with pids as the test machine sees them. */
function processesOf(init: number): { pid: number; parent: number; command: string }[] {
  const namespace = readlinkSync(`/proc/${init}/ns/pid`);
  const found: { pid: number; parent: number; command: string }[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (readlinkSync(`/proc/${entry}/ns/pid`) !== namespace) continue;
      const [, command = '', parent = '0'] =
        /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      found.push({ pid: Number(entry), parent: Number(parent), command });
    } catch {
      continue; // it has just ended
    }
  }
  return found;
}
