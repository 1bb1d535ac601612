import { recordOf, type JsonRecord } from '../../cluster/json.js';
import { timeText } from '../api/storedForm.js';
import { conditionOf, withCondition, type NodeRecord } from './records.js';

/** What a kubelet says of its node. */
export interface NodeReport {
  readonly ready: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly bootId: string;
  readonly kernel?: string;
  readonly kubelet?: string;
}

const pressures: readonly (readonly [type: string, reason: string])[] = [
  ['MemoryPressure', 'KubeletHasSufficientMemory'],
  ['DiskPressure', 'KubeletHasNoDiskPressure'],
  ['PIDPressure', 'KubeletHasSufficientPID'],
];

/** The node's status after the report: a heartbeat on every condition, and which boot it is of. */
export function reportedStatus(node: NodeRecord, report: NodeReport, now: number): JsonRecord {
  const { ready, reason = 'KubeletReady', message = 'kubelet is posting ready status' } = report;
  const wanted = [
    ...pressures.map(([type, why]) => ({ type, status: 'False', reason: why })),
    { type: 'Ready', status: ready ? 'True' : 'False', reason, message },
  ];
  let { status } = node;
  for (const condition of wanted) {
    status = { ...status, conditions: withCondition(status, { ...condition, lastHeartbeatTime: timeText(now) }, now) };
  }
  return {
    ...status,
    nodeInfo: {
      ...recordOf(status['nodeInfo']),
      bootID: report.bootId,
      ...(report.kernel === undefined ? {} : { kernelVersion: report.kernel }),
      ...(report.kubelet === undefined ? {} : { kubeletVersion: report.kubelet }),
    },
  };
}

/** The node's status when its kubelet has not been heard for too long (pkg/controller/nodelifecycle). */
export function unknownStatus({ status }: NodeRecord, now: number): JsonRecord {
  let changed = status;
  for (const type of [...pressures.map(([type]) => type), 'Ready']) {
    const before = conditionOf(status, type);
    const reason = 'NodeStatusUnknown';
    const message = 'Kubelet stopped posting node status.';
    const { lastHeartbeatTime } = recordOf(before);
    const condition = { type, status: 'Unknown', reason, message, lastHeartbeatTime };
    changed = { ...changed, conditions: withCondition(changed, condition, now) };
  }
  return changed;
}
