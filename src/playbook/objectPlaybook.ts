import type { ApiObject } from '../cluster/clusterPort.js';
import { checkContent, onOneLine, type PlaybookAnswer } from './loadPlaybook.js';
import { formatPath } from './mistake.js';
import type { Mistake, Problem } from './mistake.js';
import type { ReadFile } from './referencedFiles.js';

/**
 * The playbook in a `Playbook` object and the files it names: keys of ConfigMaps and Secrets
 * (src/cluster/clusterFile.ts) and absolute paths. Mistakes name the object and the field, and no line. What only the
 * API server and the actor write (status, metadata but the name) is not looked at. Never rejects, unless `readFile`
 * does.
 */
export async function loadPlaybookObject(request: {
  readonly object: ApiObject;
  readonly readFile: ReadFile;
  /** For the warnings about the windows to come. */
  readonly now: number;
}): Promise<PlaybookAnswer> {
  const { object, readFile, now } = request;
  const { status: _status, metadata, ...written } = object;
  const content = {
    // An item of a list may come without them.
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    ...written,
    metadata: { name: metadata.name },
  };
  const file = `Playbook ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  // Every path is absolute, so that nothing is ever read from beside it.
  const origin = { file: '/', homeDirectory: '/' };
  const checked = await checkContent(content, { ...origin, source: 'object', unknown: [], readFile, now });
  const mistakeOf = ({ path, message }: Problem): Mistake => ({
    file,
    path: formatPath(path),
    message: onOneLine(message),
  });
  return checked.playbook === undefined
    ? { kind: 'invalid', mistakes: checked.problems.map(mistakeOf) }
    : { kind: 'ok', playbook: checked.playbook, warnings: checked.cautions().map(mistakeOf) };
}
