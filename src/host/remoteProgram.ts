import type { HostLayout } from './jobDirectory.js';
import { shellQuote } from './shellQuote.js';

/** A POSIX shell program for the host, with its values and the bytes that it reads from its standard input. */
export interface RemoteProgram {
  /** What a restricted key asks for instead (docs/turnus-host.md); undefined where that cannot be. */
  readonly restricted: { readonly verb: string; readonly words: readonly string[] } | undefined;
  /** The body of a function; the same for every host, so that `turnus-host` can carry it too. */
  readonly text: string;
  /** What the text knows as `$1`, `$2` and so on. */
  readonly values?: readonly string[];
  readonly input?: string;
}

/** What a program answered: fields, then bytes. */
export interface RemoteAnswer {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const header = 'turnus-answer 1\n';

/** Reads as many bytes as the first line says, and runs them; the rest of the input is the program's. */
const loader = 'read -r n && p=$(dd bs=1 count="$n" 2>/dev/null) && eval "$p"';

/**
 * The command line to run over SSH, the same for every program: neither programs nor scripts stand in a process list,
 * a login shell of any kind can read it, and a rule for sudo can name it.
 */
export function commandLine({ sudo }: { readonly sudo: boolean }): string {
  return `${sudo ? 'sudo -n -- ' : ''}/bin/sh -c ${shellQuote(loader)}`;
}

/**
 * What is written to the standard input of {@link commandLine}. The program is a function, with its values
 * in another one that is called by the last word: a text that was cut on the way is a syntax error or calls nothing, and
 * never runs by half or with less values.
 */
export function programInput(program: RemoteProgram, layout: HostLayout): Buffer {
  const values = (program.values ?? []).map(shellQuote).join(' ');
  const parts = [
    placesOf(layout),
    sharedFunctions,
    `program() {\n${program.text}\n}`,
    `turnus() {\nprogram ${values}\n}`,
    'turnus',
  ];
  const text = parts.join('\n');
  return Buffer.from(`${String(Buffer.byteLength(text))}\n${text}${program.input ?? ''}`);
}

/** The answer in what the host wrote; undefined where there is none. A login shell may have talked before it. */
export function parseAnswer(stdout: Buffer): RemoteAnswer | undefined {
  const start = stdout.indexOf(header);
  if (start === -1) return undefined;
  const fieldsStart = start + header.length;
  const end = stdout.indexOf('\n\n', fieldsStart - 1);
  if (end === -1) return undefined;
  const fields = new Map<string, string>();
  for (const line of stdout.toString('utf8', fieldsStart, end).split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return { fields, body: stdout.subarray(end + 2) };
}

/** The places on the host, under the names that programs know them by. */
export function placesOf({ baseDirectory, bootIdPath }: HostLayout): string {
  return `base=${shellQuote(baseDirectory)}\nboot_id_path=${shellQuote(bootIdPath)}`;
}

/**
 * Functions of every program. `start_time PID` is the start of a living process in clock ticks since the boot
 * (proc(5), /proc/pid/stat, field 22; the name in field 2 may hold spaces and brackets); with it a process identifier
 * that was given anew is told apart. `signal_group SIGNAL GROUP`: dash sends nothing without the two dashes; busybox
 * complains of them and sends all the same, so that they come second. A file is made by `true >FILE`: after a failed
 * redirection of the special builtin `:` a shell ends (POSIX.1-2024, XCU 2.8.1).
 *
 * `store FILE...` returns when the files are on the disk, and fails where the disk lost them, with the errors that fsync(2)
 * names, in the words of glibc and musl; a `sync` or a file system that knows no single files is asked as a whole.
 *
 * `claim_for_nobody MARKER` succeeds where no runner has claimed the job and, from here on, none ever can. A runner needs
 * `pid.new`; to remove that and to link what is there takes no room on a full disk. Markers of earlier versions have only
 * the link.
 */
export const sharedFunctions = `
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
answer() { printf 'turnus-answer 1\\n'; printf '%s\\n' "$@" ''; }
fail() { answer "failed=$1"; exit 1; }
start_time() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  set -- \${stat##*) }
  case $1 in Z | X) ;; *) printf %s "\${20}" ;; esac
}
read_boot_id() { boot=$(cat "$boot_id_path") || fail 'the boot id cannot be read'; }
signal_group() { kill -s "$1" "-$2" 2>/dev/null || kill -s "$1" -- "-$2" 2>/dev/null; }
alive() { [ -n "$2" ] && [ "$(start_time "$1")" = "$2" ]; }
store() {
  said=$(LC_ALL=C sync "$@" 2>&1) && return
  case $said in *'output error'* | *'I/O error'* | *'No space left'* | *'uota exceeded'* | *'Read-only'*) return 1 ;; esac
  sync
}
claim_for_nobody() {
  rm "$1/pid.new" 2>/dev/null
  room_taken=$?
  ln "$1/token" "$1/pid" 2>/dev/null || { [ "$room_taken" -eq 0 ] && [ ! -e "$1/pid" ]; }
}`;
