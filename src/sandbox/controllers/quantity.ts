import { stringOf } from '../../cluster/json.js';

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A quantity of the API such as `500m` or `16Gi`; 0 where it is none (apimachinery, pkg/api/resource/quantity.go). */
export function quantityOf(value: unknown): number {
  if (typeof value === 'number') return value;
  const [, count, unit = ''] = /^([0-9.]+)(n|u|m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(stringOf(value) ?? '') ?? [];
  return count === undefined ? 0 : Number(count) * (factors[unit] ?? 1);
}
