import { recordStationaryPods } from '../../health/nodeHealth.js';
import { nodeFindings, readApiReadiness } from '../nodeFindings.js';
import type { StepEnd } from '../outcome.js';
import type { TurnContext } from '../turnContext.js';
import { blockedBy } from './blockedBy.js';
import { rereadNode } from './rereadNode.js';

/** May the node leave service? On a consistent reading (rule 1), with what it looks like before as evidence. */
export async function checkGates(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const reading = await rereadNode(turn, signal);
  if (reading.kind === 'not-read') return reading.end;
  const { node } = reading;
  const { findings, host } = await nodeFindings(
    {
      api: await readApiReadiness(turn.cluster, signal),
      playbook: turn.playbook,
      view: reading.view,
      nodeName: turn.nodeName,
      moment: 'before-cordon',
      run: turn.status().cordoned === true ? turn.run.name : undefined,
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
  const blocking = findings.filter((finding) => finding.severity === 'block');
  const units = turn.run.rehearsal || blocking.length > 0 ? undefined : await turn.host.failedUnits(signal);
  if (units !== undefined && units.kind !== 'ok') {
    return {
      kind: 'deferred',
      message: `The failed systemd units of ${turn.nodeName} could not be read: ${units.message}`,
    };
  }
  await turn.save({
    attempts: (turn.status().attempts ?? 0) + 1,
    bootIdBefore: node.bootId,
    versionsBefore: node.versions,
    stationaryPods: recordStationaryPods(reading.view, turn.nodeName).map(({ pod, startedAt }) => ({
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
