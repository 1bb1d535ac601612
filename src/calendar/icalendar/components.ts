import ICAL from 'ical.js';

/** A `BEGIN` to `END` of a calendar file (RFC 5545, section 3.6). */
export interface Component {
  /** In capitals, for example `VEVENT`. */
  readonly name: string;
  /** Of its BEGIN, counted from 1. */
  readonly line: number;
  readonly lines: readonly ContentLine[];
  readonly children: readonly Component[];
}

/** A line of a file, unfolded. */
export interface ContentLine {
  /** Where it begins, counted from 1. */
  readonly line: number;
  /** In capitals. */
  readonly name: string;
  readonly text: string;
}

/** A property with its values as jCal (RFC 7265) writes them. */
export interface Property {
  readonly line: number;
  readonly name: string;
  /** By their names in small letters. */
  readonly parameters: Readonly<Record<string, string>>;
  /** For example `date`, `date-time`, `period`. */
  readonly type: string;
  readonly values: readonly unknown[];
}

/** What is wrong in a calendar file, and where. The message has no full stop. */
export class CalendarFault {
  constructor(
    readonly line: number,
    readonly message: string,
  ) {}
}

/** The components of a file at its top, each whole; or the first thing that makes it no calendar file. */
export function readComponents(text: string): readonly Component[] | CalendarFault {
  const top: Component[] = [];
  const open: (Component & { lines: ContentLine[]; children: Component[] })[] = [];
  for (const content of contentLines(text)) {
    if (content instanceof CalendarFault) return content;
    const { line, name } = content;
    const value = content.text
      .slice(content.text.indexOf(':') + 1)
      .trim()
      .toUpperCase();
    const inside = open.at(-1);
    if (name === 'BEGIN') {
      if (open.length >= deepest) return new CalendarFault(line, `BEGIN:${value} is inside ${deepest} others`);
      open.push({ name: value, line, lines: [], children: [] });
    } else if (inside === undefined) {
      return new CalendarFault(line, 'expected BEGIN:VCALENDAR, with which a calendar file begins');
    } else if (name !== 'END') inside.lines.push(content);
    else if (inside.name === value) {
      open.pop();
      (open.at(-1)?.children ?? top).push(inside);
    } else {
      return new CalendarFault(line, `END:${value} does not end BEGIN:${inside.name} of line ${inside.line}`);
    }
  }
  const left = open.at(-1);
  if (left !== undefined) return new CalendarFault(left.line, `BEGIN:${left.name} has no END`);
  return top.length > 0 ? top : new CalendarFault(1, 'expected BEGIN:VCALENDAR, with which a calendar file begins');
}

const deepest = 10;

/** Lines put together again where they were folded (RFC 5545, section 3.1), without empty ones. */
function* contentLines(text: string): Generator<ContentLine | CalendarFault, void> {
  let current: { line: number; text: string } | undefined;
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    if (/^[ \t]/.test(written) && current !== undefined) {
      current.text += written.slice(1);
      continue;
    }
    if (current !== undefined) yield contentLine(current);
    current = written.trim() === '' ? undefined : { line: index + 1, text: written };
  }
  if (current !== undefined) yield contentLine(current);
}

function contentLine({ line, text }: { readonly line: number; readonly text: string }): ContentLine | CalendarFault {
  const name = /^([A-Za-z0-9-]+)[;:]/.exec(text)?.[1];
  if (name === undefined || !text.includes(':')) {
    return new CalendarFault(
      line,
      `expected a line such as DTSTART:20261215T220000Z, not ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return { line, name: name.toUpperCase(), text };
}

/** The properties of this name, in their order. */
export function propertiesOf(component: Component, name: string): (Property | CalendarFault)[] {
  return component.lines.filter((line) => line.name === name).map(readProperty);
}

function readProperty({ line, name, text }: ContentLine): Property | CalendarFault {
  try {
    const [, parameters, type, ...values] = ICAL.Property.fromString(text).toJSON() as [
      string,
      Record<string, string>,
      string,
      ...unknown[],
    ];
    return { line, name, parameters, type, values };
  } catch (error) {
    return new CalendarFault(line, `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
