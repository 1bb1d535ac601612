import { numberOf, recordOf, recordsOf, stringMapOf, stringOf, type JsonRecord } from '../../cluster/json.js';
import { parseLabelSelectorObject } from '../../cluster/labelSelector.js';
import { parseNodeSelector } from '../../cluster/nodeSelector.js';
import { parsePlacement, type PlacementRules } from '../../cluster/parsePlacement.js';
import { podRequests } from '../../cluster/resourceAmounts.js';
import type { LabelSelector, NodeSelectorTerm } from '../../cluster/view.js';

/** What the scheduler reads of a pod's spec. */
export interface SchedulingRules extends PlacementRules {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly preferredNodes: readonly { readonly weight: number; readonly term: NodeSelectorTerm | undefined }[];
  readonly softSpread: readonly { readonly topologyKey: string; readonly selector: LabelSelector | undefined }[];
  readonly claims: readonly string[];
  readonly milliCpu: number;
  readonly memoryBytes: number;
}

export function schedulingRules(spec: JsonRecord): SchedulingRules {
  const containers = recordsOf(spec['containers']);
  const { cpu = 0, memory = 0 } = podRequests(spec, {});
  const nodeAffinity = recordOf(recordOf(spec['affinity'])['nodeAffinity']);
  return {
    ...parsePlacement(spec, containers),
    nodeSelector: stringMapOf(spec['nodeSelector']),
    preferredNodes: recordsOf(nodeAffinity['preferredDuringSchedulingIgnoredDuringExecution']).map((preferred) => ({
      weight: numberOf(preferred['weight']) ?? 1,
      term: parseNodeSelector({ nodeSelectorTerms: [preferred['preference']] })?.[0],
    })),
    softSpread: recordsOf(spec['topologySpreadConstraints'])
      .filter((constraint) => constraint['whenUnsatisfiable'] === 'ScheduleAnyway')
      .map((constraint) => ({
        topologyKey: stringOf(constraint['topologyKey']) ?? '',
        selector: parseLabelSelectorObject(constraint['labelSelector']),
      })),
    claims: recordsOf(spec['volumes']).flatMap(
      (volume) => stringOf(recordOf(volume['persistentVolumeClaim'])['claimName']) ?? [],
    ),
    milliCpu: cpu,
    memoryBytes: memory,
  };
}
