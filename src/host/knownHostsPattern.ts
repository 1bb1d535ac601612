import { createHmac, timingSafeEqual } from 'node:crypto';

/** The first field of a known_hosts line. */
export type HostField =
  | { readonly kind: 'hashed'; readonly salt: Buffer; readonly hash: Buffer }
  | { readonly kind: 'patterns'; readonly wanted: readonly string[]; readonly excluded: readonly string[] };

/** Reads `name,pattern*,!excluded` or `|1|salt|hash`; undefined where a hashed field is damaged. */
export function parseHostField(text: string): HostField | undefined {
  if (text.startsWith('|')) {
    const [, version, encodedSalt = '', encodedHash = '', ...rest] = text.split('|');
    const salt = Buffer.from(encodedSalt, 'base64');
    const hash = Buffer.from(encodedHash, 'base64');
    const isWhole = version === '1' && rest.length === 0 && salt.length > 0 && hash.length === 20;
    return isWhole ? { kind: 'hashed', salt, hash } : undefined;
  }
  const patterns = text
    .toLowerCase()
    .split(',')
    .filter((pattern) => pattern !== '');
  return {
    kind: 'patterns',
    wanted: patterns.filter((pattern) => !pattern.startsWith('!')),
    excluded: patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1)),
  };
}

/** True when the field names the host: `name`, or `[name]:port` at another port than 22. */
export function matchesHostField(field: HostField, name: string): boolean {
  const host = name.toLowerCase();
  if (field.kind === 'hashed') return timingSafeEqual(createHmac('sha1', field.salt).update(host).digest(), field.hash);
  const matches = (pattern: string) => matchesPattern(pattern, host);
  return field.wanted.some(matches) && !field.excluded.some(matches);
}

/** True when the field may name more hosts than it spells out. */
export function hasPattern(field: HostField): boolean {
  return field.kind === 'patterns' && (field.excluded.length > 0 || field.wanted.some((each) => /[*?]/.test(each)));
}

/** `*` stands for any characters, `?` for one, everything else for itself (ssh_config(5), PATTERNS). */
export function matchesPattern(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let starTextAt = 0;
  while (textAt < text.length) {
    const wanted = pattern[patternAt];
    if (wanted === '*') {
      starAt = patternAt;
      starTextAt = textAt;
      patternAt += 1;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[textAt])) {
      patternAt += 1;
      textAt += 1;
    } else if (starAt >= 0) {
      starTextAt += 1;
      textAt = starTextAt;
      patternAt = starAt + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(patternAt));
}
