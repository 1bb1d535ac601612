import { fileFields, isAbsolute, secretFields, writtenPath } from './fileFields.js';
import type { Problem } from './mistake.js';
import { valuesAt } from './writtenContent.js';

/** What a playbook is written as: a file on a machine, or a `Playbook` object in the cluster. */
export type PlaybookSource = 'file' | 'object';

/** A field that only a Playbook object may have. */
export interface OnlyInObjects {
  /** Keys from the top of the playbook; `*` stands for every position of a list. */
  readonly field: readonly string[];
  /** Why a file is refused that has it, and what to do instead. */
  readonly reason: string;
}

const nameable = 'only a Playbook object in the cluster can name it; in a file write {path: …}';

/** Every field that is refused in a playbook file. docs/playbook.md is tested against this list. */
export const onlyInObjects: readonly OnlyInObjects[] = fileFields.flatMap((field) => [
  { field: [...field, 'configMapKeyRef'], reason: nameable },
  { field: [...field, 'secretKeyRef'], reason: nameable },
]);

/** One problem for each file that cannot be named in a playbook of this source. Reads it parsed, but not yet checked. */
export function refusedReferences(content: unknown, source: PlaybookSource): Problem[] {
  return source === 'file' ? referencesIn(content) : [...relativePathsIn(content), ...openSecretsIn(content)];
}

function referencesIn(content: unknown): Problem[] {
  return onlyInObjects.flatMap(({ field, reason }) =>
    valuesAt(content, field).map(({ path }) => ({ path, at: 'key' as const, message: reason })),
  );
}

const pathFields = [...fileFields.map((field) => [...field, 'path']), ['spec', 'journal', 'file']];

/** A Playbook object lies in no directory and belongs to nobody who has a home. */
function relativePathsIn(content: unknown): Problem[] {
  return pathFields.flatMap((field) =>
    valuesAt(content, field)
      .filter(({ value }) => typeof value === 'string' && writtenPath.test(value) && !isAbsolute(value))
      .map(({ path }) => ({ path, at: 'value' as const, message: `${relative}; ${insteadAt(field)}` })),
  );
}

/** Who may look at a namespace reads its ConfigMaps, and not its Secrets (ClusterRole view). */
function openSecretsIn(content: unknown): Problem[] {
  return secretFields.flatMap((field) =>
    valuesAt(content, [...field, 'configMapKeyRef']).map(({ path }) => ({
      path,
      at: 'key' as const,
      message: 'a ConfigMap is no place for a secret: others may read it; put it into a Secret and write secretKeyRef',
    })),
  );
}

const relative = 'is not absolute, and a Playbook object lies in no directory';

function insteadAt(field: readonly string[]): string {
  return field.at(-1) === 'path'
    ? 'write the path of a file in the container, or name a key with configMapKeyRef or secretKeyRef'
    : 'write the path of a file in the container';
}
