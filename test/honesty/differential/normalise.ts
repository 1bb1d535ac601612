import type { ApiResponse } from '../../cluster/api.js';

interface Status {
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[]; retryAfterSeconds?: number };
}

/**
 * An answer of the API server in words that are the same in every cluster: code, reason, causes, whether and how long
 * to wait, and, where `words` asks for them, the messages.
 */
export function answerOf(response: ApiResponse, { words }: { words: boolean }): string {
  const { status, headers } = response;
  const { reason = '', message = '', details = {} } = asStatus(response.body);
  const parts = [String(status), reason];
  for (const cause of details.causes ?? []) {
    parts.push(`cause ${cause.reason ?? ''}${words ? ` "${placeless(cause.message ?? '')}"` : ''}`);
  }
  if (headers['retry-after'] !== undefined) parts.push(`retry after ${headers['retry-after']}`);
  if (words && status >= 300) parts.push(`"${placeless(message)}"`);
  return parts.filter((part) => part !== '').join(', ');
}

/** The text without what is another one in each cluster: versions, UIDs, and names that the server has made up. */
export function placeless(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replaceAll(/\b(alpha|beta)-[a-z0-9]{6,10}-[a-z0-9]{5}\b/g, '$1-<pod>')
    .replaceAll(/\b(alpha|beta)-[a-z0-9]{5}\b/g, '$1-<pod>')
    .replaceAll(/resource version: \d+/g, 'resource version: <version>');
}

function asStatus(body: unknown): Status {
  return typeof body === 'object' && body !== null ? body : {};
}
