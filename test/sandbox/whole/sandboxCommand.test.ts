import { createServer } from 'node:net';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leftBehind } from '../leftBehind.js';
import { directoryWith, runTurnus } from '../../cli/runTurnus.js';
import { turnusProcess, type TurnusProcess } from './turnusProcess.js';

/** Starts a sandbox and waits until it can be used. */
async function sandbox(...options: string[]): Promise<TurnusProcess & { kubeconfig: string; playbook: string }> {
  const running = await turnusProcess(['sandbox', '--nodes', '3', ...options]);
  await running.says('takes everything of it away');
  const fileOf = (variable: string) =>
    new RegExp(`^ *export ${variable}=(\\S+)$`, 'm').exec(running.stdout())?.[1] ?? '';
  return { ...running, kubeconfig: fileOf('KUBECONFIG'), playbook: fileOf('PLAYBOOK') };
}

describe('turnus sandbox', { timeout: 120_000 }, () => {
  it('can be planned on, broken and mended, beside a second one, and leaves nothing at Ctrl-C', async () => {
    const [one, other] = await Promise.all([sandbox(), sandbox()]);
    const findings = async () => {
      const plan = await runTurnus(['plan', '-f', one.playbook, '--kubeconfig', one.kubeconfig]);
      return plan.stdout.split('\n').filter((line) => line.startsWith('block '));
    };
    const ask = async (...argv: string[]) =>
      await runTurnus(['sandbox', ...argv], { env: { HOME: '/nonexistent', KUBECONFIG: one.kubeconfig } });

    expect(await findings()).toEqual([expect.stringMatching(/^block budget-never \(worker-\d\)$/)]);
    expect(await ask('mend')).toMatchObject({
      exitCode: 0,
      stdout: 'The Deployment payments/ledger has 2 replicas now, so its budget allows an eviction.\n',
    });
    await expect.poll(findings, { timeout: 20_000, interval: 500 }).toEqual([]);

    expect(await ask('break', 'lose-host', 'worker-2')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await ask('break', 'block-budget')).toMatchObject({ exitCode: 0, stderr: '' });
    // Until the disruption controller has seen the change, what the budget allows is not known.
    await expect
      .poll(findings, { timeout: 20_000, interval: 500 })
      .toEqual(
        expect.arrayContaining([
          'block host-unreachable (worker-2)',
          expect.stringMatching(/^block budget-never \(worker-\d/) as string,
        ]),
      );
    expect((await ask('mend')).stdout.split('\n')).toEqual([
      'The host of worker-2 takes connections again.',
      'The budget shop/web is as before.',
      '',
    ]);
    await expect.poll(findings, { timeout: 20_000, interval: 500 }).toEqual([]);

    expect(await ask('break', 'lose-host', 'worker-9')).toMatchObject({
      exitCode: 2,
      stderr: 'turnus: There is no node worker-9. The nodes are: worker-1, worker-2, worker-3.\n',
    });
    expect(await ask('break', 'lose-hosts')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Allowed choices are hang-host, lose-host') as string,
    });

    for (const running of [one, other]) running.kill('SIGINT');
    expect(await Promise.all([one.exited, other.exited])).toEqual([130, 130]);
    for (const { directory } of [one, other]) expect(await leftBehind(directory)).toEqual([]);
    expect(await ask('mend')).toMatchObject({ exitCode: 2 });
  });

  it('is told apart from a real cluster, which is not even asked', async () => {
    const directory = await directoryWith({ kubeconfig: kubeconfigFor('https://192.0.2.1:6443') });
    const end = await runTurnus(['sandbox', 'break', 'cut-api', '--kubeconfig', join(directory, 'kubeconfig')]);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('leads to https://192.0.2.1:6443, which is no sandbox; nothing was changed.');
  });

  it('says in one sentence that the port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => {
      taken.close();
    });
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const running = await turnusProcess(['sandbox', '--port', port]);
    expect(await running.exited).toBe(2);
    expect(running.stderr()).toContain(`turnus: Port ${port} of 127.0.0.1 is in use\n`);
    expect(await leftBehind(running.directory)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves nothing at %s while it starts', async (signal) => {
    const running = await turnusProcess(['sandbox', '--nodes', '3']);
    await running.says('Starting a sandbox');
    const until = Date.now() + 30_000;
    const hasBegun = async () => (await readdir(running.directory)).some((name) => name.startsWith('turnus-'));
    while (!(await hasBegun()) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    running.kill(signal);
    expect(await running.exited).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(await leftBehind(running.directory)).toEqual([]);
  });

  it.each([
    { argv: ['--nodes', '2'], says: '--nodes takes a whole number from 3 to 20, not "2".' },
    { argv: ['--nodes', 'six'], says: '--nodes takes a whole number from 3 to 20, not "six".' },
    { argv: ['--port', '70000'], says: '--port takes a whole number from 1 to 65535, not "70000".' },
    { argv: ['break', 'cut-api'], says: 'Which sandbox is meant is not said.' },
    { argv: ['break', 'cut-api', '--for', 'soon'], says: '--for soon is no duration.' },
    { argv: ['brake'], says: "too many arguments for 'sandbox'" },
  ])('refuses $argv', async ({ argv, says }) => {
    const end = await runTurnus(['sandbox', ...argv]);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(says);
  });
});

function kubeconfigFor(server: string): string {
  return JSON.stringify({
    'current-context': 'prod',
    clusters: [{ name: 'prod', cluster: { server } }],
    users: [{ name: 'anna', user: { token: 'secret' } }],
    contexts: [{ name: 'prod', context: { cluster: 'prod', user: 'anna' } }],
  });
}
