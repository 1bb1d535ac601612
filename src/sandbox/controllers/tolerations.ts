import { numberOf, recordsOf, stringOf, type JsonRecord } from '../../cluster/json.js';
import type { Toleration } from '../../cluster/view.js';

/** A toleration that may end: `seconds` after a NoExecute taint came. */
export type TimedToleration = Toleration & { readonly seconds: number | undefined };

/** Every toleration of a pod's spec. */
export function tolerationsOf(spec: JsonRecord): readonly TimedToleration[] {
  return recordsOf(spec['tolerations']).map((toleration) => ({
    key: stringOf(toleration['key']) ?? '',
    operator: stringOf(toleration['operator']) ?? 'Equal',
    value: stringOf(toleration['value']) ?? '',
    effect: stringOf(toleration['effect']) ?? '',
    seconds: numberOf(toleration['tolerationSeconds']),
  }));
}
