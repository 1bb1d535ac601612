import { recordStationaryPods } from '../../health/nodeHealth.js';
import { nodeFindings, readApiReadiness } from '../nodeFindings.js';
import type { StepEnd } from '../outcome.js';
import { currentNode, type TurnContext } from '../turnContext.js';
import { blockedBy } from './blockedBy.js';

/** May the node leave service? On a consistent reading (rule 1), with what it looks like before as evidence. */
export async function checkGates(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const reading = await turn.cache.refreshNode(turn.nodeName, signal);
  if (reading.kind !== 'ok') {
    return { kind: 'deferred', message: `Node ${turn.nodeName} could not be read: ${reading.message}` };
  }
  const node = currentNode(turn);
  if (node === undefined) {
    return { kind: 'failed', code: 'node-vanished', message: `Node ${turn.nodeName} is no longer in the cluster.` };
  }
  const { findings, host } = await nodeFindings(
    {
      api: await readApiReadiness(turn.cluster, signal),
      playbook: turn.playbook,
      view: reading.value,
      nodeName: turn.nodeName,
      moment: 'before-cordon',
      run: turn.run.name,
      host: turn.run.rehearsal ? undefined : () => turn.host,
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
  const units = turn.run.rehearsal ? undefined : await turn.host.failedUnits(signal);
  await turn.save({
    attempts: (turn.status().attempts ?? 0) + 1,
    bootIdBefore: node.bootId,
    versionsBefore: node.versions,
    stationaryPods: recordStationaryPods(reading.value, turn.nodeName).map(({ pod, startedAt }) => ({
      pod,
      startedAt: [...startedAt],
    })),
    failedUnitsBefore: units?.kind === 'ok' && units.value !== undefined ? [...units.value] : undefined,
    findings: findings.map(({ code, severity, objects, message, hint }) => ({
      code,
      severity,
      objects: [...objects],
      message,
      hint,
    })),
  });
  const blocking = findings.filter((finding) => finding.severity === 'block');
  return blocking.length === 0 ? { kind: 'done' } : blockedBy(blocking);
}
