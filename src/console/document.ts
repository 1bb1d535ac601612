import { plainText } from './plainText.js';

/** A piece of a document for people. Texts may hold what objects, servers or hosts have said. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'item'; readonly text: string; readonly details: readonly string[] };

/** The document for a terminal or a mail. */
export function documentText(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block, place) => {
    const text = plainText(block.text);
    switch (block.kind) {
      case 'heading':
        return [...(place === 0 ? [] : ['']), text, ...(block.level < 3 ? [underline(text, block.level)] : [])];
      case 'paragraph':
        return [text];
      case 'item':
        return [`- ${text}`, ...block.details.map((detail) => `    ${plainText(detail)}`)];
    }
  });
}

/** The document in Markdown (CommonMark 0.31), in which no text can act as markup. */
export function documentMarkdown(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block, place) => {
    const text = escapeMarkdown(block.text);
    switch (block.kind) {
      case 'heading':
        return [...(blocks[place - 1]?.kind === 'item' ? [''] : []), `${'#'.repeat(block.level)} ${text}`, ''];
      case 'paragraph':
        return [text, ''];
      case 'item':
        return [`- **${text}**`, ...block.details.map((detail) => `  - ${escapeMarkdown(detail)}`)];
    }
  });
}

/**
 * The text on one line as itself: what would be markup anywhere in a line has a backslash before it (CommonMark 0.31,
 * "Backslash escapes"), and what would be some at its beginning (a list, a heading, a rule) too.
 */
export function escapeMarkdown(text: string): string {
  return plainText(text)
    .replace(/[\\`*_[\]<>#|~&!]/g, '\\$&')
    .replace(/^([-+=]|\d+(?=[.)]))/, (start) => (/^\d/.test(start) ? start : `\\${start}`))
    .replace(/^(\d+)([.)])/, '$1\\$2');
}

function underline(text: string, level: 1 | 2 | 3): string {
  return (level === 1 ? '=' : '-').repeat(Math.min(text.length, 100));
}
