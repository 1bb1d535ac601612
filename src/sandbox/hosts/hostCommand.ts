import { spawn, type ChildProcess } from 'node:child_process';
import type { ServerChannel } from 'ssh2';
import { shellQuote } from '../../host/shellQuote.js';
import { isProgramCall, mapProgramPaths } from './programPaths.js';

/** One command of a session on a host. */
export interface HostCommand {
  /** Undefined: a login shell. */
  readonly line: string | undefined;
  /** The type of terminal that the client asked for (TERM). */
  readonly terminal: string | undefined;
}

/**
 * Runs a command by the machine's /bin/sh, in the host's directory and in a session of its own, and joins it to the
 * channel. A connection that breaks takes its input and output away; the command itself goes on, as under sshd.
 */
export function runCommand(
  command: HostCommand,
  place: {
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly channel: ServerChannel;
  },
): ChildProcess {
  const { directory, environment, channel } = place;
  const child = spawn('/bin/sh', ['-c', shellLine(command)], { cwd: directory, env: environment, detached: true });
  const fail = () => undefined; // the other side went first; the exit code tells
  for (const stream of [channel, channel.stderr, child.stdin, child.stdout, child.stderr]) stream.on('error', fail);

  const isProgram = command.line !== undefined && isProgramCall(command.line);
  if (isProgram) channel.pipe(mapProgramPaths(directory)).pipe(child.stdin);
  else channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });

  channel.once('close', () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
  });
  child.once('error', (error) => {
    channel.stderr.write(`The host cannot run anything: ${error.message}\n`);
    channel.exit(126);
    channel.end();
  });
  child.once('close', (code, signal) => {
    if (code === null) channel.exit((signal ?? 'SIGKILL').slice('SIG'.length));
    else channel.exit(code);
    channel.end();
  });
  return child;
}

/** `script` of util-linux gives a terminal, which Node alone cannot make; where it is missing it goes without one. */
function shellLine({ line, terminal }: HostCommand): string {
  const command = line ?? '/bin/sh -i';
  if (terminal === undefined) return command;
  const word = shellQuote(command);
  return `if command -v script >/dev/null; then exec script -qefc ${word} /dev/null; else exec /bin/sh -c ${word}; fi`;
}
