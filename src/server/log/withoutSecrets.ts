/**
 * The text with everything replaced that looks like a secret: headers that carry one, tokens, keys in PEM, passwords in
 * URLs and assignments, the content of a Secret object. A secret in no such form cannot be told from other words: what is
 * logged must not be made of any.
 */
export function withoutSecrets(text: string): string {
  return patterns.reduce((cleared, [pattern, replacement]) => cleared.replace(pattern, replacement), text);
}

const hidden = '[redacted]';

const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  [/("(?:data|stringData)"\s*:\s*)\{[^}]*\}?/g, `$1"${hidden}"`],
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|turnus-signature)(["']?\s*[:=]\s*["']?)[^\r\n"'}]+/gi,
    `$1$2${hidden}`,
  ],
  [/\b(bearer|basic)\s+[\w+/=.~-]{6,}/gi, `$1 ${hidden}`],
  // JSON Web Token (RFC 7519): service account tokens are of this kind.
  [/\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?/g, hidden],
  [/(:\/\/)[^\s/@]+@/g, `$1${hidden}@`],
  // `secret:NAME/KEY` is how a file from a Secret is called, and no secret.
  [
    /\b(?!secret:[a-z\d][a-z\d.-]*\/[\w.-]+(?![\w+/=]))((?:[a-z]+[-_])*(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|private[-_]?key|access[-_]?key))(["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&})\]"']+)/gi,
    `$1$2${hidden}`,
  ],
];
