import { awaitHealth } from '../../health/awaitHealth.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';
import { hostIsNode } from './hostIsNode.js';
import { runScript } from './runScript.js';

/** Proves that the node is well again, then runs the team's `join` script while it is still cordoned. */
export async function verifyNode(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const healthy = await proveHealth(turn, signal);
  if (healthy.kind !== 'done') return healthy;
  const joined = await runScript(turn, { stage: 'join', beforeStart: () => hostIsNode(turn, signal) }, signal);
  const join = turn.status().jobs?.join;
  if (joined.kind !== 'done' || join?.rebootedUnasked !== true) return joined;
  if (join.bootIdAfter === undefined || join.bootIdAfter === turn.status().bootIdAfter) return joined;
  // What was proved before the script rebooted the host counts for the former boot alone.
  await turn.save({ bootIdAfter: join.bootIdAfter });
  return await proveHealth(turn, signal);
}

/** More boots than this while the health is proved are an illness of their own. */
const mostBoots = 3;

/** A boot that nobody asked for makes what was proved before it worthless: the health is proved anew, as after a boot. */
async function proveHealth(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  for (let boot = 1; boot <= mostBoots; boot += 1) {
    await noticeBoot(turn);
    const healthy = await proveHealthOnce(turn, signal);
    if (healthy.kind !== 'done' || !(await noticeBoot(turn))) return healthy;
  }
  return {
    kind: 'failed',
    code: 'not-healthy',
    message: `Node ${turn.nodeName} keeps being rebooted by somebody else.`,
  };
}

/** Records the boot that the node reports where it is another one than is known; answers whether it is. */
async function noticeBoot(turn: TurnContext): Promise<boolean> {
  const { bootIdBefore, bootIdAfter } = turn.status();
  const known = bootIdAfter ?? bootIdBefore;
  const bootId = currentNode(turn)?.bootId;
  if (turn.run.rehearsal || known === undefined || bootId === undefined || bootId === known) return false;
  await turn.record({
    type: 'boot.proved',
    node: turn.nodeName,
    bootIdBefore: known,
    bootIdAfter: bootId,
    unasked: true,
  });
  await turn.save({ bootIdAfter: bootId });
  return true;
}

async function proveHealthOnce(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const status = turn.status();
  const until = turn.clock.now() + turn.playbook.health.timeoutMs;
  const end = await awaitHealth(
    {
      cluster: turn.cluster,
      cache: turn.cache,
      clock: turn.clock,
      node: turn.nodeName,
      policy: turn.playbook.health,
      before: { stationaryPods: status.stationaryPods ?? [], expectedBootId: status.bootIdAfter },
      host: turn.run.rehearsal ? undefined : turn.host,
      failedUnitsBefore: status.failedUnitsBefore,
      onWaiting: (what) => {
        turn.waiting({ what, untilMs: until, who: `the kubelet and the pods of ${turn.nodeName}` });
      },
    },
    signal,
  );
  turn.waiting(undefined);
  if (end.kind === 'unhealthy') {
    const problems = end.problems.join('; ');
    await turn.record({ type: 'health.checked', node: turn.nodeName, healthy: false, problems: end.problems });
    return {
      kind: 'failed',
      code: 'not-healthy',
      message: `Node ${turn.nodeName} did not become healthy: ${problems}.`,
    };
  }
  await turn.record({
    type: 'health.checked',
    node: turn.nodeName,
    healthy: true,
    passes: end.passes,
    heartbeat: end.heartbeat,
  });
  const node = currentNode(turn);
  if (node !== undefined) turn.note({ versionsAfter: node.versions });
  return { kind: 'done' };
}
