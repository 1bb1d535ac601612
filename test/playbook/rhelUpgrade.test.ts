import { describe, expect, it } from 'vitest';
import { isReallyInstalled, runRhelUpgrade, saysNoReboot, saysReboot } from './rhelHost.js';
import type { RhelHostState } from './rhelHost.js';

const running = '5.14.0-503.15.1.el9_5.x86_64';
const newer = '5.14.0-503.40.1.el9_5.x86_64';
const packages = [
  'containerd.io 1.7.20-3.1.el9.x86_64',
  'docker-ce-cli 27.1.1-1.el9.x86_64',
  'glibc 2.34-125.el9_5.1.x86_64',
  'glibc 2.34-125.el9_5.1.i686',
  `kernel-core ${running}`,
  'kubeadm 1.31.2-150500.1.1.x86_64',
  'kubelet 1.31.2-150500.1.1.x86_64',
  'tzdata 2024a-1.el9.noarch',
];
const withNewKernel: RhelHostState = {
  packages,
  packagesAfter: [...packages, `kernel-core ${newer}`].map((line) => line.replace('_5.1.', '_5.8.')),
  upgradable: ['glibc', 'kernel-core'],
  defaultKernelAfter: `/boot/vmlinuz-${newer}`,
  needsRestarting: { says: saysReboot, exitCode: 1 },
};
const tzdataOnly: RhelHostState = {
  packages,
  packagesAfter: packages.map((line) => line.replace('2024a', '2024b')),
  upgradable: ['tzdata'],
};

const theUpgrade = /^dnf .* upgrade$/;
const upgrades = (calls: readonly string[]) => calls.filter((call) => theUpgrade.test(call));
/** Shell for a pretended dnf: ends with a code where its arguments contain these words. */
const dnfEnds = (words: string, exitCode: number, says = 'Error: broken') => ({
  dnf: `case " $* " in *" ${words} "*) echo "${says}" >&2; exit ${String(exitCode)} ;; esac`,
});
/** Shell for a pretended dnf: another one keeps its lock so many times. */
const dnfLocked = (words: string, times: number) => ({
  dnf: `case " $* " in *" ${words} "*) echo x >>"$HOST/tries"; [ "$(wc -l <"$HOST/tries")" -gt ${String(times)} ] || { echo "metadata already locked by 77" >&2; exit 200; } ;; esac`,
});

describe('rhel-upgrade.sh with nothing to upgrade', () => {
  it('changes nothing and wants no reboot', async () => {
    const outcome = await runRhelUpgrade({ packages });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.lines[0]).toBe('changed=no');
    expect(outcome.answers).toMatchObject({
      changed: 'no',
      reboot: 'no',
      'version.kernel.before': running,
      'version.kernel.after': running,
      'version.kubelet.before': '1.31.2-150500.1.1.x86_64',
      'version.kubelet.after': '1.31.2-150500.1.1.x86_64',
    });
    expect(outcome.output).toContain('nothing to upgrade');
    expect(outcome.calls.filter((call) => / upgrade\b/.test(call))).toEqual([]);
  });

  it('wants the reboot that an earlier upgrade left behind', async () => {
    const outcome = await runRhelUpgrade({ packages, defaultKernel: `/boot/vmlinuz-${newer}` });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers).toMatchObject({ changed: 'no', reboot: 'required', 'version.kernel.after': newer });
    expect(outcome.output).toContain(`reboot required: kernel ${running} runs and the next boot takes ${newer}`);
  });
});

describe('rhel-upgrade.sh with packages to upgrade', () => {
  it.each([['/bin/sh'], ['/bin/bash']])('upgrades, reports versions and wants a reboot, run by %s', async (shell) => {
    const asSh = shell === '/bin/bash' ? [shell, '--posix'] : [shell];
    const outcome = await runRhelUpgrade({ ...withNewKernel, shell: asSh });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers).toMatchObject({
      changed: 'yes',
      reboot: 'required',
      'version.kernel.before': running,
      'version.kernel.after': newer,
      'version.containerd.io.before': '1.7.20-3.1.el9.x86_64',
    });
    expect(outcome.answers['version.glibc.before']).toMatch(/^2\.34-125\.el9_5\.1\./);
    expect(outcome.answers['version.glibc.after']).toMatch(/^2\.34-125\.el9_5\.8\./);
    expect(outcome.lines.filter((line) => line.startsWith('version.glibc.after='))).toHaveLength(1);
    expect(outcome.answers).not.toHaveProperty('version.tzdata.before');
    expect(outcome.output).toContain('* kernel-core');
  });

  it('asks nothing, removes nothing by itself and does not wait for a lock without a bound', async () => {
    const input = { dnf: 'echo "input: $(cat)" >>"$HOST/calls"' };
    const outcome = await runRhelUpgrade({ ...withNewKernel, before: input });

    const [upgrade = '', ...others] = upgrades(outcome.calls);
    expect(others).toEqual([]);
    expect(upgrade).toMatch(/^dnf -y --setopt=exit_on_lock=True --setopt=best=False /);
    expect(outcome.calls).toContain('input: ');
    expect(outcome.calls.filter((call) => call.startsWith('input: ') && call !== 'input: ')).toEqual([]);
    expect(outcome.calls.join('\n')).not.toMatch(
      /allowerasing|autoremove|distro-sync|disableexcludes|nogpgcheck|skip-file-locks/,
    );
  });

  it('says changed=yes only after everything is fetched and before anything is upgraded', async () => {
    const seen = {
      dnf: 'case " $* " in *" upgrade "*) grep changed= "$TURNUS_RESULT" | tail -n 1 >>"$HOST/calls" ;; esac',
    };
    const outcome = await runRhelUpgrade({ ...tzdataOnly, before: seen });

    const fetched = outcome.calls.findIndex((call) => call.endsWith('upgrade --downloadonly'));
    const upgraded = outcome.calls.findIndex((call) => theUpgrade.test(call));
    expect(outcome.calls[fetched + 1]).toBe('changed=no');
    expect(outcome.calls[upgraded + 1]).toBe('changed=yes');
    expect(outcome.answers).toMatchObject({ changed: 'yes', reboot: 'no' });
  });

  it('excludes kubelet and container runtime from all that dnf chooses, also those that would be new', async () => {
    const outcome = await runRhelUpgrade(tzdataOnly);

    const choices = outcome.calls.filter((call) => / (check-update|upgrade)\b/.test(call));
    expect(choices).toHaveLength(3);
    for (const call of choices) {
      for (const name of ['kubelet', 'kubeadm', 'kubectl', 'cri-o', 'cri-o-*', 'containerd.io', 'docker-ce-*']) {
        expect(call.split(' ')).toContain(`--exclude=${name}`);
      }
    }
  });

  it('lifts what it is told to lift, and of a pattern only that', async () => {
    const outcome = await runRhelUpgrade({
      ...tzdataOnly,
      packages: [...packages, 'docker-ce-rootless-extras 27.1.1-1.el9.x86_64'],
      environment: { TURNUS_LIFT: 'containerd.io docker-ce-cli' },
    });

    const [upgrade = ''] = upgrades(outcome.calls);
    const options = upgrade.split(' ');
    expect(options).toContain('--exclude=kubelet');
    expect(options).toContain('--exclude=docker-ce-rootless-extras');
    expect(options).not.toContain('--exclude=containerd.io');
    expect(options).not.toContain('--exclude=docker-ce-*');
    expect(options).not.toContain('--exclude=docker-ce-cli');
    expect(outcome.output).toContain('may be upgraded: containerd.io docker-ce-cli');
  });

  it('takes changed=yes back where dnf found that nothing can be upgraded', async () => {
    const outcome = await runRhelUpgrade({ packages, upgradable: ['kmod-kvdo'] });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.lines.filter((line) => line.startsWith('changed='))).toEqual([
      'changed=no',
      'changed=yes',
      'changed=no',
    ]);
    expect(outcome.output).toContain('nothing was upgraded');
    expect(outcome.answers['reboot']).toBe('no');
  });

  it('changes nothing more when it is repeated', async () => {
    const after = { packages: withNewKernel.packagesAfter ?? [], defaultKernel: `/boot/vmlinuz-${newer}` };
    const outcome = await runRhelUpgrade({ ...after, needsRestarting: { says: saysReboot, exitCode: 1 } });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers).toMatchObject({ changed: 'no', reboot: 'required', 'version.kernel.after': newer });
  });
});

describe('rhel-upgrade.sh asks needs-restarting', () => {
  it.each<[string, RhelHostState['needsRestarting'], string]>([
    ['1 is yes', { says: saysReboot, exitCode: 1 }, 'required'],
    ['1 without a word is yes', { says: '', exitCode: 1 }, 'required'],
    ['0 is no', { says: saysNoReboot, exitCode: 0 }, 'no'],
    ['0 without a word is no', { says: '', exitCode: 0 }, 'no'],
  ])('%s', async (_, needsRestarting, reboot) => {
    const outcome = await runRhelUpgrade({ ...tzdataOnly, ...(needsRestarting && { needsRestarting }) });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers['reboot']).toBe(reboot);
    expect(outcome.calls.filter((call) => call.startsWith('needs-restarting -r'))).toHaveLength(1);
  });

  it.each<[string, { says: string; exitCode: number }]>([
    ['2', { says: 'Unknown argument', exitCode: 2 }],
    ['3', { says: 'Traceback (most recent call last):', exitCode: 3 }],
    ['127', { says: 'needs-restarting: /usr/libexec/dnf-utils: not found', exitCode: 127 }],
    ['1 with an error of dnf', { says: 'Error: failed loading RPMDB', exitCode: 1 }],
    ['1 because dnf does not know it', { says: 'No such command: needs-restarting.', exitCode: 1 }],
  ])('%s is a failure and never "no reboot required"', async (_, needsRestarting) => {
    const outcome = await runRhelUpgrade({ ...tzdataOnly, needsRestarting });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.answers).not.toHaveProperty('reboot');
    expect(outcome.answers['changed']).toBe('yes');
    expect(outcome.output).toContain(needsRestarting.says);
    expect(outcome.output).toContain('whether a reboot is required is not known: needs-restarting failed');
  });

  it('does not need its word where the next boot takes another kernel', async () => {
    const outcome = await runRhelUpgrade({ ...withNewKernel, needsRestarting: { says: 'broken', exitCode: 3 } });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers['reboot']).toBe('required');
  });

  it.skipIf(isReallyInstalled('needs-restarting'))('as a command of dnf where yum-utils is not installed', async () => {
    const outcome = await runRhelUpgrade({
      ...tzdataOnly,
      needsRestartingIs: 'dnf command',
      needsRestarting: { says: saysReboot, exitCode: 1 },
    });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers['reboot']).toBe('required');
    expect(outcome.calls).toContain('dnf needs-restarting -r --setopt=exit_on_lock=True');
  });

  it.skipIf(isReallyInstalled('needs-restarting'))(
    'and fails before it changes anything where there is neither',
    async () => {
      const outcome = await runRhelUpgrade({ ...tzdataOnly, needsRestartingIs: 'missing' });

      expect(outcome.exitCode).toBe(1);
      expect(outcome.output).toContain('run: dnf install yum-utils');
      expect(outcome.answers).toEqual({ changed: 'no' });
      expect(outcome.calls.filter((call) => / (check-update|upgrade)\b/.test(call))).toEqual([]);
    },
  );
});

describe('rhel-upgrade.sh asks grubby', () => {
  it.each([
    ['fails', 'exit 1'],
    ['prints nothing', 'exit 0'],
    ['names no kernel', 'echo /boot/efi/EFI/Linux/entry.efi; exit 0'],
  ])('which %s: the job fails unless needs-restarting wants the reboot', async (_, grubby) => {
    const without = await runRhelUpgrade({ ...tzdataOnly, before: { grubby } });
    expect(without.exitCode).toBe(1);
    expect(without.answers).not.toHaveProperty('reboot');
    expect(without.answers).not.toHaveProperty('version.kernel.after');
    expect(without.output).toContain('grubby does not say which kernel the next boot takes');

    const needsRestarting = { says: saysReboot, exitCode: 1 };
    const wanted = await runRhelUpgrade({ ...tzdataOnly, before: { grubby }, needsRestarting });
    expect(wanted.exitCode, wanted.output).toBe(0);
    expect(wanted.answers['reboot']).toBe('required');
  });
});

describe('rhel-upgrade.sh that fails', () => {
  it('in the upgrade says changed=yes and nothing about a reboot', async () => {
    const outcome = await runRhelUpgrade({
      ...withNewKernel,
      before: { dnf: 'case " $* " in *" --downloadonly "*) ;; *" upgrade "*) echo "scriptlet failed"; exit 1 ;; esac' },
    });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.answers['changed']).toBe('yes');
    expect(outcome.answers).not.toHaveProperty('reboot');
    expect(outcome.output).toContain('the upgrade did not end well (1)');
  });

  it.each([
    ['looking for updates', dnfEnds('check-update', 1)],
    ['choosing or fetching the packages', dnfEnds('--downloadonly', 1)],
    ['finding packages installed twice', dnfEnds('--duplicates', 1, 'glibc-2 is a duplicate with glibc-1')],
    ['listing the packages', { rpm: 'echo "error: rpmdb open failed" >&2; exit 1' }],
  ])('in %s says changed=no, so that the turn can be undone', async (_, before) => {
    const outcome = await runRhelUpgrade({ ...withNewKernel, before });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.answers['changed']).toBe('no');
    expect(outcome.answers).not.toHaveProperty('reboot');
    expect(upgrades(outcome.calls)).toEqual([]);
  });

  const mayMiss = ['dnf', 'rpm', 'grubby'].filter((program) => !isReallyInstalled(program));
  it.each(mayMiss)('because %s is missing says so before it touches anything', async (program) => {
    const outcome = await runRhelUpgrade({ ...withNewKernel, missing: [program] });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.output).toContain(`the program ${program} is missing`);
    expect(outcome.answers).toEqual({ changed: 'no' });
  });

  it('because it is not root, or because the system is an image, changes nothing', async () => {
    const user = await runRhelUpgrade({ ...withNewKernel, before: { id: 'echo 1000; exit' } });
    expect(user.exitCode).toBe(1);
    expect(user.output).toContain('this script needs root');
    expect(user.calls).toEqual(['id -u']);

    const image = await runRhelUpgrade({ ...withNewKernel, ostree: true });
    expect(image.exitCode).toBe(1);
    expect(image.output).toContain('this system is an image');
    expect(image.answers).toEqual({ changed: 'no' });
  });
});

describe('rhel-upgrade.sh while another dnf is at work', () => {
  const waits = (calls: readonly string[]) => calls.filter((call) => call === 'sleep 10');

  it.each(['check --duplicates', 'check-update', '--downloadonly'])('waits in %s until it is done', async (words) => {
    const outcome = await runRhelUpgrade({ ...tzdataOnly, before: dnfLocked(words, 3) });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(waits(outcome.calls)).toHaveLength(3);
    expect(outcome.output).toContain('waiting for another dnf to end, at most 300 s');
    expect(outcome.answers).toMatchObject({ changed: 'yes', reboot: 'no' });
  });

  it.skipIf(isReallyInstalled('needs-restarting'))('waits before it is said whether a reboot is required', async () => {
    const locked = dnfLocked('needs-restarting -r', 2);
    const outcome = await runRhelUpgrade({ ...tzdataOnly, needsRestartingIs: 'dnf command', before: locked });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(waits(outcome.calls)).toHaveLength(2);
    expect(outcome.answers['reboot']).toBe('no');
  });

  it('gives up after the bound, with nothing changed', async () => {
    const outcome = await runRhelUpgrade({
      ...tzdataOnly,
      before: dnfLocked('check-update', 1000),
      environment: { LOCK_WAIT_SECONDS: '50' },
    });

    expect(outcome.exitCode).toBe(1);
    expect(waits(outcome.calls)).toHaveLength(5);
    expect(outcome.output).toContain('another dnf kept its lock for 50 s');
    expect(outcome.answers['changed']).toBe('no');
  });

  it('gives up before the upgrade itself, with changed=yes taken back', async () => {
    const locked = {
      dnf: 'case " $* " in *" --downloadonly "*) ;; *" upgrade "*) echo "RPMDB already locked by 77" >&2; exit 200 ;; esac',
    };
    const outcome = await runRhelUpgrade({
      ...tzdataOnly,
      before: locked,
      environment: { LOCK_WAIT_SECONDS: '20' },
    });

    expect(outcome.exitCode).toBe(1);
    expect(waits(outcome.calls)).toHaveLength(2);
    expect(outcome.output).toContain('another dnf kept its lock for 20 s; nothing was upgraded');
    expect(outcome.answers['changed']).toBe('no');
    expect(outcome.answers).not.toHaveProperty('reboot');
  });
});
