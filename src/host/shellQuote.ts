/**
 * `text` as one word of a POSIX shell: in single quotes nothing is special but the quote itself (POSIX.1-2024,
 * XCU 2.2.2). A NUL cannot be part of a word and is refused.
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new RangeError('a shell word cannot hold a NUL character');
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
