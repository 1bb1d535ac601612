import { stripVTControlCharacters } from 'node:util';

/**
 * What a terminal would take as a command (C0 and C1 controls, ECMA-48) except line breaks and tabs, and the marks that
 * reorder text (Unicode TR 9), with which a text can look like another one.
 */
const unsafe = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text without escape sequences and without what else could act on a terminal. Lines and spaces stay. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(unsafe, '');
}

/** Text that came from a host, a webhook or an object, as it may be printed on one line: breaks and tabs become spaces. */
export function plainText(text: string): string {
  const inOneLine = stripVTControlCharacters(text).replace(/\s/gu, ' ');
  return printable(inOneLine).replace(/ +/gu, ' ').trim();
}

/** The lines of a text, each as {@link plainText}, without empty ones. What a program has overwritten is a line too. */
export function plainLines(text: string): string[] {
  return text
    .split(/[\n\r\u2028\u2029]/u)
    .map(plainText)
    .filter((line) => line !== '');
}
