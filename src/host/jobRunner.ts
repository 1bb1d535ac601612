import { sharedFunctions } from './remoteProgram.js';

/**
 * The program that lives on the host beside the script and outlives the SSH session. It claims the job by making the
 * file `pid` (a hard link is made whole or not at all, and only once), runs the script in a session of its own, keeps
 * its output in bounds, stops it when its time is over, and leaves `exit_code` when it has ended. Its values are in the
 * file `job` beside it.
 *
 * Who ends all processes of the job (systemd stops a scope so) ends the script: what watches it here takes no notice of
 * HUP and TERM, so that the script can still speak, is still stopped in time, and its end is written down.
 *
 * The script gets the usual umask 022: what it writes elsewhere must be readable; the job's directory is closed anyway.
 * The room for `pid`, `group` and `exit_code` was taken when the job was prepared: a disk that was filled meanwhile does
 * not lose them. Only one runner gets the room for `pid`.
 */
export function runnerProgram(): string {
  return `#!/bin/sh
${sharedFunctions}
directory=\${0%/*}
cd "$directory" || exit 0
{
  read -r TURNUS_RUN
  read -r TURNUS_NODE
  read -r TURNUS_STAGE
  read -r timeout_seconds
  read -r boot_id_path
} <job || exit 0
mv pid.new "pid.$$" && printf '%-99s\\n' "$$ $(start_time $$) $(cat "$boot_id_path")" 1<>"pid.$$" && ln "pid.$$" pid
is_claimed=$?
rm -f "pid.$$"
[ "$is_claimed" -eq 0 ] || exit 0
TURNUS_RESULT=$directory/result
export TURNUS_RUN TURNUS_NODE TURNUS_STAGE TURNUS_RESULT
exec </dev/null >/dev/null 2>&1
${keepOutput}
# The interpreter is named here, because a disk mounted noexec refuses the script itself.
read -r first <script || :
case $first in '#!'*) interpreter=\${first#??} ;; *) interpreter=/bin/sh ;; esac
trap '' HUP INT TERM
keep_output <.pipe &
keeper=$!
umask 022
set -f
(
  trap - HUP TERM
  exec setsid $interpreter "$directory/script"
) >.pipe 2>&1 &
script=$!
umask 077
set +f
keeper_start=$(start_time "$keeper")
script_start=$(start_time "$script")
printf '%-39s\\n' "$script $script_start" 1<>group.new
mv group.new group
(
  left=$timeout_seconds
  while [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
  done
  # From here on it cannot be called back: that it ends by itself says that the time was over.
  trap '' USR1
  signal_group TERM "$script"
  left=${String(killAfterSeconds)}
  while [ "$left" -gt 0 ] && signal_group 0 "$script"; do
    sleep 1
    left=$((left - 1))
  done
  signal_group KILL "$script"
  exit 0
) &
watchdog=$!
wait "$script"
code=$?
kill -s USR1 "$watchdog"
if wait "$watchdog"; then how=timed-out; else how=exited; fi
await_output
printf '%-39s\\n' "$code $how" 1<>exit_code.new || exit 0
[ ! -e result ] || store result
store output exit_code.new
for part in .output.*; do
  [ ! -f "$part" ] || store "$part"
done
mv exit_code.new exit_code
store .
exit 0
`;
}

/** Seconds between TERM and KILL. */
export const killAfterSeconds = 10;

/**
 * Of the output the beginning is kept, and of what follows the last two parts of this size. At most 15 MiB of a job stay
 * on the disk: three times 4 MiB, and the 16 blocks that may come before the next look at a part's size.
 */
const partBytes = 4 * 1024 * 1024;
const blockBytes = 65_536;
const blocksBetweenLooks = 16;
/** Twentieths of a second in which the pipe is given the time to end by itself, and then to be read. */
const waits = { untilAsked: 40, atMost: 80 };

/**
 * `keep_output` copies its standard input block by block, as it comes: into `output` while that has room, then into
 * `.output.<number of its first byte>`, a name that no script is likely to use. What cannot be written is read nevertheless: a full disk does not stop the script.
 * It ends with its input, which may be later than the script: something that it has left running may hold it open.
 *
 * `await_output` returns when everything that the script wrote is in the files. Where the pipe is still open it writes
 * blank lines there: reads that began after the file `.ended` was made get all that the pipe holds, and the one that is
 * shorter than a block was the last of them (pipe(7)).
 */
const keepOutput = `
keep_output() {
  part=output part_start=0 older= blocks=0
  while :; do
    has_ended=no
    [ ! -e .ended ] || has_ended=yes
    records=$(LC_ALL=C dd bs=${String(blockBytes)} count=1 2>&1 >>"$part")
    case $records in
      *'records in'*) ;;
      *) records=$(LC_ALL=C dd bs=${String(blockBytes)} count=1 2>&1 >/dev/null) ;;
    esac
    case $records in '0+0 records in'*) break ;; esac
    # A whole block may have more behind it.
    case $has_ended$records in no* | 'yes1+0 records in'*) ;; *) true >.drained ;; esac
    blocks=$((blocks + 1))
    [ "$((blocks % ${String(blocksBetweenLooks)}))" -eq 0 ] || continue
    size=$(($(wc -c <"$part" || echo 0)))
    [ "$size" -ge ${String(partBytes)} ] || continue
    part_start=$((part_start + size))
    if [ "$part" != output ]; then
      [ -z "$older" ] || rm -f "$older"
      older=$part
    fi
    part=.output.$part_start
  done
}
await_output() {
  true >.ended
  tries=0 asker=
  while alive "$keeper" "$keeper_start" && [ ! -e .drained ] && [ "$tries" -lt ${String(waits.atMost)} ]; do
    if [ "$tries" -ge ${String(waits.untilAsked)} ]; then
      [ -z "$asker" ] || kill -s KILL "$asker"
      printf '\\n' 1<>.pipe &
      asker=$!
    fi
    sleep 0.05
    tries=$((tries + 1))
  done
  [ -z "$asker" ] || kill -s KILL "$asker"
  rm -f .pipe .ended .drained
}`;
