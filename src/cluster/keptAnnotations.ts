import { stringMapOf } from './json.js';

/** Copies of the whole object that tools leave behind; nothing here reads them, and they are large. */
const dropped = ['kubectl.kubernetes.io/last-applied-configuration', 'objectset.rio.cattle.io/applied'];

/** The annotations of an object without the copies that tools leave in them. */
export function keptAnnotations(annotations: unknown): Readonly<Record<string, string>> {
  const kept = stringMapOf(annotations);
  if (!dropped.some((key) => key in kept)) return kept;
  return Object.fromEntries(Object.entries(kept).filter(([key]) => !dropped.includes(key)));
}
