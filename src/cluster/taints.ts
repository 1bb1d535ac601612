import type { TaintView, Toleration } from './view.js';

/** Whether one of the tolerations tolerates the taint (staging/src/k8s.io/api/core/v1/toleration.go, ToleratesTaint). */
export function tolerates(
  tolerations: readonly Toleration[],
  taint: { readonly key: string; readonly effect: string; readonly value?: string },
): boolean {
  return tolerations.some(({ key, operator, value, effect }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    if (operator === 'Exists') return true;
    return (operator === '' || operator === 'Equal') && value === (taint.value ?? '');
  });
}

/**
 * The first taint that keeps new pods off and is not tolerated. Taints below node.kubernetes.io/ tell of a moment
 * (cordoned, not Ready, under pressure) and are not looked at.
 */
export function untoleratedTaint(
  tolerations: readonly Toleration[],
  taints: readonly TaintView[],
): TaintView | undefined {
  return taints.find((taint) => keepsPodsOff(taint) && !isMomentary(taint) && !tolerates(tolerations, taint));
}

export function keepsPodsOff({ effect }: TaintView): boolean {
  return effect === 'NoSchedule' || effect === 'NoExecute';
}

function isMomentary({ key }: TaintView): boolean {
  return key.startsWith('node.kubernetes.io/');
}
