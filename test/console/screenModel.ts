import stringWidth from 'string-width';

/** What a narrower terminal does with rows that no longer fit: break them (most), or cut them off (xterm, screen). */
export type Narrowing = 'reflow' | 'cut';

const graphemes = new Intl.Segmenter();

interface Row {
  text: string;
  /** The text goes on in the next row, because the terminal has broken it. */
  goesOn: boolean;
}

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
  #rows: Row[] = [{ text: '', goesOn: false }];
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
    const lines = this.#rows.map(({ text }) => text.trimEnd());
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
      if (left.startsWith('\u001b')) {
        // eslint would read the escape character in a literal as a mistake
        const sequence = new RegExp(`^${String.fromCharCode(27)}\\[([?]?[0-9;]*)([A-Za-z])`).exec(left);
        if (sequence === null) {
          if (left.length < 12) {
            this.#rest = left;
            return;
          }
          throw new Error(`the terminal does not know ${JSON.stringify(left.slice(0, 12))}`);
        }
        this.#control(sequence[1] ?? '', sequence[2] ?? '');
        left = left.slice(sequence[0].length);
        continue;
      }
      const [{ segment } = { segment: '' }] = graphemes.segment(left);
      this.#put(segment);
      left = left.slice(segment.length);
    }
  }

  /** The window has another size. A wider window does not join what was broken. */
  resize(columns: number, rows: number): void {
    if (columns < this.columns) {
      let row = 0;
      while (row < this.#rows.length) {
        const { text } = this.#at(row);
        const head = headOf(text, columns);
        if (head.length < text.length) {
          if (this.#narrowing === 'reflow') {
            const goesOn = this.#at(row).goesOn;
            this.#rows.splice(row, 1, { text: head, goesOn: true }, { text: text.slice(head.length), goesOn });
            if (this.#row > row) this.#row += 1;
          } else this.#at(row).text = head;
        }
        row += 1;
      }
    }
    this.columns = columns;
    this.rows = rows;
    while (this.#rows.length > rows && this.#rows.length - 1 > this.#row && this.#rows.at(-1)?.text === '')
      this.#rows.pop();
    while (this.#rows.length > rows) this.#scroll();
    this.#row = Math.max(0, this.#row);
    this.#column = Math.min(this.#column, columns - 1);
  }

  #control(parameter: string, letter: string): void {
    const count = Number(parameter === '' ? '1' : parameter);
    switch (`${parameter.startsWith('?') ? parameter : ''}${letter}`) {
      case 'm':
        return;
      case 'A':
        this.#row = Math.max(0, this.#row - count);
        return;
      case 'K':
        if (parameter !== '2') throw new Error(`erase ${parameter} in a line is not known`);
        this.#at(this.#row).text = '';
        return;
      case 'J':
        if (parameter !== '') throw new Error(`erase ${parameter} is not known`);
        this.#at(this.#row).text = headOf(this.#at(this.#row).text, this.#column);
        this.#rows.splice(this.#row + 1);
        return;
      case '?7l':
      case '?7h':
        this.#wraps = letter === 'h';
        return;
      case '?25l':
      case '?25h':
        this.#cursorShown = letter === 'h';
        return;
      case '?2026l':
      case '?2026h':
        return;
      default:
        throw new Error(`the terminal does not know CSI ${parameter}${letter}`);
    }
  }

  #put(character: string): void {
    switch (character) {
      case '\r':
        this.#column = 0;
        return;
      case '\r\n':
      case '\n':
        this.#column = 0;
        this.#lineFeed();
        return;
    }
    if (/\p{Cc}/u.test(character))
      throw new Error(`the terminal got the control character ${JSON.stringify(character)}`);
    const width = stringWidth(character);
    if (this.#column + width > this.columns) {
      if (!this.#wraps) return;
      this.#at(this.#row).goesOn = true;
      this.#column = 0;
      this.#lineFeed();
    }
    const row = this.#at(this.#row);
    const before = padded(headOf(row.text, this.#column), this.#column);
    row.text = before + character + tailOf(row.text, this.#column + width);
    this.#column += width;
  }

  #lineFeed(): void {
    this.#row += 1;
    if (this.#row >= this.#rows.length) this.#rows.push({ text: '', goesOn: false });
    if (this.#rows.length > this.rows) this.#scroll();
  }

  #scroll(): void {
    const [gone] = this.#rows.splice(0, 1);
    this.#row -= 1;
    if (gone !== undefined) this.scrolledOff.push(gone.text.trimEnd());
  }

  #at(row: number): Row {
    const found = this.#rows[row];
    if (found === undefined) throw new Error(`the screen has no row ${String(row)}`);
    return found;
  }
}

function headOf(text: string, columns: number): string {
  let head = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > columns) break;
    head += segment;
  }
  return head;
}

function tailOf(text: string, columns: number): string {
  return text.slice(headOf(text, columns).length);
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}
