import { fileFields } from './fileFields.js';
import type { Problem } from './mistake.js';
import { valuesAt } from './writtenContent.js';

/** A field that the schema knows and Turnus does not act on yet. */
export interface NotWorkingYet {
  /** Keys from the top of the file; `*` stands for every position of a list. */
  readonly field: readonly string[];
  /** Why it is refused and what to do instead. */
  readonly reason: string;
}

const filesByPath = 'only files given by {path: …} work; put the content into a file beside the playbook';

/** Every field that is refused for now. docs/playbook.md is tested against this list. */
export const notWorkingYet: readonly NotWorkingYet[] = fileFields.flatMap((field) => [
  { field: [...field, 'configMapKeyRef'], reason: filesByPath },
  { field: [...field, 'secretKeyRef'], reason: filesByPath },
]);

/** One problem for each field of the file, parsed but not yet checked, that does not work yet. */
export function refusedFields(content: unknown): Problem[] {
  return notWorkingYet.flatMap(({ field, reason }) =>
    valuesAt(content, field).map(({ path }) => ({
      path,
      at: 'key' as const,
      message: `does not work yet: ${reason}`,
    })),
  );
}
