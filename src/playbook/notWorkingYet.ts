import { fileFields } from './fileFields.js';
import type { Problem } from './mistake.js';
import { valuesAt } from './writtenContent.js';

/** A field that the schema knows and Turnus does not act on yet. */
export interface NotWorkingYet {
  /** Keys from the top of the file; `*` stands for every position of a list. */
  readonly field: readonly string[];
  /** Why it is refused and what to do instead. */
  readonly reason: string;
  /** Which values are refused: every one, every one but an empty list, or those listed. */
  readonly refuses: 'anything' | 'entries' | readonly string[];
}

const filesByPath = 'only files given by {path: …} work; put the content into a file beside the playbook';

/** Every field that is refused for now. docs/playbook.md is tested against this list. */
export const notWorkingYet: readonly NotWorkingYet[] = [
  {
    field: ['spec', 'schedule', 'windows'],
    refuses: 'entries',
    reason: 'windows are not enforced; leave it out and start `turnus run` inside your own window',
  },
  {
    field: ['spec', 'schedule', 'freezes'],
    refuses: 'entries',
    reason: 'freezes are not enforced; leave it out and start `turnus run` on days that allow it',
  },
  ...fileFields.flatMap((field) => [
    { field: [...field, 'configMapKeyRef'], refuses: 'anything' as const, reason: filesByPath },
    { field: [...field, 'secretKeyRef'], refuses: 'anything' as const, reason: filesByPath },
  ]),
];

/** One problem for each field of the file, parsed but not yet checked, that does not work yet. */
export function refusedFields(content: unknown): Problem[] {
  return notWorkingYet.flatMap((entry) =>
    valuesAt(content, entry.field)
      .filter(({ value }) => isRefused(value, entry.refuses))
      .map(({ path }) => ({ path, at: 'key' as const, message: `does not work yet: ${entry.reason}` })),
  );
}

function isRefused(value: unknown, refuses: NotWorkingYet['refuses']): boolean {
  switch (refuses) {
    case 'anything':
      return true;
    case 'entries':
      return !(Array.isArray(value) && value.length === 0);
    default:
      return refuses.some((refused) => refused === value);
  }
}
