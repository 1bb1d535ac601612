import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { JobRequest } from '../../src/host/hostPort.js';
import { inspectProgram, rebootProgram } from '../../src/host/hostPrograms.js';
import { waitFor } from '../cluster/waitFor.js';
import { jobOf, startMachine, whyNoMachines, type Machine } from './machine.js';
import { containing } from './matchers.js';

/** What a disk runs out of. */
const rooms = ['blocks', 'inodes'] as const;
type Room = (typeof rooms)[number];

const size = { kib: 400, inodes: 100 };

const why = whyNoMachines();
let machine: Machine;

beforeAll(async () => {
  if (why === undefined) machine = await startMachine({ disk: size });
});
beforeEach(() => {
  if (why === undefined) newDisk();
});
afterAll(async () => {
  if (why === undefined) await machine.stop();
});

const fillers = {
  blocks: 'head -c 1000000 /dev/zero >>filler',
  inodes: 'mkdir filler && number=0 && while true >filler/$number; do number=$((number + 1)); done',
};

/** Fills the disk, but for so many blocks of 4 KiB, or files. */
function fill(room: Room, left = 0): void {
  const release = {
    blocks: `truncate -s -${String(left * 4)}K disk/filler`,
    inodes: `for each in $(seq 0 ${String(left - 1)}); do rm disk/filler/$each; done`,
  };
  machine.shell(`{ (cd disk && ${fillers[room]}); } 2>/dev/null; ${release[room]}`);
}

/** Not the former test's disk emptied: files that its last runner has open would give room only when that ends. */
function newDisk(): void {
  const options = `size=${String(size.kib)}k,nr_inodes=${String(size.inodes)}`;
  machine.shell(`umount -l disk && mount -t tmpfs -o ${options} disk disk && mkdir disk/turnus`);
}

function giveRoom(): void {
  machine.shell('rm -rf disk/filler');
}

/** A script that leaves one line a run in `name`, on another disk. */
function counting(name: string, rest = ''): string {
  return `echo once >>${machine.directory}/${name}\n${rest}`;
}

/** Whoever waits a second waits a hundredth. */
async function hurry(): Promise<void> {
  await machine.install('sleep', 'exec /bin/sleep 0.01');
}

/** The start breaks between marker and launch. */
async function startWithoutRunner(job: JobRequest): Promise<void> {
  await machine.install('setsid', 'kill -9 $PPID');
  await expect(machine.start(job)).rejects.toThrow('no answer');
  await machine.untilLaunchIsOver(job);
}

async function runLateRunner(job: JobRequest): Promise<void> {
  await machine.install('setsid', 'exec /usr/bin/setsid "$@"');
  machine.shell(`/bin/sh ${machine.layout.baseDirectory}/jobs/${job.runUid}/node-1.update.1/runner`);
}

function failure(fields: ReadonlyMap<string, string>): string | undefined {
  return fields.get('failed');
}

describe.skipIf(why !== undefined)(`a job on a disk without room${why === undefined ? '' : ` (${why})`}`, () => {
  it.each(rooms)('is refused, or runs, with whatever number of %s that are free', async (room) => {
    let refused = 0;
    for (let free = 0, ran = 0; ran < 2; free += 1) {
      const job = jobOf(counting(`${room}-${String(free)}`, 'exit 7'));
      newDisk();
      fill(room, free);
      const { fields } = await machine.start(job);
      if (fields.get('started') === 'yes') {
        expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 7 });
        ran += 1;
      } else {
        refused += 1;
        expect(failure(fields)).toMatch(/is the disk full\?|cannot be made$|^nothing can be written in|found no room/);
        giveRoom();
        expect(['absent', 'vanished']).toContain((await machine.read(job)).state);
      }
      giveRoom();
      expect(await machine.count(`${room}-${String(free)}`)).toBe(failure(fields) === undefined ? 1 : 0);
    }
    expect(refused).toBeGreaterThan(5);
  });

  it('that was refused leaves nothing, and is started when there is room', async () => {
    const job = jobOf(counting('refused'));
    fill('blocks');
    expect(failure((await machine.start(job)).fields)).toMatch(
      /^the script cannot be stored in \S+ \(is the disk full\?\)$/,
    );
    expect(machine.shell(`ls -A disk/turnus/jobs/${job.runUid}`)).toBe('.turnus-run\n');
    giveRoom();
    expect((await machine.start(job)).fields.get('started')).toBe('yes');
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 0 });
    expect(await machine.count('refused')).toBe(1);
  });

  it.each(rooms)('that takes all %s ends with its exit code, and is neither started nor ended again', async (room) => {
    const name = `taker-${room}`;
    const job = jobOf(counting(name, `(${fillers[room]}) 2>/dev/null\nseq 50000\nexit 7`));
    await machine.start(job);
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 7 });
    expect((await machine.start(job)).fields.get('started')).toBe('no');
    expect((await machine.cancel(job)).fields.get('cancelled')).toBe('no');
    expect(await machine.count(name)).toBe(1);
  });

  it.each(rooms)(
    'that takes all %s is stopped when its time is over, by force where it does not listen',
    async (room) => {
      await hurry();
      const script = `trap '' TERM\n(${fillers[room]}) 2>/dev/null\nwhile :; do /bin/sleep 0.1; done`;
      const job = jobOf(script, { timeoutMs: 1000 });
      await machine.start(job);
      expect(await machine.endOf(job)).toMatchObject({ state: 'timed-out' });
    },
  );

  it.each(rooms)('that takes all %s can be cancelled', async (room) => {
    const job = jobOf(`(${fillers[room]}) 2>/dev/null\n${counting(`cancelled-${room}`, 'sleep 60')}`);
    await machine.start(job);
    await waitFor({ what: 'a full disk', probe: async () => (await machine.count(`cancelled-${room}`)) === 1 });
    expect((await machine.cancel(job)).fields.get('cancelled')).toBe('yes');
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 143 });
  });

  it('whose end finds no room, because the script took that too, has vanished', async () => {
    // The start itself gives room back at its end, when it replaces the file `launcher`.
    const begin = `until [ -e ${machine.directory}/started ]; do /bin/sleep 0.01; done\nrm exit_code.new`;
    const job = jobOf(`${begin}\n(${fillers.blocks}) 2>/dev/null\nexit 7`);
    await machine.start(job);
    machine.shell('touch started');
    expect(await machine.endOf(job)).toMatchObject({ state: 'vanished' });
  });

  it.each(rooms)(
    'whose start broke is read as vanished without free %s, and never runs when there is room',
    async (room) => {
      const job = jobOf(counting(`late-${room}`));
      await startWithoutRunner(job);
      fill(room);
      expect((await machine.read(job)).state).toBe('vanished');
      giveRoom();
      await runLateRunner(job);
      expect((await machine.read(job)).state).toBe('vanished');
      expect(await machine.count(`late-${room}`)).toBe(0);
    },
  );

  it.each(rooms)('whose start broke is cancelled for good without free %s', async (room) => {
    const job = jobOf(counting(`early-${room}`));
    await startWithoutRunner(job);
    fill(room);
    expect((await machine.cancel(job)).fields.get('cancelled')).toBe('yes');
    giveRoom();
    await runLateRunner(job);
    expect((await machine.read(job)).state).toBe('vanished');
    expect(await machine.count(`early-${room}`)).toBe(0);
  });

  it('whose start broke is not called vanished where a runner cannot be kept away', async () => {
    const job = jobOf(counting('read-only'));
    await startWithoutRunner(job);
    machine.shell('mount --bind disk disk && mount -o remount,bind,ro disk');
    try {
      await expect(machine.read(job)).rejects.toThrow('cannot be kept from getting one: nothing can be written there');
      expect(failure((await machine.cancel(job)).fields)).toMatch(/cannot be cancelled: nothing can be written there$/);
    } finally {
      machine.shell('umount disk');
    }
    expect((await machine.read(job)).state).toBe('vanished');
  });
});

describe.skipIf(why !== undefined)('a disk that loses what is written', () => {
  const lost = "sync: error syncing '/x': Input/output error";

  it('is not trusted with a job, though the rest of it can be synchronised', async () => {
    await machine.install('sync', `[ $# -eq 0 ] || { echo "${lost}" >&2; exit 1; }`);
    const job = jobOf(counting('lost'));
    expect(failure((await machine.start(job)).fields)).toMatch(/^the script cannot be brought to the disk in /);
    expect((await machine.read(job)).state).toBe('absent');
    expect(await machine.count('lost')).toBe(0);
  });

  it('has no runner started where it loses the marker', async () => {
    await machine.install('sync', `case $* in */script*) ;; *) echo "${lost}" >&2; exit 1 ;; esac`);
    const job = jobOf(counting('marker'));
    expect(failure((await machine.start(job)).fields)).toMatch(/^the directory \S+ cannot be brought to the disk$/);
    await runLateRunner(job);
    expect((await machine.read(job)).state).toBe('vanished');
    expect(await machine.count('marker')).toBe(0);
  });

  it('is told apart from a sync that knows no single files', async () => {
    await machine.install('sync', `[ $# -eq 0 ] || { echo "sync: error syncing '/x': Invalid argument" >&2; exit 1; }`);
    const job = jobOf(counting('whole'));
    await machine.start(job);
    expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 0 });
  });
});

describe.skipIf(why !== undefined)('a host whose disk has no room', () => {
  it('is seen as full before anything is asked of it', async () => {
    fill('blocks', 10);
    const { fields } = await machine.run(inspectProgram([]));
    expect(Object.fromEntries(fields)).toMatchObject({ about: 'disk-full', failed: containing('40 KiB are free') });
  });

  it('is seen as full also where only files are too many', async () => {
    machine.shell('mount -t tmpfs -o size=2m,nr_inodes=100 larger disk');
    onTestFinished(() => {
      machine.shell('umount disk');
    });
    fill('inodes', 10);
    const { fields } = await machine.run(inspectProgram([]));
    expect(Object.fromEntries(fields)).toMatchObject({ about: 'disk-full', failed: containing('for 10 more files') });
  });

  it('is not rebooted without a record of it, but without a log', async () => {
    const bootId = machine.shell('cat boot_id').trim();
    await hurry();
    fill('inodes');
    expect(failure((await machine.run(rebootProgram(bootId))).fields)).toMatch(/^nothing can be written in /);
    expect((await machine.run(rebootProgram('another'))).fields.get('requested')).toBe('no');
    giveRoom();
    fill('inodes', 1);
    expect((await machine.run(rebootProgram(bootId))).fields.get('requested')).toBe('yes');
    await waitFor({ what: 'the reboot', probe: async () => (await machine.count('reboots')) === 1 });
  });
});
