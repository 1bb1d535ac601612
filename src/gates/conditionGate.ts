import type { ApiObject, Resource } from '../cluster/clusterPort.js';
import { readAtPath } from '../cluster/objectPath.js';
import type { HealthCondition } from '../playbook/playbook.js';
import type { Finding } from './finding.js';

/** What the cluster answered about one condition of `spec.gates.clusterHealth`. */
export interface ConditionReading {
  readonly condition: HealthCondition;
  readonly answer: ConditionAnswer;
}

export type ConditionAnswer =
  /** The object named, or all of the kind; none where there is none. */
  | { readonly kind: 'read'; readonly resource: Resource; readonly objects: readonly ApiObject[] }
  /** The API server did not answer; it may the next time. */
  | { readonly kind: 'no-answer'; readonly message: string }
  | ConditionTrouble;

/** Why a condition cannot be read, however long one waits. */
export type ConditionTrouble =
  | { readonly kind: 'not-served' }
  /** A name, but in which namespace? */
  | { readonly kind: 'needs-namespace' }
  | { readonly kind: 'has-no-namespaces' }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Does every condition of the playbook hold? An object without the field, and a condition that no object meets, do not
 * count as well: a condition that checks nothing would protect nobody.
 */
export function conditionGate({
  conditions,
  node,
}: {
  readonly conditions: readonly ConditionReading[];
  readonly node: string;
}): readonly Finding[] {
  return conditions.flatMap(({ condition, answer }, place) =>
    findingsOf(condition, answer, place).map((finding) => ({ ...finding, node })),
  );
}

function findingsOf(condition: HealthCondition, answer: ConditionAnswer, place: number): readonly Finding[] {
  if (answer.kind !== 'read') return [notRead(condition, answer, place)];
  if (answer.objects.length > 0) return unwell(condition, answer);
  const meant = subjectOf(condition);
  return [
    notHealthy([meant], `There is no ${meant}.`, `Correct ${fieldOf(place)}, or take it out where none is expected.`),
  ];
}

/** What is said of a condition that was not read; `place` is its position in the playbook. */
export function notRead(
  condition: HealthCondition,
  answer: Exclude<ConditionAnswer, { kind: 'read' }>,
  place: number,
): Finding {
  const { apiVersion, kind } = condition;
  const meant = subjectOf(condition);
  const field = fieldOf(place);
  switch (answer.kind) {
    case 'no-answer':
      return notHealthy([meant], `${meant} could not be read: ${answer.message}`, 'Look at the API server behind it.');
    case 'not-served':
      return unreadable(
        meant,
        `The API server serves no kind ${kind} in ${apiVersion}.`,
        `Correct ${field} (kubectl api-resources lists what is served), or take it out.`,
      );
    case 'needs-namespace':
      return unreadable(
        meant,
        `A ${kind} is in a namespace, and the condition on ${meant} names none.`,
        `Write the namespace into ${field}.`,
      );
    case 'has-no-namespaces':
      return unreadable(
        meant,
        `A ${kind} is in no namespace, and the condition on ${meant} names one.`,
        `Take the namespace out of ${field}.`,
      );
    case 'forbidden':
      return unreadable(
        meant,
        `${meant} may not be read: ${answer.message}`,
        'Bind the roles that `turnus install -f PLAYBOOK` makes for the conditions of the playbook.',
      );
    case 'refused':
      return unreadable(meant, `${meant} cannot be read: ${answer.message}`, `Correct ${field}.`);
  }
}

function fieldOf(place: number): string {
  return `spec.gates.clusterHealth.conditions[${place}]`;
}

/** So many objects of one condition are told one by one. */
const toldSingly = 10;

function unwell(condition: HealthCondition, { resource, objects }: ConditionAnswer & { kind: 'read' }): Finding[] {
  const wanted = `wanted is ${condition.in.map(shown).join(' or ')}`;
  const found = objects
    .map((object) => ({ object, why: whyNot(condition, object) }))
    .flatMap(({ object, why }) => (why === undefined ? [] : [{ name: nameOf(condition.kind, object), object, why }]))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const further = found.slice(toldSingly);
  return [
    ...found
      .slice(0, toldSingly)
      .map(({ name, object, why }) =>
        notHealthy([name], `${name} has ${why}; ${wanted}.`, `Find out why: ${kubectlDescribe(resource, object)}`),
      ),
    ...(further.length === 0
      ? []
      : [
          notHealthy(
            further.slice(0, 5 * toldSingly).map(({ name }) => name),
            `${further.length} more of ${objects.length} objects of kind ${condition.kind} have another ${condition.path.text}; ${wanted}.`,
            `Find out why: kubectl get ${pluralOf(resource)}${resource.namespaced ? ' -A' : ''}`,
          ),
        ]),
  ];
}

/** What the object has instead; undefined where the condition holds for it. */
function whyNot({ path, in: wanted }: HealthCondition, object: ApiObject): string | undefined {
  const reading = readAtPath(object, path);
  switch (reading.kind) {
    case 'absent':
      return `no ${reading.upTo}${reading.upTo === path.text ? '' : `, so no ${path.text}`}`;
    case 'not-a-text':
      return `${reading.found} at ${path.text}, not a text`;
    case 'values': {
      const others = [...new Set(reading.values.filter((value) => !wanted.includes(value)))];
      return others.length === 0 ? undefined : `${path.text} ${others.slice(0, toldSingly).map(shown).join(', ')}`;
    }
  }
}

/** A value out of somebody's object: short, on one line, and told apart from the sentence around it. */
function shown(value: string): string {
  const short = value.length > 80 ? `${value.slice(0, 77)}...` : value;
  return /^[\w.:/+%-]+$/.test(short) ? short : JSON.stringify(short);
}

/** What a condition is about, for people. */
function subjectOf({ kind, namespace, name }: HealthCondition): string {
  if (name === undefined) return namespace === undefined ? kind : `${kind} in namespace ${namespace}`;
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function nameOf(kind: string, { metadata: { namespace, name = '' } }: ApiObject): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function kubectlDescribe(resource: Resource, { metadata: { namespace, name = '' } }: ApiObject): string {
  return `kubectl${namespace === undefined ? '' : ` -n ${namespace}`} describe ${pluralOf(resource)} ${name}`;
}

function pluralOf({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function notHealthy(objects: readonly string[], message: string, hint: string): Finding {
  return { code: 'cluster-not-healthy', severity: 'block', objects, message, hint };
}

function unreadable(object: string, message: string, hint: string): Finding {
  return { code: 'condition-unreadable', severity: 'block', objects: [object], message, hint };
}
