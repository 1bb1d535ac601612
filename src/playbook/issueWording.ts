import type { core } from 'zod';
import { booleanExpected } from './fieldKinds.js';
import type { FieldPath, Problem } from './mistake.js';
import { shownValue } from './mistake.js';
import { suggestion } from './suggestion.js';
import { valueAt } from './writtenContent.js';

/** What the schema found, in sentences that say what is there and what is allowed. */
export function problemsOfIssues(issues: readonly core.$ZodIssue[], content: unknown): Problem[] {
  return issues.filter((issue) => !isExplained(issue, issues)).flatMap((issue) => problemsOfIssue(issue, content, []));
}

/** A rule about a mapping as a whole says nothing new where one of its keys is misspelt. */
function isExplained(issue: core.$ZodIssue, issues: readonly core.$ZodIssue[]): boolean {
  if (issue.code !== 'custom') return false;
  const path = JSON.stringify(issue.path);
  return issues.some((other) => other.code === 'unrecognized_keys' && JSON.stringify(other.path) === path);
}

function problemsOfIssue(issue: core.$ZodIssue, content: unknown, around: FieldPath): Problem[] {
  const path = [...around, ...issue.path.map((segment) => (typeof segment === 'number' ? segment : String(segment)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: unknownField(key, issue.message) }));
    case 'invalid_union': {
      // Where one of the forms fits by its type, what is wrong inside it is the better answer.
      const fitting = issue.errors.filter((branch) => !branch.some(isOfAnotherType));
      if (fitting.length === 1) {
        const issues = fitting.flat();
        const telling = issues.filter((inside) => !isExplained(inside, issues));
        return telling.flatMap((inside) => problemsOfIssue(inside, content, path));
      }
      return [{ path, at: 'value', message: wording(issue, valueAt(content, path)) }];
    }
    case 'invalid_key':
      return issue.issues.map((inside) => ({
        path,
        at: 'key',
        message: `${inside.message}, not ${shownValue(path.at(-1))}`,
      }));
    default:
      return [{ path, at: 'value', message: wording(issue, valueAt(content, path)) }];
  }
}

function isOfAnotherType(issue: core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

/** `allowed` are the keys of the mapping, as fieldKinds.ts hands them over. */
function unknownField(key: string, allowed: string): string {
  if (key === '<<') return 'merge keys (<<) are not part of YAML 1.2; write the fields out';
  const near = suggestion(key, allowed.split(', '));
  return near === undefined ? `unknown field; allowed here: ${allowed}` : `unknown field; did you mean ${near}?`;
}

/** `expected …, not …; hint`. The schema's message may itself carry a hint after a semicolon. */
function wording(issue: core.$ZodIssue, found: unknown): string {
  if (found === undefined) return `is missing; ${issue.message}`;
  const hint = hintFor(issue, found);
  if (found === null) return `${issue.message}, but nothing is written there; fill it in or leave the field out`;
  if (issue.code === 'custom' && typeof found === 'object') return issue.message;
  const [expected = '', ...hints] = issue.message.split('; ');
  return [`${expected}, not ${shownValue(found)}`, ...hints, ...(hint === undefined ? [] : [hint])].join('; ');
}

function hintFor(issue: core.$ZodIssue, found: unknown): string | undefined {
  if (typeof found !== 'string') return undefined;
  if (issue.message === booleanExpected) {
    if (/^(y|yes|on|true)$/i.test(found)) return 'write true';
    if (/^(n|no|off|false)$/i.test(found)) return 'write false';
  }
  if (issue.code !== 'invalid_value' || issue.values.length < 2) return undefined;
  const near = suggestion(found, issue.values.map(String));
  return near === undefined ? undefined : `did you mean ${near}?`;
}
