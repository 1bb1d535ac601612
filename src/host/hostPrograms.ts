import type { HostFacts } from './hostPort.js';
import { scriptDigest } from './scriptDigest.js';
import type { RemoteAnswer, RemoteProgram } from './remoteProgram.js';

/** A job needs less than this for its script, its first output, and its files. */
const leastFreeKib = 1024;
const leastFreeInodes = 64;

/** What the programs for a job call, besides the shell (docs/host-jobs.md). */
const neededPrograms = ['setsid', 'mkfifo', 'mktemp', 'sync', 'ln', 'mv', 'find', 'head', 'tail', 'wc', 'dd', 'df'];

/** By what the host is rebooted, into `reboot`; empty where there is neither. */
const findRebootCommand = `
reboot=
if [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then reboot='systemctl reboot'
elif command -v reboot >/dev/null; then reboot=reboot
elif command -v systemctl >/dev/null; then reboot='systemctl reboot'
fi`;

/**
 * Looks at the host and changes nothing. Where root could not store a job either, that is the answer: better now than
 * when the node is empty. `/b` makes apt-config read the setting as unattended-upgrades does: `true`, `yes`, `1`, `on`
 * and the like are true. A restricted key's host also says whether the scripts are installed there.
 */
export function inspectProgram(scripts: readonly PlaybookScript[]): RemoteProgram {
  const words = scripts.flatMap(({ name, content }) => [name, scriptDigest(content)]);
  return { restricted: { verb: 'inspect', words }, text: inspectText };
}

/** A script of the playbook, under its file name. */
export interface PlaybookScript {
  readonly name: string;
  readonly content: string;
}

export const inspectText = `
read_boot_id
disk=$base
while [ ! -d "$disk" ] && [ "$disk" != / ] && [ "$disk" != . ]; do disk=$(dirname "$disk"); done
trouble() { answer "failed=$2" "about=$1"; exit 1; }
missing=
for program in ${neededPrograms.join(' ')}; do command -v "$program" >/dev/null || missing="$missing $program"; done
case "$missing " in *' df '*) trouble program-missing "the program df is missing" ;; esac
free=$(LC_ALL=C df -Pk "$disk" | { read -r _; read -r device _ _ free _ point; echo "$free $device $point"; })
point=\${free#* * }
device=\${free#* }
device=\${device%% *}
free=\${free%% *}
# After an error a file system is read-only in ways that test -w does not see (proc(5), mountinfo: the options of the
# mount, and last those of the file system).
options=''
while read -r _ _ _ _ each of_mount rest; do
  [ "$each" != "$point" ] || options=",$of_mount,\${rest##* },"
done </proc/self/mountinfo
root=no
if [ "$(id -u)" -eq 0 ]; then
  root=yes
  case $options in *,ro,* | *,emergency_ro,*) is_writable=no ;; *) is_writable=yes ;; esac
  [ -w "$disk" ] && [ "$is_writable" = yes ] || trouble disk-read-only "nothing can be written below $base: the disk is read-only"
  [ -z "$free" ] || [ "$free" -ge ${String(leastFreeKib)} ] ||
    trouble disk-full "the disk below $base is full: $free KiB are free"
  # Not every df counts inodes, and a file system without a table of them says that it has none in all, or a dash.
  inodes=$(LC_ALL=C df -Pi "$disk" 2>/dev/null | { read -r _; read -r _ all _ free _; echo "$all:$free"; })
  case $inodes in
    0:* | :* | *: | *[!0-9:]*) ;;
    *) [ "\${inodes#*:}" -ge ${String(leastFreeInodes)} ] ||
      trouble disk-full "the disk below $base is full: it has room for \${inodes#*:} more files" ;;
  esac
fi
${findRebootCommand}
systemd=no
[ ! -d /run/systemd/system ] || systemd=yes
automatic=
if command -v unattended-upgrade >/dev/null && command -v apt-config >/dev/null; then
  case $(apt-config shell reboot Unattended-Upgrade::Automatic-Reboot/b 2>/dev/null) in
    *true*) automatic=yes ;;
    *) automatic=no ;;
  esac
fi
answer "boot_id=$boot" "user=\${SUDO_USER:-$(id -un)}" "root=$root" "systemd=$systemd" "kernel=$(uname -r)" "free_kib=$free" \\
  "automatic_reboot=$automatic" "device=$device" "missing_programs=$missing" "reboot_command=$reboot" "time=$(date -u +%s)"`;

/** What {@link inspectProgram} saw; undefined where the answer is not understood. */
export function parseHostFacts(answer: RemoteAnswer, hostKeyFingerprint: string): HostFacts | undefined {
  const bootId = parseBootId(answer);
  const user = answer.fields.get('user');
  const kernel = answer.fields.get('kernel');
  const freeKib = answer.fields.get('free_kib') ?? '';
  const automatic = answer.fields.get('automatic_reboot');
  if (bootId === undefined || user === undefined || kernel === undefined || !/^\d{1,15}$/.test(freeKib))
    return undefined;
  return {
    bootId,
    user,
    root: answer.fields.get('root') === 'yes',
    hostKeyFingerprint,
    systemd: answer.fields.get('systemd') === 'yes',
    kernel,
    freeBytes: Number(freeKib) * 1024,
    automaticReboot: automatic === 'yes' ? true : automatic === 'no' ? false : undefined,
    ...laterFacts(answer.fields),
  };
}

/** What answers of earlier versions do not have: each is left out where it is not there, or not understood. */
function laterFacts(fields: RemoteAnswer['fields']): Partial<HostFacts> {
  const [time = '', missing, device] = [fields.get('time'), fields.get('missing_programs'), fields.get('device')];
  const rebootCommand = fields.get('reboot_command');
  return {
    ...(/^\d{9,12}$/.test(time) ? { clockMs: Number(time) * 1000 } : {}),
    ...(missing === undefined ? {} : { missingPrograms: missing.split(' ').filter((name) => name !== '') }),
    ...(rebootCommand === undefined ? {} : { rebootCommand }),
    ...(device === undefined ? {} : { jobsInMemory: device === 'tmpfs' || device === 'ramfs' }),
  };
}

export const bootIdProgram: RemoteProgram = {
  restricted: { verb: 'boot-id', words: [] },
  text: `read_boot_id; answer "boot_id=$boot"`,
};

export function parseBootId(answer: RemoteAnswer): string | undefined {
  const bootId = answer.fields.get('boot_id')?.trim();
  return bootId === undefined || bootId === '' ? undefined : bootId;
}

/**
 * Reboots only in the boot that is expected (compare and swap). The decision is written down and answered first; the
 * reboot follows a second later, detached, so that the answer gets through. A request that comes twice meets either
 * the same boot, which is on its way down, or a new one, which it leaves alone.
 */
export function rebootProgram(expectedBootId: string): RemoteProgram {
  const words = [expectedBootId];
  return { restricted: { verb: 'reboot', words }, text: rebootText, values: words };
}

export const rebootText = `
read_boot_id
if [ "$boot" != "$1" ]; then answer requested=no "boot_id=$boot"; exit 0; fi
${findRebootCommand}
[ -n "$reboot" ] || fail 'neither systemctl nor reboot is there'
mkdir -p "$base" && printf '%s\\n' "$boot" >"$base/reboot-requested.new" &&
  mv "$base/reboot-requested.new" "$base/reboot-requested" || fail "nothing can be written in $base"
store "$base/reboot-requested" "$base"
log=$base/reboot.log
true >"$log" || log=/dev/null
answer requested=yes "boot_id=$boot"
setsid /bin/sh -c 'sleep 1; exec $1' turnus "$reboot" </dev/null >"$log" 2>&1 &`;

/** Names of failed systemd units, without asking for root. */
export const failedUnitsProgram: RemoteProgram = {
  restricted: { verb: 'failed-units', words: [] },
  text: `
[ -d /run/systemd/system ] && command -v systemctl >/dev/null || { answer systemd=no; exit 0; }
units=$(LC_ALL=C systemctl list-units --state=failed --plain --no-legend --no-pager 2>&1) || fail "systemctl: $units"
answer systemd=yes
printf '%s\\n' "$units"`,
};

/** The names in the answer of {@link failedUnitsProgram}; undefined where systemd does not run. */
export function parseFailedUnits(answer: RemoteAnswer): readonly string[] | undefined {
  if (answer.fields.get('systemd') !== 'yes') return undefined;
  return answer.body
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
}

/**
 * Runs a command of the playbook. Its text comes by standard input and goes on by the environment, so that it does
 * not stand in the process list; its exit code is the program's own.
 */
export function checkProgram(command: string, timeoutMs: number): RemoteProgram {
  return {
    restricted: undefined,
    text: checkText,
    values: [String(Math.max(1, Math.ceil(timeoutMs / 1000))), String(Buffer.byteLength(command.replace(/\n+$/, '')))],
    input: command,
  };
}

const checkText = `
TURNUS_COMMAND=$(cat)
[ "$(($(printf %s "$TURNUS_COMMAND" | wc -c)))" -eq "$2" ] || fail 'the command did not arrive whole'
export TURNUS_COMMAND
answer check=started
exec </dev/null 2>&1
if command -v timeout >/dev/null; then exec timeout -k 5 "$1" /bin/sh -c 'eval "$TURNUS_COMMAND"'; fi
exec /bin/sh -c 'eval "$TURNUS_COMMAND"'`;
