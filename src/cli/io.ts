import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { StopSignal } from '../run/runEnd.js';
import { printable } from '../console/plainText.js';
import type { Clock } from '../time/clock.js';

/** What a command may use of the process that it runs in. */
export interface CommandIo {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Data. */
  readonly stdout: Writable;
  /** Messages for people. */
  readonly stderr: Writable;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  /** Ends the process at once; only where waiting for it was asked for twice. */
  readonly exit: (exitCode: number) => void;
  readonly onSignal: (signal: StopSignal, listener: () => void) => void;
}

/** Options that every command that talks to a cluster takes, as in kubectl. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Where `~` leads: $HOME as for kubectl, else the home of the account. */
export function homeDirectory(io: CommandIo): string {
  const home = io.env['HOME'] ?? '';
  return home === '' ? homedir() : home;
}

/** A message for people; it may hold what a server or a host has said. */
export function say(io: CommandIo, line: string): void {
  io.stderr.write(`${printable(line)}\n`);
}

/** Writes data to standard output and waits until it is accepted. A reader that has gone (`| head`) wants no more. */
export async function print(io: CommandIo, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    io.stdout.write(text.endsWith('\n') ? text : `${text}\n`, (error) => {
      if (error && !('code' in error && error.code === 'EPIPE')) reject(error);
      else resolve();
    });
  });
}
