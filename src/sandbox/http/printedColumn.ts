import type { ApiObject } from '../../cluster/clusterPort.js';
import { timeOf } from '../../cluster/json.js';
import { readAtPath } from '../../cluster/objectPath.js';
import { parseObjectPath } from '../../cluster/parseObjectPath.js';
import { ageText } from './ageText.js';

/** A column as `kubectl get` shows it (apimachinery, meta/v1, TableColumnDefinition). */
export interface PrintedColumn {
  readonly name: string;
  readonly type: string;
  /** 0: always shown; 1: with `-o wide` only. */
  readonly priority: number;
  readonly cell: (object: ApiObject, nowMs: number) => Cell;
}

type Cell = string | number | boolean | null;

export interface ColumnOptions {
  /** `string` where absent. */
  readonly type?: string;
  readonly priority?: number;
  /** Shown where the object has nothing at the path. */
  readonly absent?: Cell;
}

/** A column that shows what stands at a path (kubectl's JSONPath): the first value, and for the type `date` its age. */
export function columnAt(name: string, path: string, options: ColumnOptions = {}): PrintedColumn {
  const { type = 'string', priority = 0, absent = null } = options;
  const parsed = parseObjectPath(path);
  return {
    name,
    type: type === 'date' ? 'string' : type,
    priority,
    cell(object, nowMs) {
      const reading = parsed.kind === 'ok' ? readAtPath(object, parsed.path) : undefined;
      const [value] = reading?.kind === 'values' ? reading.values : [];
      return value === undefined ? absent : cellOf(value, type, nowMs);
    },
  };
}

/** A column with a text that is made of several fields. */
export function textColumn(name: string, cell: PrintedColumn['cell']): PrintedColumn {
  return { name, type: 'string', priority: 0, cell };
}

/** How long ago an RFC 3339 time was. */
export function ageOf(time: unknown, nowMs: number): string {
  const at = timeOf(time);
  return at === undefined ? '<unknown>' : ageText(nowMs - at);
}

function cellOf(value: string, type: string, nowMs: number): Cell {
  switch (type) {
    case 'integer':
    case 'number':
      return Number.isFinite(Number(value)) ? Number(value) : null;
    case 'boolean':
      return value === 'true';
    case 'date':
      return ageOf(value, nowMs);
    default:
      return value;
  }
}
