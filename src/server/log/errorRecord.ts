import { withoutSecrets } from './withoutSecrets.js';

/** An error as it stands in the log. */
export interface ErrorRecord {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly hint?: string;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
  readonly errors?: readonly ErrorRecord[];
}

const longestText = 8192;
const deepest = 4;
const mostErrors = 5;

/**
 * What an error says of itself, in texts cleared of secrets. Other members are left out: libraries hang requests with
 * their headers, answers with their bodies and whole configurations on errors.
 */
export function errorRecord(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: typeof error === 'string' ? text(error) : 'thrown without being an error' };
  }
  const { message, stack, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  const goesDeeper = depth < deepest;
  return {
    type: error.name,
    message: text(message),
    ...(code === undefined ? {} : { code: text(code) }),
    ...(hint === undefined ? {} : { hint: text(hint) }),
    ...(stack === undefined ? {} : { stack: text(stack) }),
    ...(cause === undefined || !goesDeeper ? {} : { cause: errorRecord(cause, depth + 1) }),
    ...(errors.length === 0 || !goesDeeper
      ? {}
      : { errors: errors.slice(0, mostErrors).map((each) => errorRecord(each, depth + 1)) }),
  };
}

/** Cleared before it is cut: half a secret is one still. */
function text(whole: string): string {
  const cleared = withoutSecrets(whole);
  return cleared.length > longestText ? `${cleared.slice(0, longestText)}…` : cleared;
}
