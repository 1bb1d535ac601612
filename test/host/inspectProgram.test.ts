import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inspectProgram, parseHostFacts } from '../../src/host/hostPrograms.js';
import type { HostFacts } from '../../src/host/hostPort.js';
import { parseAnswer, programInput, type RemoteAnswer } from '../../src/host/remoteProgram.js';

/** What the program for a look at the host calls, and what it looks for. */
const called = ['cat', 'dirname', 'uname', 'date'];
const wanted = ['setsid', 'mkfifo', 'mktemp', 'sync', 'ln', 'mv', 'find', 'head', 'tail', 'wc', 'dd', 'df'];

interface Machine {
  readonly without?: readonly string[];
  /** Shell scripts by name. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** Runs the program by the real shell, on a machine that has these programs and, below `/sbin`, its own. */
async function inspect({ without = [], programs = {} }: Machine): Promise<RemoteAnswer> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-inspect-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const scripts = { id: 'case $1 in -u) echo 0 ;; *) echo root ;; esac', reboot: 'exit 0', ...programs };
  for (const [name, text] of Object.entries(scripts))
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const name of [...called, ...wanted]) {
    if (without.includes(name) || name in scripts) continue;
    await symlink(execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(bin, name));
  }
  await writeFile(join(directory, 'boot_id'), 'the-boot\n');
  const layout = { baseDirectory: join(directory, 'turnus'), bootIdPath: join(directory, 'boot_id') };
  // The loader needs dd; what is tried here is the program.
  const text = programInput(inspectProgram([]), layout)
    .toString()
    .replace(/^\d+\n/, '');
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', text], { env: { PATH: bin } });
  const answer = parseAnswer(stdout);
  if (answer === undefined) throw new Error(`no answer, but: ${stderr.toString()}`);
  return answer;
}

async function factsOf(machine: Machine): Promise<HostFacts | undefined> {
  return parseHostFacts(await inspect(machine), 'SHA256:abc');
}

const df = (device: string, freeKib: number) =>
  `echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho '${device} 9 9 ${String(freeKib)} 9% /'`;

/** A machine whose /sbin is its /bin has every program there. */
const isSbinApart = !['/usr/local/sbin', '/usr/sbin', '/sbin'].some((path) => existsSync(`${path}/setsid`));

describe('a look at a host', () => {
  it('reads its clock, how it reboots, and that nothing is missing', async () => {
    const before = Date.now();
    const facts = await factsOf({});
    expect(facts).toMatchObject({ bootId: 'the-boot', root: true, missingPrograms: [] });
    expect(facts?.rebootCommand).toMatch(/^(systemctl )?reboot$/);
    expect(facts?.clockMs).toBeGreaterThan(before - 1000);
    expect(facts?.clockMs).toBeLessThanOrEqual(Date.now());
  });

  it.skipIf(!isSbinApart)('names the programs that jobs would miss', async () => {
    expect(await factsOf({ without: ['setsid', 'tail'] })).toMatchObject({ missingPrograms: ['setsid', 'tail'] });
    const { fields } = await inspect({ without: ['df'] });
    expect(Object.fromEntries(fields)).toEqual({ failed: 'the program df is missing', about: 'program-missing' });
  });

  it.each([
    ['tmpfs', true],
    ['ramfs', true],
    ['/dev/sda1', false],
  ])('tells whether a directory on %s outlives a reboot', async (device, jobsInMemory) => {
    const freeBytes = 5000 * 1024;
    expect(await factsOf({ programs: { df: df(device, 5000) } })).toMatchObject({ jobsInMemory, freeBytes });
  });

  it('tells a full disk apart from other troubles', async () => {
    const { fields } = await inspect({ programs: { df: df('/dev/sda1', 900) } });
    expect(fields.get('about')).toBe('disk-full');
    expect(fields.get('failed')).toMatch(/^the disk below \S+ is full: 900 KiB are free$/);
  });

  it.each([
    ['100 37 63', 'the disk below'],
    ['100 36 64', undefined],
    ['0 0 0', undefined],
    ['- - -', undefined],
  ])(
    'tells a disk without room for files, which has %s of them, apart from one that does not count',
    async (counted, failed) => {
      const [all, used, free] = counted.split(' ');
      const files = `echo 'Filesystem Inodes IUsed IFree IUse% Mounted on'\necho '/dev/sda1 ${String(all)} ${String(used)} ${String(free)} - /'`;
      const { fields } = await inspect({
        programs: { df: `case $1 in -Pi) ${files} ;; *) ${df('/dev/sda1', 5000)} ;; esac` },
      });
      expect(fields.get('failed')?.slice(0, 14)).toBe(failed);
      expect(fields.get('about')).toBe(failed === undefined ? undefined : 'disk-full');
    },
  );

  it('understands the answer of an earlier version', () => {
    const fields = new Map(
      Object.entries({ boot_id: 'b', user: 'root', root: 'yes', kernel: '6.1', free_kib: '1', automatic_reboot: '' }),
    );
    const facts = parseHostFacts({ fields, body: Buffer.alloc(0) }, 'SHA256:abc');
    for (const field of ['clockMs', 'missingPrograms', 'rebootCommand', 'jobsInMemory'])
      expect(facts).not.toHaveProperty(field);
  });
});
