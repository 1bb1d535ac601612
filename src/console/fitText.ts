import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter();

/** The text cut to this many columns, with an ellipsis where something is missing. */
export function cutText(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  if (columns < 1) return '';
  return `${headOf(text, columns - 1).trimEnd()}…`;
}

/** The text and spaces behind it, exactly so many columns. */
export function padText(text: string, columns: number): string {
  const cut = cutText(text, columns);
  return cut + ' '.repeat(Math.max(0, columns - stringWidth(cut)));
}

/** The text in lines of at most this many columns, broken between words, a longer word inside. */
export function wrapText(text: string, columns: number): string[] {
  const width = Math.max(2, columns);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (stringWidth(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (stringWidth(line) > width) {
      const head = headOf(line, width) || firstCharacter(line);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** How many rows of a terminal of this width a printed line takes. */
export function rowsTaken(line: string, columns: number): number {
  if (stringWidth(line) <= columns) return 1;
  let rows = 1;
  let used = 0;
  for (const { segment } of graphemes.segment(line)) {
    const width = stringWidth(segment);
    if (used + width > columns && used > 0) {
      rows += 1;
      used = 0;
    }
    used += width;
  }
  return rows;
}

/** As many characters as fit into so many columns. */
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

function firstCharacter(text: string): string {
  for (const { segment } of graphemes.segment(text)) return segment;
  return '';
}
