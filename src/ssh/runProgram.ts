import type { HostAnswer } from '../host/hostPort.js';
import { commandLine, parseAnswer, programInput, type RemoteProgram } from '../host/remoteProgram.js';
import type { Clock } from '../time/clock.js';
import { oneLine } from './connectFailure.js';
import { execute } from './execute.js';
import type { Link } from './link.js';

/** A program that ran to its end on the host. */
export interface ProgramRun {
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** The start of what it said on stderr, one line. */
  readonly said: string;
  /** Of the verified host key. */
  readonly fingerprint: string;
}

/** An answer is at most an output and a result of 64 KiB each, its fields, and what a login shell says before. */
const maximumStdoutBytes = 262_144;

/**
 * Runs a program on the host, under a deadline of its own. A host that does not answer in time is `lost`, and the
 * connection is dropped. Where the whole answer had come before the connection broke (a reboot), it counts.
 * Rejects with the signal's reason when that aborts.
 */
export async function runProgram(
  request: {
    readonly link: Link;
    readonly clock: Clock;
    readonly program: RemoteProgram;
    readonly sudo: boolean;
    readonly timeoutMs: number;
  },
  signal: AbortSignal,
): Promise<HostAnswer<ProgramRun>> {
  const { link, clock, program, sudo, timeoutMs } = request;
  const command = { line: commandLine({ sudo }), input: programInput(program), maximumStdoutBytes };
  const opened = await link.open(signal);
  if (opened.kind !== 'ok') return opened;
  const { client, fingerprint } = opened.value;
  const deadline = clock.deadline(timeoutMs, signal);
  try {
    const execution = await execute(client, command, deadline.signal);
    switch (execution.kind) {
      case 'ended': {
        const { exitCode, stdout } = execution;
        const said = oneLine(execution.stderr);
        if (sudo && exitCode !== 0 && parseAnswer(stdout) === undefined) return sudoRefused(link.label, said);
        return { kind: 'ok', value: { exitCode, stdout, said, fingerprint } };
      }
      case 'lost': {
        link.drop();
        if (parseAnswer(execution.stdout)?.fields.get('requested') !== undefined) {
          return { kind: 'ok', value: { exitCode: 0, stdout: execution.stdout, said: '', fingerprint } };
        }
        return { kind: 'lost', message: `The connection to ${link.label} broke before the answer.` };
      }
      case 'refused':
        return {
          kind: 'command-failed',
          message: `${link.label} opens no session for a command: ${execution.reason}.`,
        };
    }
  } catch (error) {
    if (signal.aborted || !deadline.signal.aborted) throw error;
    link.drop();
    return { kind: 'lost', message: `${link.label} did not answer within ${String(Math.round(timeoutMs / 1000))} s.` };
  } finally {
    deadline.clear();
  }
}

function sudoRefused(label: string, said: string): HostAnswer<never> {
  const reason = said === '' ? 'sudo ended without a word' : said;
  const message = `${label} does not let this user become root without a password (${reason}): allow /bin/sh with NOPASSWD in its sudoers.`;
  return { kind: 'sudo-refused', message };
}
