import { z } from 'zod';
import type { ApiObject, Patch } from '../cluster/clusterPort.js';
import { isRecord, parseJson, recordOf, stringOf, stringsOf } from '../cluster/json.js';
import { playbookStatusSchema } from '../playbook/playbookStatus.js';

/** What a person writes on a `Playbook` object to have a run started by hand. */
export interface Trigger {
  /** New in the world: by it the answer is known. */
  readonly id: string;
  /** The user's name as the API server knows it; the admission policy demands it. */
  readonly by: string;
  readonly reason: string;
  /** Names of the freezes that the run need not keep to. */
  readonly overrideFreezes: readonly string[];
  /** The unfinished run gives way to a new one, as with `run --replace`. */
  readonly replace: boolean;
  /** Milliseconds since the epoch: if nothing was started by then, nothing is. Undefined: whenever somebody serves. */
  readonly startBefore: number | undefined;
}

/** The annotations of a trigger. They change together, or not at all (src/install/triggerPolicy.ts). */
export const triggerAnnotations = {
  id: 'turnus.dev/trigger-id',
  by: 'turnus.dev/trigger-by',
  reason: 'turnus.dev/trigger-reason',
  /** A JSON list of texts; absent: none. */
  overrideFreezes: 'turnus.dev/trigger-override-freeze',
  /** `true`; absent: the run of the month goes on. */
  replace: 'turnus.dev/trigger-replace',
  /** A time as in RFC 3339; absent: none. */
  startBefore: 'turnus.dev/trigger-start-before',
} as const;

/** Longest id, name and reason, and most freezes, that are read. */
const longest = { id: 100, by: 300, reason: 1000, freeze: 200, freezes: 50 };

export type WrittenTrigger =
  | { readonly kind: 'none' }
  | { readonly kind: 'trigger'; readonly trigger: Trigger }
  /** It is to be answered with a refusal: nothing is started on a guess. `problem`: one sentence. */
  | { readonly kind: 'unusable'; readonly id: string; readonly problem: string };

/** The trigger on a Playbook object, read with distrust: anybody who may write it may have annotated it by hand. */
export function readTrigger(object: ApiObject): WrittenTrigger {
  const annotations = recordOf(object.metadata.annotations);
  const written = (name: string) => stringOf(Object.getOwnPropertyDescriptor(annotations, name)?.value);
  const id = written(triggerAnnotations.id) ?? '';
  if (id === '') return { kind: 'none' };
  const read = {
    id,
    by: written(triggerAnnotations.by) ?? '',
    reason: written(triggerAnnotations.reason) ?? '',
    overrideFreezes: readFreezes(written(triggerAnnotations.overrideFreezes)),
    replace: readReplace(written(triggerAnnotations.replace)),
    startBefore: readTime(written(triggerAnnotations.startBefore)),
  };
  const problem = problemOf(read);
  if (problem !== undefined) return { kind: 'unusable', id: id.slice(0, longest.id), problem };
  const { overrideFreezes = [], replace = false, startBefore } = read;
  return { kind: 'trigger', trigger: { ...read, overrideFreezes, replace, startBefore: startBefore?.at } };
}

/** Undefined where it is no list of names. */
function readFreezes(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return [];
  const value = parseJson(text);
  const names = stringsOf(value);
  const isGood = Array.isArray(value) && names.length === value.length && names.length <= longest.freezes;
  return isGood && names.every((name) => name !== '' && name.length <= longest.freeze) ? names : undefined;
}

/** Undefined where it is neither yes nor no. */
function readReplace(text: string | undefined): boolean | undefined {
  return text === undefined || text === 'false' ? false : text === 'true' ? true : undefined;
}

/** Undefined where it is no time. */
function readTime(text: string | undefined): { readonly at: number | undefined } | undefined {
  if (text === undefined) return { at: undefined };
  return rfc3339.safeParse(text).success ? { at: Date.parse(text) } : undefined;
}

const rfc3339 = z.iso.datetime({ offset: true });

/** As it was read; what is undefined was not understood. */
type ReadParts = { readonly [Part in 'id' | 'by' | 'reason']: string } & {
  readonly overrideFreezes: readonly string[] | undefined;
  readonly replace: boolean | undefined;
  readonly startBefore: { readonly at: number | undefined } | undefined;
};

function problemOf({ id, by, reason, overrideFreezes, replace, startBefore }: ReadParts): string | undefined {
  if (id.length > longest.id)
    return `Annotation ${triggerAnnotations.id} has more than ${String(longest.id)} characters.`;
  if (by === '' || by.length > longest.by) return `Annotation ${triggerAnnotations.by} does not say who asks.`;
  if (reason.trim() === '') return `Annotation ${triggerAnnotations.reason} does not say why.`;
  if (reason.length > longest.reason)
    return `Annotation ${triggerAnnotations.reason} has more than ${String(longest.reason)} characters.`;
  if (overrideFreezes === undefined)
    return `Annotation ${triggerAnnotations.overrideFreezes} is no JSON list of names of freezes.`;
  if (replace === undefined) return `Annotation ${triggerAnnotations.replace} is neither true nor false.`;
  if (startBefore === undefined)
    return `Annotation ${triggerAnnotations.startBefore} is no time such as 2026-11-10T22:00:00Z.`;
  return undefined;
}

/** The patch that writes a trigger, in the place of any other, onto the Playbook object as it was read. */
export function triggerPatch(trigger: Trigger, object: ApiObject): Patch {
  const { id, by, reason, overrideFreezes, replace, startBefore } = trigger;
  const { resourceVersion, uid } = object.metadata;
  const annotations = {
    [triggerAnnotations.id]: id,
    [triggerAnnotations.by]: by,
    [triggerAnnotations.reason]: reason,
    // A merge patch takes away what is null (RFC 7386).
    [triggerAnnotations.overrideFreezes]: overrideFreezes.length === 0 ? null : JSON.stringify(overrideFreezes),
    [triggerAnnotations.replace]: replace ? 'true' : null,
    [triggerAnnotations.startBefore]: startBefore === undefined ? null : new Date(startBefore).toISOString(),
  };
  return { type: 'merge', body: { metadata: { resourceVersion, uid, annotations } } };
}

/** So begins the answer to a trigger that nothing has come of yet, but will. */
export const waitsPrefix = 'waits:';

/** What the actor has made of a trigger. `answer` begins with `refused:` where it says no. */
export interface TriggerAnswer {
  readonly answer: string;
  /** Name of the run that was started or goes on. */
  readonly run: string | undefined;
}

/** The answer to the trigger of this id; undefined while there is none. */
export function triggerAnswerIn(object: ApiObject, id: string): TriggerAnswer | undefined {
  const status = object['status'];
  const parsed = playbookStatusSchema.shape.trigger.safeParse(isRecord(status) ? status['trigger'] : undefined);
  const found = parsed.data;
  return found?.id === id ? { answer: found.answer, run: found.run } : undefined;
}
