import { chmod, chown, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sshPort } from '../addresses.js';
import { powerStub, sudoStub } from './stubs.js';

/** The unprivileged user of every host; `root` can log in as well, with the same key. */
export const maintenanceUser = { name: 'maintenance', uid: 1500, gid: 1500 } as const;

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The directories of one host on the test machine. */
export interface HostImage {
  /** Survives reboots and power cuts; holds `var-lib`, `srv`, `root`, `home`. */
  readonly disk: string;
  /** /run: empty after each boot. */
  readonly run: string;
  /** /tmp: empty after each boot. */
  readonly temporary: string;
  /** /usr/local/sbin: what plays systemctl, reboot, shutdown and sudo. */
  readonly programs: string;
}

/** Lays out a new host: an empty disk, the programs that are played, and nothing of the machine's own. */
export async function createHostImage(directory: string): Promise<HostImage> {
  const image: HostImage = {
    disk: join(directory, 'disk'),
    run: join(directory, 'run'),
    temporary: join(directory, 'tmp'),
    programs: join(directory, 'programs'),
  };
  for (const path of ['var-lib/turnus', 'srv/host', 'root', 'home/maintenance']) {
    await mkdir(join(image.disk, path), { recursive: true });
  }
  await chown(join(image.disk, 'home/maintenance'), maintenanceUser.uid, maintenanceUser.gid);
  await mkdir(image.programs);
  await writeFile(join(image.programs, 'systemctl'), powerStub, { mode: 0o755 });
  for (const name of ['reboot', 'shutdown', 'poweroff', 'halt']) await symlink('systemctl', join(image.programs, name));
  return image;
}

/** How sudo behaves on a host: for `maintenance` only, root needs none. */
export type SudoMode = 'works' | 'password-required' | 'missing';

/** Makes sudo on the host behave so from now on. */
export async function setSudo(image: HostImage, mode: SudoMode): Promise<void> {
  const sudo = join(image.programs, 'sudo');
  const asRoot = join(image.programs, 'testbed-as-root');
  await rm(sudo, { force: true });
  await rm(asRoot, { force: true });
  if (mode === 'missing') return;
  await writeFile(sudo, sudoStub(mode), { mode: 0o755 });
  if (mode === 'works') {
    // Setuid root, and out of reach from outside the host: the test's directory belongs to root alone (mode 0700).
    await copyFile('/usr/bin/setpriv', asRoot);
    await chmod(asRoot, 0o4755);
  }
}

export interface BootFiles {
  bootId: string;
  address: string;
  /** ed25519 private key in OpenSSH's format. */
  hostKey: string;
  authorizedKey: string;
}

/** Fills /run afresh, as at the start of a boot, and empties /tmp. */
export async function prepareBoot(
  image: HostImage,
  { bootId, address, hostKey, authorizedKey }: BootFiles,
): Promise<void> {
  for (const directory of [image.run, image.temporary]) await rm(directory, { recursive: true, force: true });
  await mkdir(image.temporary);
  await chmod(image.temporary, 0o1777);
  await mkdir(join(image.run, 'sshd'), { recursive: true }); // where sshd confines its unprivileged half
  const configuration = join(image.run, 'testbed');
  await mkdir(configuration);
  const { name, uid, gid } = maintenanceUser;
  const files: Record<string, string> = {
    boot_id: `${bootId}\n`,
    authorized_keys: `${authorizedKey.trim()}\n`,
    sshd_config: sshdConfiguration(address),
    passwd: [
      'root:x:0:0:root:/root:/bin/bash',
      'sshd:x:102:65534::/run/sshd:/usr/sbin/nologin',
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      `${name}:x:${uid}:${gid}::/home/${name}:/bin/sh\n`,
    ].join('\n'),
    group: ['root:x:0:', 'nogroup:x:65534:', `${name}:x:${gid}:\n`].join('\n'),
    // "*" is no password but no locked account either: sshd lets a key in.
    shadow: ['root', 'sshd', 'nobody', name].map((user) => `${user}:*:20000:0:99999:7:::\n`).join(''),
    'reboot-answer': 'accept\n',
    empty: '',
  };
  for (const [file, content] of Object.entries(files)) await writeFile(join(configuration, file), content);
  await writeFile(join(configuration, 'host_key'), hostKey, { mode: 0o600 });
}

function sshdConfiguration(address: string): string {
  return `Port ${sshPort}
ListenAddress ${address}
HostKey /run/testbed/host_key
AuthorizedKeysFile /run/testbed/authorized_keys
AllowUsers root ${maintenanceUser.name}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 100
SetEnv PATH=${searchPath}
Subsystem sftp internal-sftp
`;
}
