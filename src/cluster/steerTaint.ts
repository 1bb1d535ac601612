import type { ApiAnswer, ClusterPort, JsonPatchOperation } from './clusterPort.js';
import { decideAndPatch } from './cordon.js';
import type { NodeView, TaintView } from './view.js';

/**
 * The taint of nodes whose turn is still to come: the scheduler puts a pod there only where no other node will have it
 * (pkg/scheduler/framework/plugins/tainttoleration). It moves no pod, and DaemonSet pods are not scored.
 */
export const steerTaint = { key: 'turnus.dev/turn-to-come', effect: 'PreferNoSchedule' } as const;

/** `turnus.dev/turn-to-come:PreferNoSchedule`, as kubectl writes it. */
export const steerTaintText = `${steerTaint.key}:${steerTaint.effect}`;

/** True where the node carries our taint, whoever set it. */
export function isSteeredAway({ taints }: NodeView): boolean {
  return taints.some(isOurs);
}

export interface SteerRequest {
  readonly cluster: ClusterPort;
  /** The node as last seen; it is read again where its taints have changed since. */
  readonly node: NodeView;
  /** Whether it is to carry the taint. */
  readonly isWanted: boolean;
  readonly signal: AbortSignal;
}

/**
 * Sets or removes our taint; answers whether anything was changed. The list of taints is one value for the API server
 * (`atomic`), so the patch is void unless the whole list is as it was seen: no taint of others is lost or brought back.
 */
export async function setSteerTaint(request: SteerRequest): Promise<ApiAnswer<boolean>> {
  const { isWanted } = request;
  return await decideAndPatch<ApiAnswer<boolean>>(request, {
    decide: (node) => taintPatch(node, isWanted) ?? { kind: 'ok', value: false },
    done: () => ({ kind: 'ok', value: true }),
    conflict: (message) => ({ kind: 'conflict', message }),
    failed: (failure) => failure,
  });
}

/** The patch that makes the node carry our taint or not; undefined where it is so already. */
export function taintPatch(node: NodeView, isWanted: boolean): readonly JsonPatchOperation[] | undefined {
  const { taints, uid } = node;
  if (isSteeredAway(node) === isWanted) return undefined;
  const others = taints.filter((taint) => !isOurs(taint)).map(written);
  const wanted = isWanted ? [...others, steerTaint] : others;
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/spec/taints', value: taints.length === 0 ? null : taints.map(written) },
    wanted.length === 0 ? { op: 'remove', path: '/spec/taints' } : { op: 'add', path: '/spec/taints', value: wanted },
  ];
}

function isOurs({ key, effect }: TaintView): boolean {
  return key === steerTaint.key && effect === steerTaint.effect;
}

/** As the API server has it: what is empty is left out. */
function written({ key, value, effect, timeAdded }: TaintView): Readonly<Record<string, string>> {
  return { key, ...(value === '' ? {} : { value }), effect, ...(timeAdded === undefined ? {} : { timeAdded }) };
}
