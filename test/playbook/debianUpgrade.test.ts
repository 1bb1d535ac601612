import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runUpgrade } from './debianHost.js';
import type { HostState } from './debianHost.js';

const kernel = 'ii linux-image-6.1.0-40-amd64 6.1.153-1';
const packages = [
  kernel,
  'ii linux-image-amd64 6.1.153-1',
  'ii libc6 2.36-9+deb12u10',
  'ii kubelet 1.31.2-1.1',
  'ii kubeadm 1.31.2-1.1',
  'ii containerd.io 1.7.20-1',
  'rc docker.io 20.10.24+dfsg1-1',
];
const withNewKernel: HostState = {
  packages,
  packagesAfter: [...packages, 'ii linux-image-6.1.0-41-amd64 6.1.158-1'].map((line) => line.replace('u10', 'u13')),
  upgradable: ['libc6', 'linux-image-6.1.0-41-amd64', 'linux-image-amd64'],
};
const theUpgrade = /^apt-get .*--with-new-pkgs upgrade$/;
const realUpgrades = (calls: readonly string[]) => calls.filter((call) => theUpgrade.test(call) && !/ -s /.test(call));

describe('debian-upgrade.sh with nothing to upgrade', () => {
  it('changes nothing, wants no reboot and leaves the holds as they were', async () => {
    const outcome = await runUpgrade({ packages, holds: ['kubeadm'] });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.lines[0]).toBe('changed=no');
    expect(outcome.answers).toMatchObject({
      changed: 'no',
      reboot: 'no',
      'version.kernel.before': '6.1.0-40-amd64',
      'version.kernel.after': '6.1.0-40-amd64',
      'version.kubelet.before': '1.31.2-1.1',
      'version.kubelet.after': '1.31.2-1.1',
    });
    expect(outcome.answers).not.toHaveProperty('version.docker.io.before');
    expect(realUpgrades(outcome.calls)).toEqual([]);
    expect(outcome.holds).toEqual(['kubeadm']);
    expect(outcome.holdsOnRecord).toBe(false);
  });
});

describe('debian-upgrade.sh with packages to upgrade', () => {
  it('upgrades, reports versions and wants a reboot into the new kernel', async () => {
    const outcome = await runUpgrade(withNewKernel);

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers).toMatchObject({
      changed: 'yes',
      reboot: 'required',
      'version.kernel.before': '6.1.0-40-amd64',
      'version.kernel.after': '6.1.0-41-amd64',
      'version.libc6.before': '2.36-9+deb12u10',
      'version.libc6.after': '2.36-9+deb12u13',
      'version.containerd.io.before': '1.7.20-1',
    });
    expect(outcome.output).toContain('reboot required: kernel 6.1.0-40-amd64 runs and 6.1.0-41-amd64 is installed');
    expect(outcome.output).toContain('upgrading: libc6 linux-image-6.1.0-41-amd64 linux-image-amd64');
  });

  it('asks nothing, keeps changed configuration files, waits for locks and removes nothing', async () => {
    const outcome = await runUpgrade({
      ...withNewKernel,
      before: {
        'apt-get': 'echo "frontend $DEBIAN_FRONTEND, needrestart $NEEDRESTART_MODE, input: $(cat)" >>"$HOST/calls"',
      },
    });

    const [upgrade = '', ...others] = realUpgrades(outcome.calls);
    expect(others).toEqual([]);
    expect(upgrade).toMatch(/ -y /);
    expect(upgrade).toContain('-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold');
    expect(upgrade).toContain('-o DPkg::Lock::Timeout=300');
    expect(outcome.calls).toContain('frontend noninteractive, needrestart l, input: ');
    expect(outcome.calls.join('\n')).not.toMatch(
      /dist-upgrade|full-upgrade|autoremove|ignore-hold|allow-change-held|purge/,
    );
  });

  it('says changed=yes only after everything is fetched and before anything is upgraded', async () => {
    const seen =
      'case " $* " in *" --download-only "*) tail -n 1 "$TURNUS_RESULT" >>"$HOST/calls" ;; *" -s "*) ;; *" upgrade "*) grep changed= "$TURNUS_RESULT" | tail -n 1 >>"$HOST/calls" ;; esac';
    const outcome = await runUpgrade({ packages: [kernel], upgradable: ['libc6'], before: { 'apt-get': seen } });

    const fetched = outcome.calls.findIndex((call) => call.includes('--download-only'));
    expect(outcome.lines.filter((line) => line.startsWith('changed='))).toEqual(['changed=no', 'changed=yes']);
    expect(outcome.calls[fetched + 1]).toBe('version.kernel.before=6.1.0-40-amd64');
    expect(
      outcome.calls.at(outcome.calls.findIndex((call) => theUpgrade.test(call) && !/ -s |download/.test(call)) + 1),
    ).toBe('changed=yes');
  });

  it('keeps kubelet and container runtime on hold meanwhile and releases only its own holds', async () => {
    const outcome = await runUpgrade({ ...withNewKernel, holds: ['kubeadm', 'libc6'] });

    expect(outcome.holdsDuringUpgrade).toEqual(['containerd.io', 'kubeadm', 'kubelet', 'libc6']);
    expect(outcome.holds).toEqual(['kubeadm', 'libc6']);
    expect(outcome.output).toContain('held for this upgrade: containerd.io kubelet');
  });

  it('lifts what it is told to lift, but nothing that somebody has put on hold', async () => {
    const outcome = await runUpgrade({
      ...withNewKernel,
      holds: ['kubeadm'],
      environment: { TURNUS_LIFT: 'kubelet kubeadm' },
    });

    expect(outcome.holdsDuringUpgrade).toEqual(['containerd.io', 'kubeadm']);
    expect(outcome.holds).toEqual(['kubeadm']);
    expect(outcome.output).toContain('may be upgraded: kubelet');
    expect(outcome.output).toContain('kubeadm is named in TURNUS_LIFT but on hold: it stays');
  });
});

describe('debian-upgrade.sh that fails', () => {
  const failsAt = (words: string, message = 'E: broken', exitCode = 100) =>
    `case " $* " in *" -s "*) ;; *"${words}"*) echo "${message}" >&2; exit ${exitCode} ;; esac`;

  it('in the upgrade leaves the holds as they were, says changed=yes and nothing about a reboot', async () => {
    const outcome = await runUpgrade({
      ...withNewKernel,
      holds: ['kubeadm'],
      before: { 'apt-get': failsAt(' --with-new-pkgs upgrade ') },
    });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.answers['changed']).toBe('yes');
    expect(outcome.answers).not.toHaveProperty('reboot');
    expect(outcome.calls).toContain('apt-mark hold containerd.io kubelet');
    expect(outcome.holds).toEqual(['kubeadm']);
    expect(outcome.holdsOnRecord).toBe(false);
  });

  it.each([
    ['fetching the lists', failsAt(' update ')],
    ['fetching the packages', failsAt(' --download-only ')],
    ['planning', 'case " $* " in *" -s "*) exit 100 ;; esac'],
  ])('in %s says changed=no, so that the turn can be undone', async (_, before) => {
    const outcome = await runUpgrade({ ...withNewKernel, before: { 'apt-get': before } });

    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.answers['changed']).toBe('no');
    expect(realUpgrades(outcome.calls)).toEqual([]);
    expect(outcome.holds).toEqual([]);
  });

  it('because it is not root says so before it touches anything', async () => {
    const outcome = await runUpgrade({ ...withNewKernel, before: { id: 'echo 1000; exit' } });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.output).toContain('this script needs root');
    expect(outcome.answers).toEqual({ changed: 'no' });
    expect(outcome.calls).toEqual(['id -u']);
  });

  it('by being ended in the middle of the upgrade takes its holds back', async () => {
    const blocks =
      'case " $* " in *" -s "* | *" --download-only "*) ;; *" upgrade "*) touch "$HOST/upgrading"; exec /bin/sleep 60 ;; esac';
    const outcome = await runUpgrade(
      { ...withNewKernel, holds: ['kubeadm'], before: { 'apt-get': blocks } },
      async (pid, directory) => {
        await until(async () => await exists(join(directory, 'upgrading')));
        process.kill(-pid, 'SIGTERM');
      },
    );

    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.answers['changed']).toBe('yes');
    expect(outcome.holds).toEqual(['kubeadm']);
  });
});

describe('debian-upgrade.sh after an earlier one was killed', () => {
  it('takes the holds back that were left behind', async () => {
    const outcome = await runUpgrade({ packages, holds: ['kubeadm', 'kubelet'], leftHolds: ['kubelet'] });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.holds).toEqual(['kubeadm']);
  });

  it('finishes half-done packages first, and that is a change', async () => {
    const outcome = await runUpgrade({ packages: [...packages, 'iF openssl 3.0.17-1'] });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers['changed']).toBe('yes');
    expect(outcome.calls).toContain('dpkg --force-confdef --force-confold --configure -a');
    expect(outcome.output).toContain('half done: openssl');
  });
});

describe('debian-upgrade.sh while another apt is at work', () => {
  const locked = (times: number) =>
    `case " $* " in *" update "*) echo x >>"$HOST/tries"; [ "$(wc -l <"$HOST/tries")" -gt ${times} ] || { echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)" >&2; exit 100; } ;; esac`;

  it('waits until it is done', async () => {
    const outcome = await runUpgrade({ packages, before: { 'apt-get': locked(3) } });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.calls.filter((call) => call === 'sleep 10')).toHaveLength(3);
    expect(outcome.output).toContain('waiting for another apt or dpkg to end, at most 300 s');
  });

  it('gives up after the bound, with nothing changed', async () => {
    const outcome = await runUpgrade({
      packages,
      before: { 'apt-get': locked(1000) },
      environment: { LOCK_WAIT_SECONDS: '50' },
    });

    expect(outcome.exitCode).toBe(1);
    expect(outcome.calls.filter((call) => call === 'sleep 10')).toHaveLength(5);
    expect(outcome.output).toContain('another apt or dpkg kept its lock for 50 s');
    expect(outcome.answers['changed']).toBe('no');
  });
});

describe('debian-upgrade.sh wants a reboot', () => {
  it.each<[string, Partial<HostState>]>([
    ['because the flag file says so, and nothing else', { rebootFlag: true }],
    [
      'because a newer kernel was installed before',
      { packages: [...packages, 'ii linux-image-6.1.0-41-amd64 6.1.158-1'] },
    ],
    [
      'for the higher number, not the later letter',
      {
        kernel: '6.1.0-9-amd64',
        packages: ['ii linux-image-6.1.0-9-amd64 6.1.27-1', 'ii linux-image-6.1.0-10-amd64 6.1.38-1'],
      },
    ],
    [
      'for a newer kernel in the naming of Debian 13',
      {
        kernel: '6.12.43+deb13-amd64',
        packages: ['ii linux-image-6.12.43+deb13-amd64 6.12.43-1', 'ii linux-image-6.12.48+deb13-amd64 6.12.48-1'],
      },
    ],
    [
      'for a newer kernel of Ubuntu',
      {
        kernel: '5.15.0-91-generic',
        packages: [
          'ii linux-image-5.15.0-91-generic 5.15.0-91.101',
          'ii linux-image-unsigned-5.15.0-100-generic 5.15.0-100.110',
        ],
      },
    ],
    [
      'because the running kernel was replaced under its release',
      { kernelBuild: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.152-1 (2025-09-01)' },
    ],
    ['because needrestart says so', { needrestart: 'NEEDRESTART-VER: 3.6\nNEEDRESTART-KSTA: 3\n' }],
  ])('%s', async (_, state) => {
    const outcome = await runUpgrade({ packages, ...state });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers).toMatchObject({ changed: 'no', reboot: 'required' });
    expect(outcome.output).toContain('reboot required: ');
  });
});

describe('debian-upgrade.sh wants no reboot', () => {
  it.each<[string, Partial<HostState>]>([
    [
      'when the running kernel is the installed build',
      { kernelBuild: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)' },
    ],
    ['when needrestart says that the kernel is current', { needrestart: 'NEEDRESTART-KSTA: 1\n' }],
    [
      'for a newer kernel without an image to boot',
      { packages: [...packages, 'ii linux-image-6.1.0-41-amd64 6.1.158-1'], bootable: ['6.1.0-40-amd64'] },
    ],
    ['for a newer kernel that was removed', { packages: [...packages, 'rc linux-image-6.1.0-41-amd64 6.1.158-1'] }],
    [
      'for a kernel of another flavour',
      {
        packages: [
          ...packages,
          'ii linux-image-6.1.0-40-cloud-amd64 6.1.153-1',
          'ii linux-image-6.1.0-41-rt-amd64 6.1.158-1',
        ],
      },
    ],
    ['for an older kernel', { packages: [...packages, 'ii linux-image-6.1.0-39-amd64 6.1.148-1'] }],
    ['for debug symbols', { packages: [...packages, 'ii linux-image-6.1.0-41-amd64-dbg 6.1.158-1'] }],
    ['where no kernel package is installed', { packages: ['ii libc6 2.36-9'], kernel: '6.6.1-provider' }],
  ])('%s', async (_, state) => {
    const outcome = await runUpgrade({ packages, ...state });

    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.answers).toMatchObject({ changed: 'no', reboot: 'no' });
  });
});

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('waited 10 s for the upgrade to begin');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
