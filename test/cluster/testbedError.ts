/** The testbed cannot do what was asked; `hint` says what to install or change. */
export class TestbedError extends Error {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(options.hint === undefined ? message : `${message}\n  ${options.hint}`, { cause: options.cause });
    this.name = 'TestbedError';
  }
}
