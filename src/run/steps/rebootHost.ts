import { proveBoot } from '../../host/proveBoot.js';
import { isDeadlineExceeded } from '../../time/clock.js';
import { formatDuration } from '../../time/duration.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, timestamp, type TurnContext } from '../turnContext.js';
import { readyToTouch } from './readyToTouch.js';

/** The host is asked again this long after it was asked and still runs the old boot. */
const askAgainMs = 30_000;
/** The same where no answer came: the request itself may be lost. The host compares the boot id, so that twice is once. */
const askAgainUnansweredMs = 5000;

/**
 * Reboots where the playbook and the script's answer ask for it, and proves the boot (rule 8): the boot id on the host
 * is another one than the recorded one, and the node reports that same new one.
 */
export async function rebootHost(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const status = turn.status();
  if (status.bootIdAfter !== undefined || !isRebootWanted(turn)) return { kind: 'done' };
  const bootIdBefore = status.bootIdBefore ?? '';
  const { timeoutMs } = turn.playbook.host.reboot;
  const until = turn.clock.now() + timeoutMs;
  const waitFor = (what: string) => {
    turn.waiting({ what, untilMs: until, who: `the host of ${turn.nodeName}` });
  };
  waitFor(`the host of ${turn.nodeName} to boot, at most ${formatDuration(timeoutMs)}`);
  const request = rebootRequest(turn, {
    bootIdBefore,
    rebootedByScript: status.jobs?.update?.rebootedUnasked === true,
  });
  const proof = await proveBoot(
    {
      host: turn.host,
      recordedBootId: bootIdBefore,
      clock: turn.clock,
      deadlineMs: timeoutMs,
      onWaiting: waitFor,
      onOldBoot: (bounded) => request.ask(bounded),
      sign: (bounded) =>
        turn.cache.until({
          what: `node ${turn.nodeName} to report another boot`,
          check: (view) => (view.nodes.get(turn.nodeName)?.bootId === bootIdBefore ? undefined : true),
          signal: bounded,
        }),
    },
    signal,
  );
  const refusal = request.refusal();
  if (refusal !== undefined) return refusal;
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
  const wantedKernel = status.jobs?.update?.versions?.['kernel.after'];
  if (wantedKernel !== undefined && node !== undefined && node.versions.kernel !== wantedKernel) {
    return {
      kind: 'failed',
      code: 'old-kernel',
      message: `Node ${turn.nodeName} was rebooted and runs kernel ${node.versions.kernel}, but the script answered version.kernel.after=${wantedKernel}: the boot loader chose another kernel.`,
    };
  }
  await turn.record({ type: 'boot.proved', node: turn.nodeName, bootIdBefore, bootIdAfter: proof.bootId });
  turn.note({ bootIdAfter: proof.bootId, ...(node === undefined ? {} : { versionsAfter: node.versions }) });
  return { kind: 'done' };
}

/**
 * Asks the host to reboot while it runs the old boot: the first time after everything that must hold was checked anew
 * (rule 10), later only to repeat a request that may have been lost. The host compares the boot id, so that it never
 * reboots twice.
 */
function rebootRequest(turn: TurnContext, boot: { bootIdBefore: string; rebootedByScript: boolean }) {
  let refusal: StepEnd | undefined;
  let askedAt: number | undefined;
  let isAnswered = true;
  return {
    refusal: () => refusal,
    async ask(signal: AbortSignal): Promise<'wait' | 'stop'> {
      if (boot.rebootedByScript) return 'wait';
      if (askedAt === undefined) {
        const ready = await readyToTouch(turn, signal);
        if (ready.kind !== 'done') {
          refusal = ready;
          return 'stop';
        }
        await turn.record({ type: 'reboot.requested', node: turn.nodeName, bootId: boot.bootIdBefore });
        await turn.anchor();
        await turn.save({ rebootRequestedAt: timestamp(turn.clock) });
      } else if (turn.clock.monotonic() - askedAt < (isAnswered ? askAgainMs : askAgainUnansweredMs)) {
        return 'wait';
      }
      signal.throwIfAborted();
      turn.fence();
      askedAt = turn.clock.monotonic();
      const answer = await turn.host.reboot({ expectedBootId: boot.bootIdBefore }, signal);
      isAnswered = answer.kind === 'ok';
      if (answer.kind === 'ok' || answer.kind === 'lost' || answer.kind === 'unreachable') return 'wait';
      refusal = notProved(turn, `The host could not be asked to reboot: ${answer.message}`);
      return 'stop';
    },
  };
}

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
  const { jobs, rebootRequestedAt } = turn.status();
  const update = jobs?.update;
  // A reboot that was asked for is proved, also where it is proved anew.
  if (rebootRequestedAt !== undefined || update?.rebootedUnasked === true) return true;
  switch (turn.playbook.host.reboot.when) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'required':
      // Where a person took a failed script as mended, a reboot too many on an empty node is the smaller risk.
      return update?.vouchedBy === undefined ? update?.reboot === 'required' : update.reboot !== 'no';
  }
}
