import type { Client, ClientChannel } from 'ssh2';
import { oneLine } from './connectFailure.js';

/** What came of a command. Only `ended` has an exit code: a connection that broke is never one. */
export type Execution =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly stdout: Buffer; readonly stderr: string }
  /** The connection broke; `stdout` is what had come until then. */
  | { readonly kind: 'lost'; readonly stdout: Buffer }
  /** The host opened no session for the command. */
  | { readonly kind: 'refused'; readonly reason: string };

const maximumStderrBytes = 4096;

/**
 * Runs a command and hands it `input`. What it writes beyond `maximumStdoutBytes` is read and thrown away. Rejects
 * with the signal's reason when that aborts; the command may go on then.
 */
export function execute(
  client: Client,
  command: { readonly line: string; readonly input: Buffer; readonly maximumStdoutBytes: number },
  signal: AbortSignal,
): Promise<Execution> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let channel: ClientChannel | undefined;
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const finish = (execution: Execution): void => {
      signal.removeEventListener('abort', onAbort);
      client.removeListener('close', onClientClose);
      resolve(execution);
    };
    const lost = (): void => {
      finish({ kind: 'lost', stdout: Buffer.concat(stdout) });
    };
    // ssh2 tells open channels of a broken connection, but one that is being opened only if an answer is due.
    const onClientClose = (): void => {
      if (channel === undefined) lost();
    };
    const onAbort = (): void => {
      client.removeListener('close', onClientClose);
      channel?.close();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    client.on('close', onClientClose);

    const onChannel = (error: Error | undefined, opened: ClientChannel): void => {
      if (error !== undefined) {
        if (error.message.includes('No response from server')) lost();
        else finish({ kind: 'refused', reason: oneLine(error.message.replace(/^\(SSH\) /, '')) });
        return;
      }
      channel = opened;
      if (signal.aborted) {
        opened.close();
        return;
      }
      let exitCode: number | undefined;
      opened.on('data', collector(stdout, command.maximumStdoutBytes));
      opened.stderr.on('data', collector(stderr, maximumStderrBytes));
      opened.on('error', () => undefined); // the host read no more input; the exit code tells
      opened.on('exit', (code: number | null, name?: string) => {
        exitCode = code ?? signalExitCode(name);
      });
      opened.on('close', () => {
        if (exitCode === undefined) lost();
        else
          finish({
            kind: 'ended',
            exitCode,
            stdout: Buffer.concat(stdout),
            stderr: Buffer.concat(stderr).toString('utf8'),
          });
      });
      opened.end(command.input);
    };
    try {
      client.exec(command.line, onChannel);
    } catch {
      lost(); // 'Not connected': it broke between two calls
    }
  });
}

function collector(chunks: Buffer[], maximumBytes: number): (chunk: Buffer) => void {
  let bytes = 0;
  return (chunk) => {
    const room = maximumBytes - bytes;
    if (room <= 0) return;
    chunks.push(chunk.subarray(0, room));
    bytes += Math.min(room, chunk.length);
  };
}

/** As a shell says it: 128 and the number of the signal (RFC 4254, 6.10 sends names without SIG). */
function signalExitCode(name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  const numbers: Readonly<Record<string, number>> = {
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ABRT: 6,
    KILL: 9,
    SEGV: 11,
    PIPE: 13,
    TERM: 15,
  };
  return 128 + (numbers[name.replace(/^SIG/, '')] ?? 0);
}
