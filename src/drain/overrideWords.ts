import { ownerName, ownerOf } from '../cluster/replicas.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import { formatDuration } from '../time/duration.js';
import type { Wait } from './nextStep.js';
import type { PodOverride } from './podOverrides.js';

/** The node does not leave while the pod is on it. */
export function podBlocked(pod: PodView, override: PodOverride, node: string): Finding {
  return {
    code: 'pod-blocked',
    severity: 'block',
    node,
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} is on node ${node}, and ${override.name} keeps the node in service while it is.`,
    hint: `Move the pod away first, or change ${override.name}.`,
  };
}

/** The pod stays on the node and is not evicted; what happens to the host happens to it. */
export function leftByPolicy(
  pod: PodView,
  override: PodOverride,
  { view, node }: { readonly view: ClusterView; readonly node: string },
): Finding {
  const owner = ownerOf(view, pod);
  return {
    code: 'left-by-policy',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`, ...(owner === undefined ? [] : [ownerName(owner)])],
    message: `Pod ${podKey(pod)} is left on node ${node} (${override.name}): it goes down with the host, and no budget and no spread of replicas is asked before.`,
    hint: `If it should be moved before, take it out of ${override.name}.`,
  };
}

/** The pod is not evicted: it goes by itself, or the drain is undone. */
export function podAwaited(pod: PodView, override: PodOverride, timeoutMs: number): Wait {
  return {
    for: 'pod-awaited',
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} is not evicted (${override.name}); it is waited for until it has gone by itself, for up to ${formatDuration(timeoutMs)}.`,
    hint: `See that whoever runs it moves it away during the drain, or change ${override.name}.`,
  };
}

/** The pod asked not to be disturbed, and an override evicts it all the same. */
export function objectionOverruled(pod: PodView, annotation: string, override: PodOverride, node: string): Finding {
  return {
    code: 'objection-overruled',
    severity: 'caution',
    node,
    objects: [`Pod ${podKey(pod)}`],
    message: `Pod ${podKey(pod)} asks by annotation not to be disturbed (${annotation}); ${override.name} evicts it all the same.`,
    hint: `Ask its team first, or take it out of ${override.name}.`,
  };
}
