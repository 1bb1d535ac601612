import stringWidth from 'string-width';

/** What a narrower terminal does with rows that no longer fit: break them (most), or cut them off (xterm, screen). */
export type Narrowing = 'reflow' | 'cut';

const graphemes = new Intl.Segmenter();
const escape = String.fromCharCode(27);
/** A control sequence, or what may become one; a line break; or other text. */
const piece = new RegExp(
  `^(?:${escape}\\[([?]?[0-9;]*)([A-Za-z])|(${escape}(?:\\[[?0-9;]*)?$)|(\\r?\\n|\\r)|([^${escape}\\r\\n]+))`,
);

/** The columns of a row: a character each, '' behind a wide one. */
type Row = string[];

/**
 * As much of a terminal (ECMA-48, xterm) as the console uses: rows that scroll, automatic wrapping, moving up, erasing.
 * Throws at anything else, so that nothing is written that this does not understand.
 */
export class ScreenModel {
  columns: number;
  rows: number;
  /** What has left the screen at the top. */
  readonly scrolledOff: string[] = [];
  readonly #narrowing: Narrowing;
  #lines: Row[] = [[]];
  #row = 0;
  #column = 0;
  #wraps = true;
  #cursorShown = true;
  #rest = '';

  constructor(size: { columns: number; rows: number; narrowing?: Narrowing }) {
    this.columns = size.columns;
    this.rows = size.rows;
    this.#narrowing = size.narrowing ?? 'reflow';
  }

  /** The rows that a person sees, without the empty ones at the end. */
  lines(): string[] {
    const lines = this.#lines.map(textOf);
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** Where the cursor stands, whether it is seen, and whether text still wraps. */
  get cursor(): { row: number; column: number; shown: boolean; wraps: boolean } {
    return { row: this.#row, column: this.#column, shown: this.#cursorShown, wraps: this.#wraps };
  }

  write(text: string): void {
    let left = this.#rest + text;
    this.#rest = '';
    while (left !== '') {
      const match = piece.exec(left);
      if (match === null) throw new Error(`the terminal does not know ${JSON.stringify(left.slice(0, 12))}`);
      const [whole, parameter, letter, begun, lineBreak, plain] = match;
      if (begun !== undefined) {
        this.#rest = left;
        return;
      }
      if (letter !== undefined) this.#control(parameter ?? '', letter);
      else if (lineBreak !== undefined) {
        this.#column = 0;
        if (lineBreak !== '\r') this.#lineFeed();
      } else for (const { segment } of graphemes.segment(plain ?? '')) this.#put(segment);
      left = left.slice(whole.length);
    }
  }

  /** The window has another size. A wider window does not join what was broken. */
  resize(columns: number, rows: number): void {
    for (let row = 0; row < this.#lines.length; row += 1) {
      const line = this.#at(row);
      if (textOf(line).length === 0 || line.length <= columns) continue;
      // A wide character is not torn apart.
      const end = line[columns] === '' ? columns - 1 : columns;
      const more = line.splice(end);
      if (this.#narrowing === 'cut' || more.join('').trim() === '') continue;
      this.#lines.splice(row + 1, 0, more);
      if (this.#row > row) this.#row += 1;
    }
    this.columns = columns;
    this.rows = rows;
    while (this.#lines.length > rows && this.#lines.length - 1 > this.#row && this.#lines.at(-1)?.length === 0)
      this.#lines.pop();
    while (this.#lines.length > rows) this.#scroll();
    this.#column = Math.min(this.#column, columns - 1);
  }

  #control(parameter: string, letter: string): void {
    const mode = `${parameter.startsWith('?') ? parameter : ''}${letter}`;
    switch (mode) {
      case 'm':
      case '?2026l':
      case '?2026h':
        return;
      case 'A':
        this.#row = Math.max(0, this.#row - Number(parameter === '' ? '1' : parameter));
        return;
      case 'K':
        if (parameter !== '2') throw new Error(`erasing ${parameter} in a line is not known`);
        this.#at(this.#row).length = 0;
        return;
      case 'J':
        if (parameter !== '') throw new Error(`erasing ${parameter} is not known`);
        this.#at(this.#row).splice(this.#column);
        this.#lines.splice(this.#row + 1);
        return;
      case '?7l':
      case '?7h':
        this.#wraps = letter === 'h';
        return;
      case '?25l':
      case '?25h':
        this.#cursorShown = letter === 'h';
        return;
      default:
        throw new Error(`the terminal does not know CSI ${parameter}${letter}`);
    }
  }

  #put(character: string): void {
    if (/\p{Cc}/u.test(character)) throw new Error(`the terminal got ${JSON.stringify(character)}`);
    const width = stringWidth(character);
    if (this.#column + width > this.columns) {
      if (!this.#wraps) return;
      this.#column = 0;
      this.#lineFeed();
    }
    const line = this.#at(this.#row);
    while (line.length < this.#column) line.push(' ');
    line.splice(this.#column, width, character, ...Array.from({ length: width - 1 }, () => ''));
    this.#column += width;
  }

  #lineFeed(): void {
    this.#row += 1;
    if (this.#row >= this.#lines.length) this.#lines.push([]);
    if (this.#lines.length > this.rows) this.#scroll();
  }

  #scroll(): void {
    const [gone = []] = this.#lines.splice(0, 1);
    this.#row = Math.max(0, this.#row - 1);
    this.scrolledOff.push(textOf(gone));
  }

  #at(row: number): Row {
    const found = this.#lines[row];
    if (found === undefined) throw new Error(`the screen has no row ${String(row)}`);
    return found;
  }
}

function textOf(row: Row): string {
  return row.join('').trimEnd();
}
