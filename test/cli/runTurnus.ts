import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { runCommandLine } from '../../src/cli/commandLine.js';
import type { CommandIo } from '../../src/cli/io.js';
import { systemClock } from '../../src/systemClock.js';

/** A stream that keeps what is written to it. */
class KeptText extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.text += chunk.toString('utf8');
    callback();
  }
}

export interface CommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `turnus ARGV` in this process, without a terminal and with nothing of this process's environment. */
export async function runTurnus(argv: readonly string[], changes: Partial<CommandIo> = {}): Promise<CommandEnd> {
  const [stdout, stderr] = [new KeptText(), new KeptText()];
  const exitCode = await runCommandLine({
    argv,
    env: { HOME: '/nonexistent' },
    stdin: Readable.from([]),
    stdout,
    stderr,
    clock: systemClock,
    random: () => 0.5,
    exit: (code) => {
      throw new Error(`the process would end with ${code}`);
    },
    onSignal: () => undefined,
    ...changes,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** A directory with these files, which goes when the test ends. */
export async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-cli-'));
  onTestFinished(async () => {
    await rm(directory, { recursive: true });
  });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  return directory;
}

/** A playbook that is valid beside the files that it names. */
export const goodFiles = {
  'monthly.yaml': [
    'apiVersion: turnus.dev/v1alpha1',
    'kind: Playbook',
    'metadata: {name: monthly}',
    'spec:',
    '  cluster: {uid: 6f1c0a52-1111-4222-8333-444455556666}',
    '  host:',
    '    ssh: {user: maintenance, knownHosts: {path: ./known_hosts}}',
    '    update: {script: {path: ./update.sh}}',
    '',
  ].join('\n'),
  known_hosts: '',
  'update.sh': '#!/bin/sh\necho reboot=no >>"$TURNUS_RESULT"\n',
} as const;
