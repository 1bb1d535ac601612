import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const directory = fileURLToPath(new URL('../../deploy/systemd', import.meta.url));
const ways = ['serve', 'run'] as const;

type Unit = Map<string, string[]>;

/** The values of a unit's settings, as `Section.Setting`; an empty value stands there as such. */
async function unitOf(path: string): Promise<Unit> {
  const unit: Unit = new Map();
  let section = '';
  for (const line of (await readFile(join(directory, path), 'utf8')).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[(\w+)\]$/.exec(line);
    const setting = /^(\w+)=(.*)$/.exec(line);
    if (header !== null) section = header[1] ?? '';
    else if (setting !== null) {
      const name = `${section}.${setting[1] ?? ''}`;
      unit.set(name, [...(unit.get(name) ?? []), setting[2] ?? '']);
    } else throw new Error(`${path}: ${line}`);
  }
  return unit;
}

/** The sandboxing and credentials of a service: what both ways must have. */
function guards(unit: Unit): [string, string[]][] {
  const named = /^Service\.(Type|Exec|Restart|SuccessExitStatus|Timeout|KillMode)/;
  return [...unit].filter(([name]) => name.startsWith('Service.') && !named.test(name));
}

describe('the units', () => {
  it('guard the daemon and the single call in the same way', async () => {
    const [serve, run] = [await unitOf('serve/turnus.service'), await unitOf('run/turnus.service')];
    expect(guards(serve).length).toBeGreaterThan(25);
    expect(guards(serve)).toEqual(guards(run));
    expect(Object.fromEntries(guards(serve))).toMatchObject({
      'Service.DynamicUser': ['yes'],
      'Service.NoNewPrivileges': ['yes'],
      'Service.CapabilityBoundingSet': [''],
      'Service.ProtectSystem': ['strict'],
      'Service.StateDirectory': ['turnus'],
      'Service.UMask': ['0077'],
    });
    // Node.js compiles while it runs, and would not start.
    expect(serve.has('Service.MemoryDenyWriteExecute')).toBe(false);
  });

  it('name in their commands only credentials that they load', async () => {
    for (const way of ways) {
      const unit = await unitOf(`${way}/turnus.service`);
      const loaded = (unit.get('Service.LoadCredential') ?? []).map((credential) => credential.split(':')[0]);
      const [command = ''] = unit.get('Service.ExecStart') ?? [];
      const named = [...command.matchAll(/%d\/(\S+)/g)].map(([, name]) => name);
      expect(named).toEqual(['kubeconfig']);
      expect(loaded).toEqual(expect.arrayContaining([...named, 'ssh-key']));
      expect(command).toMatch(new RegExp(`^/usr/local/bin/turnus ${way} `));
    }
  });

  it('take exit code 5 of a single call, outside of the window, for no failure', async () => {
    const run = await unitOf('run/turnus.service');
    expect(run.get('Service.SuccessExitStatus')).toEqual(['5']);
    expect(run.get('Service.Type')).toEqual(['oneshot']);
    expect((await unitOf('run/turnus.timer')).get('Timer.OnCalendar')).toEqual(['hourly']);
  });

  it.skipIf(!hasSystemd())('are what systemd understands, and confined by its own count', async () => {
    for (const way of ways) {
      const copy = await mkdtemp(join(tmpdir(), 'turnus-units-'));
      onTestFinished(() => rm(copy, { recursive: true }));
      for (const name of await readdir(join(directory, way))) {
        const text = await readFile(join(directory, way, name), 'utf8');
        // The program need not be installed here.
        await writeFile(join(copy, name), text.replace('/usr/local/bin/turnus', process.execPath));
      }
      const units = (await readdir(copy)).map((name) => join(copy, name));
      expect(await analyze(['verify', '--man=no', ...units])).toEqual({ stdout: '', stderr: '' });
      const service = join(copy, 'turnus.service');
      // It ends with a failure where the exposure, in tenths of 0 to 10, is above the threshold.
      await analyze(['security', '--offline=true', '--threshold=15', service]);
      await expect(analyze(['security', '--offline=true', '--threshold=5', service])).rejects.toThrow();
    }
  });
});

async function analyze(args: string[]): Promise<{ stdout: string; stderr: string }> {
  return await promisify(execFile)('systemd-analyze', ['--no-pager', ...args]);
}

function hasSystemd(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
