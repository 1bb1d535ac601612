import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/systemClock.js';
import { directoryWith, goodFiles, runTurnus, type CommandEnd } from './runTurnus.js';

const clock = { ...systemClock, now: () => Date.parse('2026-11-01T12:00:00Z') };

async function ask(argv: readonly string[], schedule: readonly string[]): Promise<CommandEnd> {
  const playbook = [goodFiles['monthly.yaml'].trimEnd(), '  schedule:', ...schedule.map((line) => `    ${line}`), ''];
  const directory = await directoryWith({ ...goodFiles, 'monthly.yaml': playbook.join('\n') });
  return await runTurnus([...argv, '-f', join(directory, 'monthly.yaml')], { clock });
}

const monthly = ['timeZone: Europe/Zurich', 'windows: [{opens: "0 22 * * 2#2", duration: 6h}]'];

describe('turnus schedule', () => {
  it('shows the next twelve windows, or as many as are asked for', async () => {
    const { exitCode, stdout, stderr } = await ask(['schedule'], monthly);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'Schedule of playbook monthly in Europe/Zurich',
      'Now, 2026-11-01 13:00 +01:00: closed until 2026-11-10 22:00 +01:00',
    ]);
    expect(lines.slice(4).map((line) => line.slice(0, 7))).toEqual([
      ...['2026-11', '2026-12', '2027-01', '2027-02', '2027-03', '2027-04'],
      ...['2027-05', '2027-06', '2027-07', '2027-08', '2027-09', '2027-10'],
    ]);
    expect((await ask(['schedule', '--next', '2'], monthly)).stdout.trimEnd().split('\n')).toHaveLength(6);
  });

  it('answers programs', async () => {
    const { stdout } = await ask(['schedule', '-o', 'json', '--next', '3'], monthly);
    const answer = JSON.parse(stdout) as { windows: { run: string; planned: { opens: { utc: string } } }[] };
    expect(answer.windows.map(({ run, planned }) => `${run} ${planned.opens.utc}`)).toEqual([
      '2026-11 2026-11-10T21:00:00Z',
      '2026-12 2026-12-08T21:00:00Z',
      '2027-01 2027-01-12T21:00:00Z',
    ]);
  });

  it.each(['0', '-1', 'all', '1.5', '10000'])('refuses to show %s windows', async (count) => {
    expect(await ask(['schedule', '--next', count], monthly)).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('refuses an invalid playbook with its mistakes', async () => {
    const { exitCode, stdout, stderr } = await ask(['schedule'], ['windows: [{opens: "0 22 30 2 *", duration: 6h}]']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('monthly.yaml:10:23 spec.schedule.windows[0].opens: expected a cron expression');
  });
});

describe('turnus validate', () => {
  it('warns of a schedule that cannot give the coverage, and of freezes over all windows', async () => {
    const short = await ask(['validate'], [...monthly, 'coverage: 30d']);
    expect(short.exitCode).toBe(0);
    expect(short.stderr).toContain('warning: ');
    expect(short.stderr).toContain(
      'monthly.yaml:12:15 spec.schedule.coverage: coverage-unattainable: A node that is first on 2026-12-08 22:00 and last on 2027-01-13 04:00 waits 35 d 6 h, longer than the coverage of 30 d',
    );
    const frozen = await ask(
      ['validate'],
      [...monthly, 'freezes: [{name: Merger, from: 2026-01-01, until: 2028-12-31}]'],
    );
    expect(frozen.exitCode).toBe(0);
    expect(frozen.stderr).toContain(
      'monthly.yaml:12:5 spec.schedule.freezes: all 12 windows of the coming year are frozen, by Merger',
    );
  });
});
