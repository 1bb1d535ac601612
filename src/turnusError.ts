/**
 * A failure that ends the command: impossible configuration or a missing precondition.
 * It reaches the user as one sentence (`message`), followed by what to do (`hint`).
 */
export class TurnusError extends Error {
  override readonly name = 'TurnusError';
  /** Stable name of the failure, for programs and tests. */
  readonly code: string;
  /** What the user should do next, one sentence. */
  readonly hint: string | undefined;
  /** Exit code of the command (DESIGN, "Exit codes"); 2 where the input is wrong. */
  readonly exitCode: number;

  constructor(failure: { code: string; message: string; hint?: string; exitCode?: number; cause?: unknown }) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.code = failure.code;
    this.hint = failure.hint;
    this.exitCode = failure.exitCode ?? 2;
  }
}
