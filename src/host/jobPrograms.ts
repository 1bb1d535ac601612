import type { JobKey, JobRequest } from './hostPort.js';
import { jobName } from './jobDirectory.js';
import { maximumResultBytes } from './jobAnswers.js';
import { killAfterSeconds, runnerProgram } from './jobRunner.js';
import type { RemoteProgram } from './remoteProgram.js';
import { scriptDigest } from './scriptDigest.js';
import { shellQuote } from './shellQuote.js';

/** Output that one reading of a job carries at most. */
export const maximumOutputBytes = 65_536;

/** Directories of runs are removed when nothing was started in them for so long. */
const keepDays = 100;

/**
 * Starts a job at most once, whatever breaks (docs/host-jobs.md). Everything is prepared and on the disk under a
 * temporary name; the rename to the marker directory is the point of no return and the lock; only then the runner is
 * launched. Whoever finds the marker starts nothing.
 */
export function startProgram(job: JobRequest): RemoteProgram {
  const timeoutSeconds = Math.max(1, Math.ceil(job.timeoutMs / 1000));
  const words = [job.runUid, jobName(job), job.run, job.node, job.stage, String(timeoutSeconds)];
  const digest = scriptDigest(job.script);
  return {
    restricted: { verb: 'start', words: [...words, job.scriptName, digest] },
    text: `${endIfStarted}\n${startText}`,
    values: [...words, String(Buffer.byteLength(job.script)), digest],
    input: job.script,
  };
}

/**
 * `end_if_started MARKER DIGEST` ends where the marker is there. One that names another script was made by somebody else
 * (a stolen key), and is not taken for the job that was asked for. Markers of earlier versions name none.
 */
export const endIfStarted = `
end_if_started() {
  [ -e "$1" ] || return 0
  digest=$(cat "$1/script_digest" 2>/dev/null)
  [ "\${digest:-$2}" = "$2" ] ||
    fail "the job in $1 was started with another script (SHA-256 $digest) than that of the playbook: find out who started it"
  answer started=no
  exit 0
}`;

export const startText = `
run=$base/jobs/$1
job=$run/$2
end_if_started "$job" "$8"
read_boot_id
for each in setsid mkfifo; do command -v "$each" >/dev/null || fail "the program $each is missing"; done
mkdir -p "$run" && true >"$run/.turnus-run" || fail "the directory $run cannot be made"
holds_living() {
  for claim in "$1"/*/pid; do
    [ -f "$claim" ] && [ ! -e "\${claim%/pid}/exit_code" ] && read -r process start _ <"$claim" || continue
    ! alive "$process" "$start" || return 0
  done
  return 1
}
for old in "$base"/jobs/*; do
  [ "$old" != "$run" ] && [ -f "$old/.turnus-run" ] && [ ! -L "$old" ] || continue
  [ -z "$(find "$old" -maxdepth 0 -mtime +${String(keepDays)})" ] || holds_living "$old" || rm -rf "$old"
done
find "$run" -maxdepth 1 -name '.upload.*' -mtime +1 -exec rm -rf {} +
upload=$(mktemp -d "$run/.upload.XXXXXXXXXXXX") || fail "nothing can be written in $run"
token=\${upload##*/}
trap 'rm -rf "$upload"' EXIT
cat >"$upload/script" &&
  printf %s ${shellQuote(runnerProgram())} >"$upload/runner" &&
  printf '%s\\n' "$3" "$4" "$5" "$6" "$boot_id_path" >"$upload/job" &&
  printf '%s\\n' "$boot" >"$upload/boot_id" &&
  printf '%s %s %s\\n' "$$" "$(start_time $$)" "$boot" >"$upload/launcher" &&
  printf '%s\\n' "$token" >"$upload/token" &&
  printf '%s\\n' "$8" >"$upload/script_digest" &&
  printf '%-99s\\n' '' >"$upload/launcher.new" &&
  printf '%-99s\\n' '' >"$upload/pid.new" &&
  printf '%-39s\\n' '' >"$upload/group.new" &&
  printf '%-39s\\n' '' >"$upload/exit_code.new" &&
  mkfifo "$upload/.pipe" &&
  true >"$upload/output" || fail "the script cannot be stored in $run (is the disk full?)"
[ "$(($(wc -c <"$upload/script")))" -eq "$7" ] || fail 'the script did not arrive whole'
store "$upload"/* "$upload" || fail "the script cannot be brought to the disk in $run"
mv "$upload" "$job" 2>/dev/null
if [ "$(cat "$job/token" 2>/dev/null)" != "$token" ]; then
  rm -rf "$job/\${token:?}"
  end_if_started "$job" "$8"
  fail "the directory $job cannot be made"
fi
trap - EXIT
if ! store "$run" "$base/jobs" "$base" "$base/.."; then
  claim_for_nobody "$job"
  fail "the directory $job cannot be brought to the disk"
fi
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  # Who is ended by a signal is not to start: the scope, or the machine, is being stopped.
  setsid /bin/sh -c '
    systemd-run --quiet --scope --collect --slice=system.slice -- /bin/sh "$1" || [ "$?" -gt 128 ] || exec /bin/sh "$1"
    ' turnus "$job/runner" </dev/null >/dev/null 2>&1 &
else
  setsid /bin/sh "$job/runner" </dev/null >/dev/null 2>&1 &
fi
# Systemd may take its time: as long as the launching shell lives, the runner may still come.
launcher=$!
launcher_start=$(start_time "$launcher")
printf '%-99s\\n' "$launcher $launcher_start $boot" 1<>"$job/launcher.new" && mv "$job/launcher.new" "$job/launcher"
tries=0
while [ ! -e "$job/pid" ] && [ "$tries" -lt 200 ] && alive "$launcher" "$launcher_start"; do
  sleep 0.05
  tries=$((tries + 1))
done
alive "$launcher" "$launcher_start" || ! claim_for_nobody "$job" ||
  fail "the job in $job was not started: its runner found no room, or was killed"
answer started=yes`;

/**
 * Says where a job stands. Changes nothing, but for one case: a marker whose launcher is gone and that no runner has
 * claimed is claimed for nobody, so that `vanished` is final and no runner comes later.
 */
export function readProgram(job: JobKey, fromByte: number): RemoteProgram {
  const words = [job.runUid, jobName(job), String(fromByte)];
  return { restricted: { verb: 'read', words }, text: readText, values: words };
}

/** Output that is not kept is passed over: `from` in the answer is where the piece begins. */
export const readText = `
cd "$base/jobs/$1/$2" 2>/dev/null || { answer state=absent; exit 0; }
read_boot_id
from=$3
state=vanished
find_state() {
  [ ! -e exit_code ] || { state=ended; return; }
  if [ ! -e pid ]; then
    read -r process start claimed_boot <launcher
    if [ "$claimed_boot" = "$boot" ] && alive "$process" "$start"; then state=running; return; fi
    # No runner comes over a reboot.
    claim_for_nobody . || [ -e pid ] || [ "$claimed_boot" != "$boot" ] ||
      fail "the job in $PWD has no runner, and cannot be kept from getting one: nothing can be written there"
  fi
  process='' start='' claimed_boot=''
  read -r process start claimed_boot 2>/dev/null <pid
  if [ "$claimed_boot" = "$boot" ] && alive "$process" "$start"; then state=running; return; fi
  [ ! -e exit_code ] || state=ended
}
find_part() {
  size=0 part=output part_start=0 part_end=0 next=
  for each in output .output.*; do
    [ -f "$each" ] || continue
    first=\${each#.output.}
    case $first in output) first=0 ;; *[!0-9]* | 0*) continue ;; esac
    end=$((first + $(wc -c <"$each" || echo 0)))
    [ "$end" -le "$size" ] || size=$end
    if [ "$first" -le "$from" ] && [ "$from" -lt "$end" ]; then
      part=$each part_start=$first part_end=$end
    elif [ "$first" -gt "$from" ] && [ "$first" -lt "$end" ] && { [ -z "$next" ] || [ "$first" -lt "$next_start" ]; }; then
      next=$each next_start=$first next_end=$end
    fi
  done
  [ "$part_end" -eq 0 ] && [ -n "$next" ] || return 0
  part=$next part_start=$next_start part_end=$next_end from=$next_start
}
find_state
tries=0
find_part
# A part that was removed in between is not there to be opened: what follows it is.
until command exec 3<"$part" || [ "$tries" -ge 5 ]; do
  tries=$((tries + 1))
  find_part
done 2>/dev/null
length=$((part_end - from))
[ "$length" -ge 0 ] || length=0
[ "$length" -le ${String(maximumOutputBytes)} ] || length=${String(maximumOutputBytes)}
# A character may begin at the end of one part and go on in the next.
following=.output.$part_end more=0 gap=no
if [ "$((from + length))" -eq "$part_end" ] && [ "$part_end" -lt "$size" ]; then
  if [ -f "$following" ]; then
    more=$(($(wc -c <"$following")))
    [ "$more" -le "$((${String(maximumOutputBytes)} - length))" ] || more=$((${String(maximumOutputBytes)} - length))
  else
    gap=yes
  fi
fi
result=0
[ "$state" = running ] || [ ! -f result ] || result=$(($(wc -c <result)))
[ "$result" -le ${String(maximumResultBytes)} ] || result=${String(maximumResultBytes)}
end=
[ "$state" != ended ] || read -r end <exit_code
answer "state=$state" "end=$end" "boot_id=$boot" "started_boot_id=$(cat boot_id)" "from=$from" "size=$size" "output_bytes=$((length + more))" "gap=$gap" "result_bytes=$result" "script_digest=$(cat script_digest 2>/dev/null)"
[ "$length" -eq 0 ] || tail -c "+$((from - part_start + 1))" <&3 | head -c "$length"
[ "$more" -eq 0 ] || head -c "$more" "$following"
[ "$result" -eq 0 ] || head -c "$result" result`;

/** Ends a running job: TERM to its process group, KILL after ten seconds. A job not yet claimed is claimed for nobody. */
export function cancelProgram(job: JobKey): RemoteProgram {
  const words = [job.runUid, jobName(job)];
  return { restricted: { verb: 'cancel', words }, text: cancelText, values: words };
}

export const cancelText = `
nothing() { answer cancelled=no; exit 0; }
cd "$base/jobs/$1/$2" 2>/dev/null || nothing
[ ! -e exit_code ] || nothing
read_boot_id
if [ ! -e pid ]; then
  if claim_for_nobody .; then answer cancelled=yes; exit 0; fi
  [ -e pid ] || fail "the job in $PWD cannot be cancelled: nothing can be written there"
fi
read -r _ _ claimed_boot <pid
# The script may have outlived its runner.
[ "$claimed_boot" = "$boot" ] || nothing
tries=0
while [ ! -e group ] && [ "$tries" -lt 40 ]; do
  sleep 0.05
  tries=$((tries + 1))
done
read -r group start <group
alive "$group" "$start" || nothing
signal_group TERM "$group"
tries=0
while [ "$tries" -lt ${String(killAfterSeconds * 10)} ] && signal_group 0 "$group"; do
  sleep 0.1
  tries=$((tries + 1))
done
signal_group KILL "$group"
answer cancelled=yes`;
