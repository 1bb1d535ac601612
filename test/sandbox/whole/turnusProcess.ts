import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { startTurnus, type RunningTurnus } from '../../cluster/turnus.js';
import { temporaryDirectory } from '../leftBehind.js';

export interface TurnusProcess extends RunningTurnus {
  /** Where its temporary files are, and nobody else's. */
  readonly directory: string;
  /** Waits until it has written this. */
  says(text: string): Promise<void>;
}

const withinMs = 60_000;

/** Starts `turnus ARGV` in a process and with a temporary directory of its own. */
export async function turnusProcess(argv: string[], kubeconfig?: string): Promise<TurnusProcess> {
  const directory = await temporaryDirectory();
  const running = startTurnus(argv, {
    program: 'quick-build',
    cwd: directory,
    env: { TMPDIR: directory },
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  });
  onTestFinished(async () => {
    if (!running.isRunning()) return;
    // As a person would: so that it takes its hosts away.
    running.kill('SIGTERM');
    const ended = await Promise.race([running.exited.then(() => true), sleep(10_000, false)]);
    if (!ended) running.kill('SIGKILL');
  });
  return {
    ...running,
    directory,
    async says(text) {
      const until = Date.now() + withinMs;
      const said = () => `${running.stdout()}\n${running.stderr()}`;
      while (!said().includes(text)) {
        if (!running.isRunning() || Date.now() > until) throw new Error(`never said ${text}, but: ${said()}`);
        await sleep(20);
      }
    },
  };
}
