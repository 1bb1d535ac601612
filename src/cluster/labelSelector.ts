import { isRecord, recordsOf, stringMapOf, stringOf, stringsOf } from './json.js';
import type { LabelRequirement, LabelSelector } from './view.js';

/**
 * Whether labels match a selector, as the API server decides (apimachinery, pkg/labels/selector.go): undefined selects
 * nothing, an empty selector everything; NotIn and DoesNotExist also match where the key is absent.
 */
export function matchesLabels(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return false;
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    selector.matchExpressions.every((requirement) => meets(requirement, labelOf(labels, requirement.key)))
  );
}

/** Only own keys count: a label called `constructor` is not there unless somebody set it. */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function meets({ operator, values }: LabelRequirement, label: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return label !== undefined && values.includes(label);
    case 'NotIn':
      return label === undefined || !values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
  }
}

const operators: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'] satisfies LabelRequirement['operator'][];

function isOperator(text: string | undefined): text is LabelRequirement['operator'] {
  return text !== undefined && operators.includes(text);
}

/** A LabelSelector object of the API. Absent or not valid: undefined, which selects nothing. */
export function parseLabelSelectorObject(value: unknown): LabelSelector | undefined {
  if (!isRecord(value)) return undefined;
  const matchExpressions: LabelRequirement[] = [];
  for (const expression of recordsOf(value['matchExpressions'])) {
    const key = stringOf(expression['key']);
    const operator = stringOf(expression['operator']);
    const values = stringsOf(expression['values']);
    if (key === undefined || !isOperator(operator)) return undefined;
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues !== values.length > 0) return undefined;
    matchExpressions.push({ key, operator, values });
  }
  return { matchLabels: stringMapOf(value['matchLabels']), matchExpressions };
}

export type ParsedLabelSelector =
  { readonly kind: 'ok'; readonly selector: LabelSelector } | { readonly kind: 'invalid'; readonly message: string };

/**
 * Reads a selector in kubectl's syntax: `key=value`, `key==value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`,
 * `key`, `!key`, joined by commas. The empty text selects everything. `<` and `>` are not supported: no LabelSelector
 * object can say them.
 */
export function parseLabelSelector(text: string): ParsedLabelSelector {
  const matchExpressions: LabelRequirement[] = [];
  if (text.trim() === '') return { kind: 'ok', selector: { matchLabels: {}, matchExpressions } };
  for (const part of splitOutsideParentheses(text)) {
    const requirement = parseRequirement(part.trim());
    if (typeof requirement === 'string') return { kind: 'invalid', message: requirement };
    matchExpressions.push(requirement);
  }
  return { kind: 'ok', selector: { matchLabels: {}, matchExpressions } };
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

/** One requirement, or a sentence that says what is wrong with it. */
function parseRequirement(text: string): LabelRequirement | string {
  if (text === '') return 'there is an empty requirement: remove the extra comma';
  const set = /^(?<key>\S+)\s+(?<operator>in|notin)\s*\((?<values>[^()]*)\)$/.exec(text)?.groups;
  if (set !== undefined) {
    const values = (set['values'] ?? '').split(',').map((value) => value.trim());
    if (values.length === 1 && values[0] === '') return `"${text}" names no value`;
    return checked({ key: set['key'] ?? '', operator: set['operator'] === 'in' ? 'In' : 'NotIn', values });
  }
  const equality = /^(?<key>[^=!\s]+)\s*(?<operator>==|=|!=)\s*(?<value>[^=!\s]*)$/.exec(text)?.groups;
  if (equality !== undefined) {
    const operator = equality['operator'] === '!=' ? 'NotIn' : 'In';
    return checked({ key: equality['key'] ?? '', operator, values: [equality['value'] ?? ''] });
  }
  const absent = /^!\s*(?<key>[^=!\s]+)$/.exec(text)?.groups;
  if (absent !== undefined) return checked({ key: absent['key'] ?? '', operator: 'DoesNotExist', values: [] });
  return checked({ key: text, operator: 'Exists', values: [] });
}

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefixPattern = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The requirement, or what is wrong with its key or values (apimachinery, pkg/util/validation). */
function checked(requirement: LabelRequirement): LabelRequirement | string {
  const slash = requirement.key.indexOf('/');
  const prefix = slash < 0 ? undefined : requirement.key.slice(0, slash);
  if (!namePattern.test(requirement.key.slice(slash + 1)) || (prefix !== undefined && !prefixPattern.test(prefix))) {
    return `"${requirement.key}" is no label key`;
  }
  const wrong = requirement.values.find((value) => value !== '' && !namePattern.test(value));
  return wrong === undefined ? requirement : `"${wrong}" is no label value`;
}
