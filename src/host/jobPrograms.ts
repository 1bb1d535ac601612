import type { JobKey, JobRequest } from './hostPort.js';
import { jobDirectory, type HostLayout } from './jobDirectory.js';
import { maximumResultBytes } from './jobAnswers.js';
import { killAfterSeconds, runnerProgram } from './jobRunner.js';
import type { RemoteProgram } from './remoteProgram.js';
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
export function startProgram(layout: HostLayout, job: JobRequest): RemoteProgram {
  const directory = jobDirectory(layout, job);
  const runner = runnerProgram({ job, directory: directory.job, bootIdPath: layout.bootIdPath });
  const text = `
base=${shellQuote(layout.baseDirectory)}
run=${shellQuote(directory.run)}
job=${shellQuote(directory.job)}
not_again() { answer started=no; exit 0; }
[ ! -e "$job" ] || not_again
boot=$(cat ${shellQuote(layout.bootIdPath)}) || fail 'the boot id cannot be read'
command -v setsid >/dev/null || fail 'the program setsid (package util-linux) is missing'
mkdir -p "$run" && : >"$run/.turnus-run" || fail "the directory $run cannot be made"
for old in "$base"/jobs/*; do
  [ "$old" != "$run" ] && [ -f "$old/.turnus-run" ] && [ ! -L "$old" ] || continue
  [ -z "$(find "$old" -maxdepth 0 -mtime +${String(keepDays)})" ] || rm -rf "$old"
done
find "$run" -maxdepth 1 -name '.upload.*' -mtime +1 -exec rm -rf {} +
upload=$(mktemp -d "$run/.upload.XXXXXXXXXXXX") || fail "nothing can be written in $run"
token=\${upload##*/}
trap 'rm -rf "$upload"' EXIT
cat >"$upload/script" &&
  printf %s ${shellQuote(runner)} >"$upload/runner" &&
  printf '%s\\n' "$boot" >"$upload/boot_id" &&
  printf '%s %s %s\\n' "$$" "$(start_time $$)" "$boot" >"$upload/launcher" &&
  printf '%s\\n' "$token" >"$upload/token" &&
  printf '%-39s\\n' '' >"$upload/exit_code.new" &&
  : >"$upload/output" || fail "the script cannot be stored in $run (is the disk full?)"
[ "$(($(wc -c <"$upload/script")))" -eq ${String(Buffer.byteLength(job.script))} ] || fail 'the script did not arrive whole'
store "$upload"/* "$upload" || fail "the script cannot be brought to the disk in $run"
mv "$upload" "$job" 2>/dev/null
if [ "$(cat "$job/token" 2>/dev/null)" != "$token" ]; then
  rm -rf "$job/$token"
  [ ! -e "$job" ] || not_again
  fail "the directory $job cannot be made"
fi
trap - EXIT
if ! store "$run" "$base/jobs" "$base" "$base/.."; then
  printf 'void\\n' >"$job/void" && ln "$job/void" "$job/pid"
  fail "the directory $job cannot be brought to the disk"
fi
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  setsid /bin/sh -c 'systemd-run --quiet --scope --collect --slice=system.slice -- /bin/sh "$1" || exec /bin/sh "$1"' \\
    turnus "$job/runner" </dev/null >/dev/null 2>&1 &
else
  setsid /bin/sh "$job/runner" </dev/null >/dev/null 2>&1 &
fi
tries=0
while [ ! -e "$job/pid" ] && [ "$tries" -lt 200 ]; do
  sleep 0.05
  tries=$((tries + 1))
done
answer started=yes`;
  return { text, input: job.script };
}

/**
 * Says where a job stands. Changes nothing, but for one case: a marker whose launcher is gone and that no runner has
 * claimed is claimed as void, so that `vanished` is final and no runner comes later.
 */
export function readProgram(layout: HostLayout, job: JobKey, fromByte: number): RemoteProgram {
  const text = `
cd ${shellQuote(jobDirectory(layout, job).job)} 2>/dev/null || { answer state=absent; exit 0; }
boot=$(cat ${shellQuote(layout.bootIdPath)}) || fail 'the boot id cannot be read'
from=${String(fromByte)}
state=vanished
find_state() {
  [ ! -e exit_code ] || { state=ended; return; }
  if [ ! -e pid ]; then
    read -r process start claimed_boot <launcher
    if [ "$claimed_boot" = "$boot" ] && alive "$process" "$start"; then state=running; return; fi
    printf 'void\\n' >"void.$$" && ln "void.$$" pid 2>/dev/null
    rm -f "void.$$"
  fi
  process=void
  read -r process start claimed_boot 2>/dev/null <pid
  if [ "$process" != void ] && [ "$claimed_boot" = "$boot" ] && alive "$process" "$start"; then state=running; return; fi
  [ ! -e exit_code ] || state=ended
}
find_state
size=$(($(wc -c <output)))
length=$((size - from))
[ "$length" -ge 0 ] || length=0
[ "$length" -le ${String(maximumOutputBytes)} ] || length=${String(maximumOutputBytes)}
result=0
[ "$state" = running ] || [ ! -f result ] || result=$(($(wc -c <result)))
[ "$result" -le ${String(maximumResultBytes)} ] || result=${String(maximumResultBytes)}
end=
[ "$state" != ended ] || read -r end <exit_code
answer "state=$state" "end=$end" "boot_id=$boot" "started_boot_id=$(cat boot_id)" "size=$size" "output_bytes=$length" "result_bytes=$result"
[ "$length" -eq 0 ] || tail -c "+$((from + 1))" output | head -c "$length"
[ "$result" -eq 0 ] || head -c "$result" result`;
  return { text };
}

/** Ends a running job: TERM to its process group, KILL after ten seconds. A job not yet claimed is claimed as void. */
export function cancelProgram(layout: HostLayout, job: JobKey): RemoteProgram {
  const text = `
nothing() { answer cancelled=no; exit 0; }
cd ${shellQuote(jobDirectory(layout, job).job)} 2>/dev/null || nothing
[ ! -e exit_code ] || nothing
boot=$(cat ${shellQuote(layout.bootIdPath)}) || fail 'the boot id cannot be read'
if [ ! -e pid ]; then
  printf 'void\\n' >"void.$$"
  if ln "void.$$" pid 2>/dev/null; then rm -f "void.$$"; answer cancelled=yes; exit 0; fi
  rm -f "void.$$"
fi
read -r process start claimed_boot <pid
[ "$process" != void ] && [ "$claimed_boot" = "$boot" ] && alive "$process" "$start" || nothing
tries=0
while [ ! -e group ] && [ "$tries" -lt 40 ]; do
  sleep 0.05
  tries=$((tries + 1))
done
read -r group start <group
alive "$group" "$start" || nothing
kill -s TERM -- "-$group"
tries=0
while [ "$tries" -lt ${String(killAfterSeconds * 10)} ] && kill -s 0 -- "-$group" 2>/dev/null; do
  sleep 0.1
  tries=$((tries + 1))
done
kill -s KILL -- "-$group" 2>/dev/null
answer cancelled=yes`;
  return { text };
}
