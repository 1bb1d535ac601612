import type { ApiObject } from './clusterPort.js';
import { recordOf, recordsOf, stringMapOf, stringOf, timeOf, type JsonRecord } from './json.js';
import { resourceAmounts } from './resourceAmounts.js';
import type { NodeView } from './view.js';

/** A Node object as a NodeView. What is missing reads as empty; a node without a Ready condition is not Ready. */
export function parseNode(object: ApiObject): NodeView {
  const { metadata } = object;
  const spec = recordOf(object['spec']);
  const status = recordOf(object['status']);
  const info = recordOf(status['nodeInfo']);
  const ready = recordsOf(status['conditions']).find((condition) => condition['type'] === 'Ready');
  return {
    name: stringOf(metadata.name) ?? '',
    uid: stringOf(metadata.uid) ?? '',
    resourceVersion: stringOf(metadata.resourceVersion) ?? '',
    labels: stringMapOf(metadata.labels),
    // All of them, also large ones: patches add to this map only where it is there.
    annotations: stringMapOf(metadata.annotations),
    createdAt: timeOf(metadata.creationTimestamp) ?? 0,
    unschedulable: spec['unschedulable'] === true,
    taints: recordsOf(spec['taints']).map((taint) => ({
      key: stringOf(taint['key']) ?? '',
      value: stringOf(taint['value']) ?? '',
      effect: stringOf(taint['effect']) ?? '',
      ...(typeof taint['timeAdded'] === 'string' ? { timeAdded: taint['timeAdded'] } : {}),
    })),
    ready: ready?.['status'] === 'True',
    notReadyReason: notReadyReasonOf(ready),
    bootId: stringOf(info['bootID']) ?? '',
    versions: {
      kernel: stringOf(info['kernelVersion']) ?? '',
      osImage: stringOf(info['osImage']) ?? '',
      kubelet: stringOf(info['kubeletVersion']) ?? '',
      containerRuntime: stringOf(info['containerRuntimeVersion']) ?? '',
    },
    addresses: recordsOf(status['addresses']).map((address) => ({
      type: stringOf(address['type']) ?? '',
      address: stringOf(address['address']) ?? '',
    })),
    allocatable: resourceAmounts(recordOf(status['allocatable'])),
  };
}

function notReadyReasonOf(ready: JsonRecord | undefined): string | undefined {
  if (ready === undefined) return 'the kubelet has not reported yet';
  if (ready['status'] === 'True') return undefined;
  const parts = [stringOf(ready['reason']), stringOf(ready['message'])].filter(
    (part) => part !== undefined && part !== '',
  );
  return parts.length === 0 ? `condition Ready is ${stringOf(ready['status']) ?? 'Unknown'}` : parts.join(': ');
}
