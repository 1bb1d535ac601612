import { readRebooters } from '../../cluster/rebooters.js';
import type { Finding } from '../../gates/finding.js';
import { recordStationaryPods } from '../../health/nodeHealth.js';
import { acceptedFindings } from '../acceptedFindings.js';
import { nodeFindings, readApiReadiness } from '../nodeFindings.js';
import { readNodeServices } from '../nodeServices.js';
import type { StepEnd } from '../outcome.js';
import { readConditions } from '../readConditions.js';
import type { TurnContext } from '../turnContext.js';
import { awaitConditions, isAwaited } from './awaitConditions.js';
import { blockedBy } from './blockedBy.js';
import { rereadNode, type NodeReading } from './rereadNode.js';

/**
 * May the node leave service? On a consistent reading (rule 1), with what it looks like before as evidence. Where only
 * time and the conditions of the cluster stand in the way, they are waited for, and every gate is asked again.
 */
export async function checkGates(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const { waitMs } = turn.playbook.gates.clusterHealth;
  const waitEnds = turn.clock.monotonic() + waitMs;
  for (;;) {
    const asked = await askGates(turn, signal);
    if (asked.kind === 'not-read') return asked.end;
    const leftMs = waitEnds - turn.clock.monotonic();
    const { blocking } = asked;
    if (leftMs <= 0 || !blocking.some(isAwaited) || blockedBy(blocking).kind === 'blocked') {
      return await conclude(turn, asked, signal);
    }
    await awaitConditions(turn, { findings: blocking, leftMs }, signal);
  }
}

type Asked = Extract<NodeReading, { kind: 'read' }> & {
  readonly findings: readonly Finding[];
  readonly blocking: readonly Finding[];
};

async function askGates(
  turn: TurnContext,
  signal: AbortSignal,
): Promise<Asked | Exclude<NodeReading, { kind: 'read' }>> {
  const reading = await rereadNode(turn, 'pods', signal);
  if (reading.kind === 'not-read') return reading;
  const { cluster, playbook } = turn;
  const { findings, host } = await nodeFindings(
    {
      api: await readApiReadiness(cluster, signal),
      conditions: await readConditions({ cluster, conditions: playbook.gates.clusterHealth.conditions }, signal),
      playbook,
      view: reading.view,
      nodeName: turn.nodeName,
      moment: 'before-cordon',
      run: turn.status().cordoned === true ? turn.run.name : undefined,
      restartedAs: turn.restartedAs,
      accepted: acceptedFindings(turn.status()),
      leftShort: turn.leftShort(),
      acceptsUnmarkedCordon: turn.acceptsUnmarkedCordon,
      host: turn.run.rehearsal ? undefined : () => turn.host,
      ownNode: turn.ownNode,
      rebooters: await readRebooters(cluster, signal),
      services: await readNodeServices(turn, { view: reading.view, beforeCordon: true }, signal),
    },
    signal,
  );
  if (host?.answer?.kind === 'ok') {
    const { bootId, hostKeyFingerprint, kernel } = host.answer.value;
    await turn.record({
      type: 'host.connected',
      node: turn.nodeName,
      address: host.address,
      hostKeyFingerprint,
      bootId,
      kernel,
    });
  }
  await turn.record({ type: 'gate.checked', node: turn.nodeName, moment: 'before-cordon', findings });
  return { ...reading, findings, blocking: findings.filter((finding) => finding.severity === 'block') };
}

/** Keeps what the node looks like before, and says how the check ends. */
async function conclude(turn: TurnContext, asked: Asked, signal: AbortSignal): Promise<StepEnd> {
  const { view, node, findings, blocking } = asked;
  const units = turn.run.rehearsal || blocking.length > 0 ? undefined : await turn.host.failedUnits(signal);
  if (units !== undefined && units.kind !== 'ok') {
    return {
      kind: 'deferred',
      message: `The failed systemd units of ${turn.nodeName} could not be read: ${units.message}`,
    };
  }
  turn.note({
    attempts: (turn.status().attempts ?? 0) + 1,
    bootIdBefore: node.bootId,
    versionsBefore: node.versions,
    stationaryPods: recordStationaryPods(view, turn.nodeName).map(({ pod, startedAt }) => ({
      pod,
      startedAt: [...startedAt],
    })),
    failedUnitsBefore: units?.value === undefined ? undefined : [...units.value],
    findings: findings.map(({ code, severity, objects, message, hint }) => ({
      code,
      severity,
      objects: [...objects],
      message,
      hint,
    })),
  });
  return blocking.length === 0 ? { kind: 'done' } : blockedBy(blocking);
}
