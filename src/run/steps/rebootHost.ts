import { proveBoot } from '../../host/proveBoot.js';
import { isDeadlineExceeded } from '../../time/clock.js';
import { formatDuration } from '../../time/duration.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, timestamp, type TurnContext } from '../turnContext.js';
import { readyToTouch } from './readyToTouch.js';

/**
 * Reboots where the playbook and the script's answer ask for it, and proves the boot (rule 8): the boot id on the host
 * is another one than the recorded one, and the node reports that same new one.
 */
export async function rebootHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const status = turn.status();
  if (status.bootIdAfter !== undefined || !isRebootWanted(turn)) return { kind: 'done' };
  const bootIdBefore = status.bootIdBefore ?? '';
  const { timeoutMs } = turn.playbook.host.reboot;
  const rebootedByScript = status.jobs?.update?.rebootedUnasked === true;

  if (status.rebootRequestedAt === undefined && !rebootedByScript) {
    const ready = await readyToTouch(turn, signal);
    if (ready.kind !== 'done') return ready;
    await turn.record({ type: 'reboot.requested', node: turn.nodeName, bootId: bootIdBefore });
    await turn.anchor();
    await turn.save({ rebootRequestedAt: timestamp(turn.clock) });
  }

  const until = turn.clock.now() + timeoutMs;
  const waitFor = (what: string) => {
    turn.waiting({ what, untilMs: until, who: `the host of ${turn.nodeName}` });
  };
  if (!rebootedByScript) {
    const requested = await requestReboot(turn, { bootIdBefore, waitFor }, signal);
    if (requested !== undefined) return notProved(turn, requested);
  }
  waitFor(`the host of ${turn.nodeName} to boot, at most ${formatDuration(timeoutMs)}`);
  const proof = await proveBoot(
    { host: turn.host, recordedBootId: bootIdBefore, clock: turn.clock, deadlineMs: timeoutMs, onWaiting: waitFor },
    signal,
  );
  if (proof.kind === 'same-boot-id') {
    return notProved(turn, `The reboot was requested, but the host still answers from the boot ${proof.bootId}.`);
  }
  if (proof.kind === 'no-contact') {
    return notProved(turn, `The host did not come back within ${formatDuration(timeoutMs)}: ${proof.failure.message}`);
  }
  if (!(await reportedByNode(turn, { bootId: proof.bootId, until, waitFor }, signal))) {
    return notProved(
      turn,
      `The host booted (${proof.bootId}), but the node still reports boot ${currentNode(turn)?.bootId ?? 'none'}; its kubelet does not run or runs elsewhere.`,
    );
  }
  turn.waiting(undefined);
  const node = currentNode(turn);
  await turn.record({ type: 'boot.proved', node: turn.nodeName, bootIdBefore, bootIdAfter: proof.bootId });
  await turn.save({ bootIdAfter: proof.bootId, ...(node === undefined ? {} : { versionsAfter: node.versions }) });
  return { kind: 'done' };
}

/**
 * Asks the host to reboot, as compare-and-swap on the host: asking again after a crash cannot reboot it twice. Answers
 * why it could not be asked; undefined where it was, or where the boot is another one already.
 */
async function requestReboot(
  turn: TurnContext,
  request: { bootIdBefore: string; waitFor: (what: string) => void },
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    turn.fence();
    const answer = await turn.host.reboot({ expectedBootId: request.bootIdBefore }, signal);
    if (answer.kind === 'ok') return undefined;
    // After the connection broke the reboot may be under way; the boot id will tell.
    if (answer.kind === 'lost') return undefined;
    if (answer.kind !== 'unreachable' || attempt === requestAttempts) {
      return `The host could not be asked to reboot: ${answer.message}`;
    }
    request.waitFor(`the host of ${turn.nodeName} to answer, so that it can be rebooted: ${answer.message}`);
    await turn.clock.sleep(requestPauseMs, signal);
  }
}

const requestAttempts = 6;
const requestPauseMs = 10_000;

async function reportedByNode(
  turn: TurnContext,
  wanted: { bootId: string; until: number; waitFor: (what: string) => void },
  signal: AbortSignal,
): Promise<boolean> {
  const what = `node ${turn.nodeName} to report boot ${wanted.bootId}`;
  wanted.waitFor(what);
  const deadline = turn.clock.deadline(Math.max(1000, wanted.until - turn.clock.now()), signal);
  try {
    return await turn.cache.until({
      what,
      check: (view) => (view.nodes.get(turn.nodeName)?.bootId === wanted.bootId ? true : undefined),
      signal: deadline.signal,
    });
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || signal.aborted) throw error;
    return false;
  } finally {
    deadline.clear();
  }
}

function notProved(turn: TurnContext, message: string): StepEnd {
  return {
    kind: 'failed',
    code: 'boot-not-proved',
    message: `${message} Look at the console of the machine behind ${turn.nodeName}.`,
  };
}

/** A reboot that the script made by itself is proved like one of ours. */
function isRebootWanted(turn: TurnContext): boolean {
  if (turn.run.rehearsal) return false;
  const update = turn.status().jobs?.update;
  if (update?.rebootedUnasked === true) return true;
  switch (turn.playbook.host.reboot.when) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'required':
      return update?.reboot === 'required';
  }
}
