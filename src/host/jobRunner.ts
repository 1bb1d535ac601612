import type { JobRequest } from './hostPort.js';
import { sharedFunctions } from './remoteProgram.js';
import { shellQuote } from './shellQuote.js';

/** Seconds between TERM and KILL. */
export const killAfterSeconds = 10;

/**
 * The program that lives on the host beside the script and outlives the SSH session. It claims the job by making the
 * file `pid` (a hard link is made whole or not at all, and only once), runs the script in a session of its own, stops
 * it when its time is over, and leaves `exit_code` when it has ended.
 *
 * The script gets the usual umask 022: what it writes elsewhere must be readable; the job's directory is closed anyway.
 * The room for `exit_code` was taken when the job was prepared: a disk that the script filled does not lose it.
 */
export function runnerProgram(request: {
  readonly job: JobRequest;
  readonly directory: string;
  readonly bootIdPath: string;
}): string {
  const { job, directory, bootIdPath } = request;
  const timeoutSeconds = Math.max(1, Math.ceil(job.timeoutMs / 1000));
  return `#!/bin/sh
${sharedFunctions}
cd ${shellQuote(directory)} || exit 0
printf '%s %s %s\\n' "$$" "$(start_time $$)" "$(cat ${shellQuote(bootIdPath)})" >"pid.$$"
ln "pid.$$" pid 2>/dev/null || exit 0
rm -f "pid.$$"
TURNUS_RUN=${shellQuote(job.run)}
TURNUS_NODE=${shellQuote(job.node)}
TURNUS_STAGE=${shellQuote(job.stage)}
TURNUS_RESULT=${shellQuote(`${directory}/result`)}
export TURNUS_RUN TURNUS_NODE TURNUS_STAGE TURNUS_RESULT
exec </dev/null >>output 2>&1
# The interpreter is named here, because a disk mounted noexec refuses the script itself.
read -r first <script || :
case $first in '#!'*) interpreter=\${first#??} ;; *) interpreter=/bin/sh ;; esac
umask 022
set -f
setsid $interpreter ${shellQuote(`${directory}/script`)} &
script=$!
umask 077
printf '%s %s\\n' "$script" "$(start_time "$script")" >group.new && mv group.new group
(
  left=${String(timeoutSeconds)}
  while [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
  done
  : >timed_out
  kill -s TERM -- "-$script"
  left=${String(killAfterSeconds)}
  while [ "$left" -gt 0 ] && kill -s 0 -- "-$script"; do
    sleep 1
    left=$((left - 1))
  done
  kill -s KILL -- "-$script"
) >/dev/null 2>&1 &
watchdog=$!
wait "$script"
code=$?
if [ -e timed_out ]; then
  how=timed-out
  wait "$watchdog"
else
  how=exited
  kill "$watchdog"
fi 2>/dev/null
printf '%-39s\\n' "$code $how" 1<>exit_code.new
[ ! -e result ] || store result
store output exit_code.new
mv exit_code.new exit_code
store .
exit 0
`;
}
