import { stringOf } from './json.js';

/** Who answers for an object: those of {@link responsibleKeys} that it carries, with their values. */
export type Responsible = Readonly<Record<string, string>>;

/**
 * The labels and annotations that say who answers for an object. No other one is kept for this or shown: anything may
 * stand in them, secrets too. `app.kubernetes.io/…` are Kubernetes' recommended labels, `a8r.io/owner` comes from the
 * annotations for humans (a8r.io), `openshift.io/requester` is what OpenShift writes on the namespace of a project.
 */
const responsibleKeys = [
  'team',
  'owner',
  'contact',
  'a8r.io/owner',
  'openshift.io/requester',
  'app.kubernetes.io/part-of',
  'app.kubernetes.io/managed-by',
] as const;

/** A longer annotation is cut; labels hold at most 63 characters. */
const longestValue = 200;

/** What an object's metadata says of who answers for it. A label counts more than an annotation of the same key. */
export function responsibleOf(metadata: {
  readonly labels?: Readonly<Record<string, unknown>> | undefined;
  readonly annotations?: Readonly<Record<string, unknown>> | undefined;
}): Responsible {
  const { labels = {}, annotations = {} } = metadata;
  const said: [string, string][] = [];
  for (const key of responsibleKeys) {
    const value = own(labels, key) ?? own(annotations, key);
    if (value !== undefined) said.push([key, value.slice(0, longestValue)]);
  }
  return said.length === 0 ? nobody : Object.fromEntries(said);
}

function own(from: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = Object.hasOwn(from, key) ? stringOf(from[key])?.trim() : undefined;
  return value === '' ? undefined : value;
}

/** Most objects say nothing: they share one value. */
const nobody: Responsible = Object.freeze({});
