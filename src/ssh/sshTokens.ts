/** The text with its `%` tokens replaced, or the first token that stands for nothing here. */
export type Expansion =
  { readonly kind: 'ok'; readonly text: string } | { readonly kind: 'unknown'; readonly token: string };

/** Replaces `%x` by the value of `x`, and `%%` by `%` (ssh_config(5), TOKENS). Values are taken as they are. */
export function expandTokens(text: string, values: Readonly<Record<string, string>>): Expansion {
  let unknown: string | undefined;
  const expanded = text.replaceAll(/%(.?)/gsu, (token, letter: string) => {
    if (letter === '%') return '%';
    const value = Object.hasOwn(values, letter) ? values[letter] : undefined;
    if (value === undefined) unknown ??= token;
    return value ?? token;
  });
  return unknown === undefined ? { kind: 'ok', text: expanded } : { kind: 'unknown', token: unknown };
}
