import type { HostAnswer } from '../host/hostPort.js';
import type { HostLayout } from '../host/jobDirectory.js';
import { commandLine, parseAnswer, programInput, type RemoteProgram } from '../host/remoteProgram.js';
import { restrictedCommandLine } from '../host/turnusHost.js';
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

/** What the key opens on the host: a shell, or turnus-host alone (docs/turnus-host.md). */
export type HostDoor = { readonly kind: 'shell'; readonly sudo: boolean } | { readonly kind: 'restricted' };

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
    readonly layout: HostLayout;
    readonly program: RemoteProgram;
    readonly door: HostDoor;
    readonly timeoutMs: number;
  },
  signal: AbortSignal,
): Promise<HostAnswer<ProgramRun>> {
  const { link, clock, door, timeoutMs } = request;
  const command = commandFor(request);
  if (command === undefined) {
    const message = `${link.label} lets this key start installed scripts only (spec.host.ssh.restricted), and no other command.`;
    return { kind: 'command-failed', message };
  }
  const opened = await link.open(signal);
  if (opened.kind !== 'ok') return opened;
  const { client, fingerprint } = opened.value;
  const deadline = clock.deadline(timeoutMs, signal);
  try {
    const execution = await execute(client, { ...command, maximumStdoutBytes }, deadline.signal);
    switch (execution.kind) {
      case 'ended': {
        const { exitCode, stdout } = execution;
        const said = oneLine(execution.stderr);
        if (exitCode !== 0 && parseAnswer(stdout) === undefined) {
          const refusal = refusalOf({ door, exitCode, said, label: link.label });
          if (refusal !== undefined) return refusal;
        }
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

function commandFor(request: {
  program: RemoteProgram;
  layout: HostLayout;
  door: HostDoor;
}): { line: string; input: Buffer } | undefined {
  const { program, layout, door } = request;
  if (door.kind === 'shell') return { line: commandLine(door), input: programInput(program, layout) };
  if (program.restricted === undefined) return undefined;
  const { verb, words } = program.restricted;
  return { line: restrictedCommandLine(verb, words), input: Buffer.alloc(0) };
}

/** Why nothing ran, where sudo or the restricted key stood before it. */
function refusalOf(end: {
  door: HostDoor;
  exitCode: number;
  said: string;
  label: string;
}): HostAnswer<never> | undefined {
  const { door, exitCode, said, label } = end;
  if (door.kind === 'restricted' && (exitCode === 126 || exitCode === 127)) {
    const message = `${label} has no turnus-host for this key (${said === '' ? `exit code ${String(exitCode)}` : said}): install it as docs/turnus-host.md says.`;
    return { kind: 'command-failed', message };
  }
  const isAsked = door.kind === 'restricted' || door.sudo;
  const isSudo = /\bsudo\b/.test(said) || (said === '' && door.kind === 'shell');
  if (!isAsked || !isSudo) return undefined;
  const reason = said === '' ? 'sudo ended without a word' : said;
  const program = door.kind === 'shell' ? '/bin/sh' : 'turnus-host';
  const message = `${label} does not let this user become root without a password (${reason}): allow ${program} with NOPASSWD in its sudoers.`;
  return { kind: 'sudo-refused', message };
}
