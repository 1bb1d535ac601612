import type { JobAnswers } from './hostPort.js';

/** More than this of a result file is not read. */
export const maximumResultBytes = 65_536;

const maximumUnknownLines = 10;
const maximumVersions = 100;
const maximumValueLength = 256;

/**
 * Reads what a script wrote into `$TURNUS_RESULT`: `reboot=required|no`, `changed=yes|no`, `version.<name>=…`, one a
 * line. A later line wins. Other lines are kept for the report, at most ten.
 */
export function parseJobAnswers(text: string): JobAnswers {
  let reboot: JobAnswers['reboot'];
  let changed: JobAnswers['changed'];
  const versions = new Map<string, string>();
  const unknownLines: string[] = [];
  for (const rawLine of text.slice(0, maximumResultBytes).split('\n')) {
    const line = rawLine.trim();
    if (line === '') continue;
    const [, key = '', value = ''] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    const name = /^version\.([A-Za-z0-9][A-Za-z0-9._+/-]{0,62})$/.exec(key)?.[1];
    if (key === 'reboot' && (value === 'required' || value === 'no')) reboot = value;
    else if (key === 'changed' && (value === 'yes' || value === 'no')) changed = value;
    else if (name !== undefined && (versions.has(name) || versions.size < maximumVersions)) {
      versions.set(name, value.slice(0, maximumValueLength));
    } else if (unknownLines.length < maximumUnknownLines) unknownLines.push(line.slice(0, maximumValueLength));
  }
  return { reboot, changed, versions: Object.fromEntries(versions), unknownLines };
}
