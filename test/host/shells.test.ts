import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobRequest } from '../../src/host/hostPort.js';
import {
  bootIdProgram,
  checkProgram,
  failedUnitsProgram,
  inspectProgram,
  rebootProgram,
} from '../../src/host/hostPrograms.js';
import { startProgram } from '../../src/host/jobPrograms.js';
import { sharedFunctions } from '../../src/host/remoteProgram.js';
import { scriptDigest } from '../../src/host/scriptDigest.js';
import { waitFor } from '../cluster/waitFor.js';
import { isInstalled } from '../playbook/shippedFiles.js';
import { jobOf, startMachine, whyNoMachines, type Door, type Machine, type Shell } from './machine.js';
import { matching } from './matchers.js';

const shells: readonly Shell[] = ['dash', 'bash', 'busybox'];
const doors: readonly Door[] = ['shell', 'turnus-host'];
const whyNone = whyNoMachines();

describe.each(shells)('a host whose /bin/sh is %s', (shell) => {
  const why = whyNone ?? (isInstalled(shell) ? undefined : `${shell} is not installed`);
  const title = (text: string) => (why === undefined ? text : `${text} (${why})`);
  let machine: Machine;
  let installed = 0;

  beforeAll(async () => {
    if (why === undefined) machine = await startMachine({ shell });
  });
  afterAll(async () => {
    if (why === undefined) await machine.stop();
  });

  /** A job whose script is installed on the host too. */
  async function installedJob(script: string, change: Partial<JobRequest> = {}): Promise<JobRequest> {
    const scriptName = `script-${String((installed += 1))}.sh`;
    await writeFile(join(machine.scripts, scriptName), script, { mode: 0o755 });
    return jobOf(script, { scriptName, ...change });
  }
  const counting = (name: string, rest = '') => `echo once >>${machine.directory}/${name}\n${rest}`;
  const untilCounted = (name: string) =>
    waitFor({ what: name, intervalMs: 10, probe: async () => (await machine.count(name)) > 0 });
  const failureOf = async (answer: Promise<{ fields: ReadonlyMap<string, string> }>) =>
    (await answer).fields.get('failed');
  /** Whoever waits a second waits a hundredth. */
  const hurry = () => machine.install('sleep', 'exec /bin/sleep 0.01');

  it.skipIf(why !== undefined)(title('sends a process group each signal once'), () => {
    // The first way of saying it is let through alone: it reaches the group, or says that it did not.
    const heard = machine.shell(`${sharedFunctions}
kill() { [ -n "$first" ] || { first=yes; command kill "$@"; said=$?; }; }
setsid sleep 60 & group=$!
until [ "$(cut -d ' ' -f 5 "/proc/$group/stat")" = "$group" ]; do sleep 0.01; done
signal_group KILL "$group"
[ "$said" -eq 0 ] && wait "$group"
sleep 0.2
[ -n "$(start_time "$group")" ] && reached=no || reached=yes
[ "$reached" = yes ] || command kill -s KILL "$group"
echo "$said $reached"`);
    expect(heard.trim()).toMatch(/^(0 yes|[1-9]\d* no)$/);
  });

  describe.skipIf(why !== undefined).each(doors)(title('by %s'), (door) => {
    it('says how it is, and reboots once, in the boot that is expected', async () => {
      const bootId = machine.shell('cat boot_id').trim();
      expect((await machine.run(bootIdProgram, door)).fields.get('boot_id')).toBe(bootId);
      expect((await machine.run(failedUnitsProgram, door)).fields.get('systemd')).toBe('no');
      const facts = Object.fromEntries((await machine.run(inspectProgram([]), door)).fields);
      expect(facts).toMatchObject({ boot_id: bootId, root: 'yes', missing_programs: '', free_kib: matching(/^\d+$/) });

      const before = await machine.count('reboots');
      await hurry();
      const other = await machine.run(rebootProgram('another-boot'), door);
      expect(Object.fromEntries(other.fields)).toEqual({ requested: 'no', boot_id: bootId });
      const answer = await machine.run(rebootProgram(bootId), door);
      expect(Object.fromEntries(answer.fields)).toEqual({ requested: 'yes', boot_id: bootId });
      await waitFor({ what: 'the reboot', probe: async () => (await machine.count('reboots')) > before });
      expect(await machine.count('reboots')).toBe(before + 1);
      expect(machine.shell('cat disk/turnus/reboot-requested').trim()).toBe(bootId);
    });

    it('runs a job once, with its environment, and answers with output, result and exit code', async () => {
      const name = `once-${door}`;
      const job = await installedJob(`#!/bin/sh
${counting(name)}echo "$TURNUS_RUN $TURNUS_NODE $TURNUS_STAGE"
umask
echo to stderr >&2
cat "$0"
# ' " \\ $(no) \`no\` %s é 😀 \t
printf 'changed=yes\\nreboot=no\\n' >"$TURNUS_RESULT"
exit 3
# end without newline`);
      expect((await machine.read(job, door)).state).toBe('absent');
      expect((await machine.cancel(job, door)).fields.get('cancelled')).toBe('no');
      const starts = await Promise.all([machine.start(job, door), machine.start(job, door)]);
      expect(starts.map(({ fields }) => fields.get('started')).sort()).toEqual(['no', 'yes']);
      expect(await machine.endOf(job, door)).toMatchObject({
        state: 'exited',
        exitCode: 3,
        result: { changed: 'yes', reboot: 'no' },
        output: `monthly-2026-11 node-1 update\n0022\nto stderr\n${job.script}`,
        scriptDigest: scriptDigest(job.script),
      });
      expect((await machine.start(job, door)).fields.get('started')).toBe('no');
      const other = { ...(await installedJob('exit 8')), runUid: job.runUid };
      expect(await failureOf(machine.start(other, door))).toMatch(
        /was started with another script \(SHA-256 [0-9a-f]{64}\)/,
      );
      expect((await machine.cancel(job, door)).fields.get('cancelled')).toBe('no');
      expect(await machine.count(name)).toBe(1);
    });

    it('ends a job with its process group', async () => {
      const name = `cancel-${door}`;
      const job = await installedJob(`trap 'echo got TERM; exit 9' TERM\n${counting(name, 'sleep 60 & wait')}`);
      await machine.start(job, door);
      await untilCounted(name);
      expect((await machine.cancel(job, door)).fields.get('cancelled')).toBe('yes');
      expect(await machine.endOf(job, door)).toMatchObject({ state: 'exited', exitCode: 9, output: 'got TERM\n' });
    });
  });

  describe.skipIf(why !== undefined)(title('with a job'), () => {
    it('is that shell, with its own programs', () => {
      expect(machine.shell(`cmp /bin/sh "$(command -v ${shell})" && echo same`)).toBe('same\n');
      expect(machine.shell('command -v dd').startsWith(machine.directory)).toBe(shell === 'busybox');
    });

    it('answers with what goes on from one file of its output to the next', async () => {
      const line = 'ein grüner Käfer für 5 € 😀, und noch viele andere Käfer in allen Farben und Größen\n';
      const job = jobOf(`yes '${line.trim()}' | head -n 60000`);
      await machine.start(job);
      const part = await waitFor({
        what: 'its end',
        intervalMs: 50,
        probe: async () =>
          (await machine.readFile(job, 'exit_code')) !== undefined &&
          machine.shell(`cd disk/turnus/jobs/${job.runUid}/node-1.update.1; echo .output.*`).trim(),
      });
      const first = Number(part.replace('.output.', ''));
      const fromByte = first - (first % Buffer.byteLength(line));
      const reading = await machine.read(job, 'shell', fromByte);
      expect(reading).toMatchObject({ state: 'exited', size: 60_000 * Buffer.byteLength(line) });
      expect(reading.state === 'exited' && reading.output.startsWith(line.repeat(500))).toBe(true);
    });

    it('answers where the script has taken its output away, and was ended by a signal', async () => {
      const job = jobOf('rm output\nkill -9 $$');
      await machine.start(job);
      expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 137 });
    });

    it('stops it by force when its time is over, though everybody was asked to end before', async () => {
      await hurry();
      const job = jobOf(`trap '' TERM\n${counting('deaf', 'while :; do /bin/sleep 0.1; done')}`, { timeoutMs: 20_000 });
      await machine.start(job);
      await untilCounted('deaf');
      machine.shell('kill -TERM -1');
      expect(await machine.endOf(job)).toMatchObject({ state: 'timed-out' });
    });

    it('writes its end down when everybody is asked to end', async () => {
      const job = jobOf(`trap 'seq 20000; exit 9' TERM\n${counting('leave', 'while :; do sleep 0.05; done')}`);
      await machine.start(job);
      await untilCounted('leave');
      machine.shell('kill -TERM -1');
      expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 9, output: matching(/\n20000\n$/) });
    });

    it('ends though it leaves something running that holds its output', async () => {
      await hurry();
      const job = jobOf('/bin/sleep 30 &\nseq 20000');
      await machine.start(job);
      expect(await machine.endOf(job)).toMatchObject({ state: 'exited', exitCode: 0, output: matching(/\n20000\n+$/) });
    });

    it('has lost one whose runner was killed, and can end what is left of it', async () => {
      const job = jobOf(counting('orphan', 'exec sleep 60'));
      await machine.start(job);
      await untilCounted('orphan');
      await waitFor({ what: 'its group', intervalMs: 10, probe: () => machine.readFile(job, 'group') });
      machine.shell(`kill -9 ${(await machine.readFile(job, 'pid'))?.split(' ')[0] ?? ''}`);
      expect((await machine.endOf(job)).state).toBe('vanished');
      expect((await machine.cancel(job)).fields.get('cancelled')).toBe('yes');
      const group = (await machine.readFile(job, 'group'))?.split(' ')[0] ?? '';
      expect(machine.shell(`kill -0 ${group} 2>/dev/null || echo gone`)).toBe('gone\n');
    });

    it('has lost one of an earlier boot', async () => {
      const job = jobOf(counting('boots', 'exec sleep 60'));
      const before = machine.shell('cat boot_id').trim();
      await machine.start(job);
      await untilCounted('boots');
      machine.shell('echo another-boot >boot_id');
      expect(await machine.endOf(job)).toMatchObject({
        state: 'vanished',
        startedBootId: before,
        bootId: 'another-boot',
      });
      machine.shell(`echo ${before} >boot_id`);
      expect((await machine.cancel(job)).fields.get('cancelled')).toBe('yes');
    });

    it('never runs one whose start broke before its runner came', async () => {
      const job = jobOf(counting('late'));
      await machine.install('setsid', 'kill -9 $PPID');
      await expect(machine.start(job)).rejects.toThrow('no answer');
      await machine.untilLaunchIsOver(job);
      await machine.install('setsid', 'shift 0; exec /usr/bin/setsid "$@"');
      expect((await machine.read(job)).state).toBe('vanished');
      machine.shell(`/bin/sh disk/turnus/jobs/${job.runUid}/node-1.update.1/runner`);
      expect((await machine.read(job)).state).toBe('vanished');
      expect(await machine.count('late')).toBe(0);
    });

    it('starts none that does not arrive whole', async () => {
      const job = jobOf(counting('cut'));
      const program = startProgram(job);
      const cut = { ...program, input: program.input?.slice(0, -1) ?? '' };
      expect(await failureOf(machine.run(cut))).toBe('the script did not arrive whole');
      expect((await machine.read(job)).state).toBe('absent');
    });

    it('makes room: directories of runs are removed after 100 days, and nothing else', async () => {
      const long = new Date(Date.now() - 102 * 86_400_000);
      for (const name of ['old-run', 'foreign']) {
        const directory = `${machine.layout.baseDirectory}/jobs/${name}`;
        await mkdir(directory, { recursive: true });
        if (name === 'old-run') await writeFile(join(directory, '.turnus-run'), '');
        await utimes(directory, long, long);
      }
      await machine.start(jobOf('true'));
      expect(machine.shell('cd disk/turnus/jobs; ls -d old-run foreign 2>/dev/null || true')).toBe('foreign\n');
    });
  });

  describe.skipIf(why !== undefined)(title('with a command or a key'), () => {
    it('runs a command of a health check', async () => {
      const { body } = await machine.run(checkProgram("echo 'it is'; echo well >&2\n", 5000));
      expect(body.toString()).toBe('it is\nwell\n');
    });

    it('starts only the script of the playbook, that nobody else can change', async () => {
      const job = await installedJob('echo mine');
      const path = join(machine.scripts, job.scriptName);
      const start = () => failureOf(machine.start(job, 'turnus-host'));
      await writeFile(path, 'echo other');
      expect(await start()).toContain('is not the one of the playbook');
      await writeFile(path, job.script);
      await chmod(path, 0o775);
      expect(await start()).toContain('writable by nobody else');
      await rm(path);
      await symlink(join(machine.scripts, 'script-1.sh'), path);
      expect(await start()).toContain('is not installed');
      expect((await machine.read(job, 'turnus-host')).state).toBe('absent');
    });

    it('answers no key that asks for anything else', () => {
      const asked = {
        '/bin/sh -c id': 'can only be used by Turnus',
        'turnus-host 2 boot-id': 'of another version',
        'turnus-host 1 read a ../b 0': 'only plain words',
        'turnus-host 1 read a b 01': 'is no number',
        'turnus-host 1 read a $(touch${IFS}harm) 0': 'only plain words',
        'turnus-host 1 shell': 'does not know shell with 0 words',
      };
      for (const [line, message] of Object.entries(asked)) {
        const answer = machine.shell(`SSH_ORIGINAL_COMMAND='${line}' "$PWD/bin/turnus-host" 2>&1 || true`);
        expect(answer).toContain(message);
      }
    });
  });
});
