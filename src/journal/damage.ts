/** Where an entry stands. */
export interface JournalPlace {
  readonly file: string;
  readonly line: number;
  /** The number that the entry itself gives; undefined where it cannot be read. */
  readonly seq: number | undefined;
}

/**
 * How a journal can be damaged: an entry's content or its link to the former entry does not match its hash (`changed`),
 * entries are not there (`missing`), stand elsewhere (`reordered`) or twice (`duplicated`), were put in (`inserted`),
 * follow an entry of another run (`wrong-run`), begin the same run again (`started-twice`), a line is no entry, or the
 * end that is known from outside is not there (`end-missing`).
 */
export type DamageKind =
  | 'changed'
  | 'missing'
  | 'reordered'
  | 'duplicated'
  | 'inserted'
  | 'wrong-run'
  | 'started-twice'
  | 'not-json'
  | 'not-an-entry'
  | 'end-missing';

/** The first damage found. */
export interface Damage {
  readonly what: DamageKind;
  /** The entry that is wrong, or the first one after a gap. */
  readonly at: JournalPlace;
  /** One sentence for people, without the place. */
  readonly message: string;
}

/** `entry 7` or `entries 7 to 9`. */
export function entriesFromTo(from: number, to: number): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`;
}
