import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobRequest } from '../../src/host/hostPort.js';
import { systemClock } from '../../src/systemClock.js';
import { waitFor } from '../cluster/waitFor.js';
import { jobOf, startMachine, whyNoMachines, type Machine } from './machine.js';
import { containing, matching } from './matchers.js';

const why = whyNoMachines();
let machine: Machine;
let scopes = 0;
/** Stands in the environment of every process of the test's scope, in place of a control group. */
let scope: string;

beforeAll(async () => {
  if (why === undefined) machine = await startMachine({ systemd: true });
});
beforeEach(() => {
  scope = `TURNUS_TEST_SCOPE=${String(process.pid)}-${String((scopes += 1))}`;
});
afterAll(async () => {
  if (why === undefined) await machine.stop();
});

/** What systemd-run does with `--scope`, as systemd-run(1) says: it becomes the command, in the session that it is in. */
const becomesTheCommand = () => `while [ "$1" != -- ]; do shift; done\nshift\nexport ${scope}\nexec "$@"`;

async function installSystemdRun(text: string): Promise<void> {
  await machine.install('systemd-run', text);
}

/** Waits for the file `go` in the machine's directory. */
const awaitGo = () => `until [ -e ${machine.directory}/go-${scope} ]; do sleep 0.02; done`;

async function go(): Promise<void> {
  await writeFile(join(machine.directory, `go-${scope}`), '');
}

function counting(name: string, rest = ''): string {
  return `echo once >>${machine.directory}/${name}\n${rest}`;
}

async function untilCounted(name: string): Promise<void> {
  await waitFor({ what: name, intervalMs: 10, probe: async () => (await machine.count(name)) > 0 });
}

/** Starts a job whose systemd-run waits; who then is the starting shell, and who launches the runner. */
async function startSlowly(job: JobRequest) {
  const ready = join(machine.directory, `ready-${scope}`);
  await installSystemdRun(
    `echo $(ps -o ppid= -p $PPID) $PPID >${ready}.new; mv ${ready}.new ${ready}\n${awaitGo()}\n${becomesTheCommand()}`,
  );
  const start = machine.start(job).catch(() => undefined);
  const shells = await waitFor({ what: 'systemd-run', intervalMs: 10, probe: () => readFile(ready, 'utf8') });
  const [starter = '', launcher = ''] = shells.trim().split(' ');
  const isRecorded = async () => (await machine.readFile(job, 'launcher'))?.startsWith(`${launcher} `);
  await waitFor({ what: 'the launcher', intervalMs: 10, probe: isRecorded });
  return { start, starter, launcher };
}

/** The processes of the test's scope, as this machine names them. */
function processesOfScope(): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      return readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(scope) ? [Number(entry)] : [];
    } catch {
      return []; // it has just ended, or is another user's
    }
  });
}

/** Signals every process of the scope, as `systemctl stop` and `systemctl kill` do. */
function signalScope(signal: NodeJS.Signals): void {
  for (const pid of processesOfScope()) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has just ended
    }
  }
}

describe.skipIf(why !== undefined)(`a job under systemd${why === undefined ? '' : ` (${why})`}`, () => {
  it('runs once, in a scope of its own that a session does not end', async () => {
    await installSystemdRun(`echo "$*" >${machine.directory}/words\n${becomesTheCommand()}`);
    const job = jobOf(counting('scope', 'exit 7'));
    expect((await machine.start(job)).fields.get('started')).toBe('yes');
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 7 });
    expect(await readFile(join(machine.directory, 'words'), 'utf8')).toMatch(
      /^--quiet --scope --collect --slice=system\.slice -- \/bin\/sh \S+\/runner\n$/,
    );
    expect(await machine.count('scope')).toBe(1);
  });

  it.each([
    ['refuses', 'exit 1'],
    ['starts the command and says that it failed', `(while [ "$1" != -- ]; do shift; done; shift; "$@"); exit 1`],
  ])('runs once where systemd-run %s', async (how, text) => {
    await installSystemdRun(text);
    const name = how.replaceAll(' ', '-');
    const job = jobOf(counting(name));
    await machine.start(job);
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 0 });
    await waitFor({ what: 'the end of the launch', probe: () => !machine.shell('ps -eo args').includes('/runner') });
    expect(await machine.count(name)).toBe(1);
  });

  it('is not started outside of a scope that is stopped before its runner came', async () => {
    await installSystemdRun('kill -TERM $$');
    const job = jobOf(counting('stopped'));
    expect((await machine.start(job)).fields.get('failed')).toMatch(/^the job in \S+ was not started: /);
    expect((await machine.read(job)).state).toBe('vanished');
    expect(await machine.count('stopped')).toBe(0);
  });

  it('is running while systemd-run is slow, though the session has ended, and runs once', async () => {
    const job = jobOf(counting('slow'));
    const { starter } = await startSlowly(job);
    machine.shell(`kill -9 ${starter}`);
    expect((await machine.read(job)).state).toBe('running');
    expect((await machine.start(job)).fields.get('started')).toBe('no');
    await go();
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 0 });
    expect(await machine.count('slow')).toBe(1);
  });

  it('has vanished for good where its launch is killed, though systemd-run comes later', async () => {
    const job = jobOf(counting('too-late'));
    const { starter, launcher } = await startSlowly(job);
    machine.shell(`kill -9 ${starter} ${launcher}`);
    expect((await machine.read(job)).state).toBe('vanished');
    await go();
    await waitFor({ what: 'the end of the launch', probe: () => !machine.shell('ps -eo args').includes('/runner') });
    expect((await machine.read(job)).state).toBe('vanished');
    expect(await machine.count('too-late')).toBe(0);
  });

  it('is said not to have started where its launch is killed and the session goes on', async () => {
    const job = jobOf(counting('not-started'));
    const { start, launcher } = await startSlowly(job);
    machine.shell(`kill -9 ${launcher}`);
    expect((await start)?.fields.get('failed')).toMatch(/was not started: its runner found no room, or was killed$/);
    await go();
    await waitFor({ what: 'the end of the launch', probe: () => !machine.shell('ps -eo args').includes('/runner') });
    expect((await machine.read(job)).state).toBe('vanished');
    expect(await machine.count('not-started')).toBe(0);
  });
});

describe.skipIf(why !== undefined)('a job whose scope is stopped', () => {
  beforeEach(async () => {
    await installSystemdRun(becomesTheCommand());
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('by %s has the exit code of a script that it ends', async (signal) => {
    const job = jobOf(counting(signal, 'exec sleep 60'));
    await machine.start(job);
    await untilCounted(signal);
    signalScope(signal);
    const exitCode = signal === 'SIGTERM' ? 143 : 129;
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode });
  });

  it('has the exit code and the last words of a script that takes its leave', async () => {
    const job = jobOf(`trap 'seq 20000; exit 9' TERM\n${counting('leave', 'while :; do sleep 0.02; done')}`);
    await machine.start(job);
    await untilCounted('leave');
    signalScope('SIGTERM');
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 9, output: matching(/\n20000\n$/) });
  });

  it('is still stopped when its time is over, where the script does not listen at first', async () => {
    const script = `trap 'echo not yet; trap - TERM' TERM\n${counting('deaf', 'while :; do sleep 0.02; done')}`;
    const job = jobOf(script, { timeoutMs: 1000 });
    await machine.start(job);
    await untilCounted('deaf');
    signalScope('SIGTERM');
    expect(await machine.endOf(job)).toMatchObject({ state: 'timed-out', output: containing('not yet\n') });
  });

  it('has vanished where everything in it is killed', async () => {
    const job = jobOf(counting('killed', 'exec sleep 60'));
    await machine.start(job);
    await untilCounted('killed');
    await waitFor({ what: 'the runner', probe: () => machine.readFile(job, 'pid') });
    signalScope('SIGKILL');
    expect(await machine.endOf(job)).toMatchObject({ state: 'vanished' });
  });

  it('at any moment has an end, and runs once at most', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), async (afterMs) => {
        const name = `moment-${String((round += 1))}`;
        const job = jobOf(counting(name, 'exec sleep 60'));
        const start = machine.start(job);
        await waitFor({ what: 'the scope', intervalMs: 1, probe: () => processesOfScope().length > 0 });
        await systemClock.sleep(afterMs, new AbortController().signal);
        // As systemd does it: whoever is still there after a while is killed.
        signalScope('SIGTERM');
        await start;
        await systemClock.sleep(100, new AbortController().signal);
        signalScope('SIGKILL');
        const end = await machine.endOf(job);
        expect(end.state === 'exited' ? end.exitCode : end.state).toBeOneOf([143, 'vanished']);
        expect(await machine.count(name)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 8 },
    );
  });
});
