import { describe, expect, it } from 'vitest';
import { runTurnus } from '../../cli/runTurnus.js';
import { turnusProcess } from './turnusProcess.js';

describe('turnus drain on a sandbox', { timeout: 300_000 }, () => {
  it('previews, refuses and drains, with its own mark on the cordon', async () => {
    const running = await turnusProcess(['sandbox', '--nodes', '3']);
    await running.says('takes everything of it away');
    const kubeconfig = /export KUBECONFIG=(\S+)$/m.exec(running.stdout())?.[1] ?? '';
    const drain = async (...argv: string[]) => await runTurnus(['drain', ...argv, '--kubeconfig', kubeconfig]);

    const names = ['worker-1', 'worker-2', 'worker-3'];
    const previews = await Promise.all(names.map((name) => drain(name, '--dry-run')));
    const codes = previews.map(({ exitCode }) => exitCode);
    expect([...codes].sort()).toEqual([0, 0, 3]);
    const blocked = names[codes.indexOf(3)] ?? '';
    const free = names[codes.indexOf(0)] ?? '';
    expect(previews[codes.indexOf(3)]?.stdout).toContain(`block budget-never (${blocked})`);
    const evicted = /: (\d+) pods? to evict/.exec(previews[codes.indexOf(0)]?.stdout ?? '')?.[1] ?? '';

    const refused = await drain(blocked);
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain(`Node ${blocked} is not drained and takes pods as before; 0 pods were evicted.`);

    const end = await drain(free);
    expect(end).toMatchObject({ exitCode: 0, stdout: '' });
    expect(end.stderr).toContain(`Node ${free} is drained: ${evicted} pod`);
    expect((await drain(free, '--dry-run')).stdout).toContain(': 0 pods to evict');
    const plan = await runTurnus(['plan', '-f', playbookOf(running.stdout()), '--kubeconfig', kubeconfig]);
    expect(plan.exitCode).toBe(3);
    expect(plan.stdout).toContain(`Node ${free} is cordoned by turnus drain of sandbox-admin`);
  });
});

function playbookOf(said: string): string {
  return /export PLAYBOOK=(\S+)$/m.exec(said)?.[1] ?? '';
}
