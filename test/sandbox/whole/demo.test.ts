import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftBehind, temporaryDirectory } from '../leftBehind.js';
import { runTurnus } from '../../cli/runTurnus.js';
import { turnusProcess } from './turnusProcess.js';

describe('turnus demo', { timeout: 240_000 }, () => {
  it('tells the whole story, ends with 0 and leaves the journal and nothing else', async () => {
    const output = await temporaryDirectory();
    const demo = await turnusProcess(['demo', '--output', join(output, 'kept')]);
    expect({ exitCode: await demo.exited, stderr: demo.stderr() }).toEqual({ exitCode: 0, stderr: '' });

    const told = demo.stdout();
    expect(told).toContain('blocked: budget-never');
    expect(told).toContain('kubectl -n payments scale deployment ledger --replicas=2');
    expect(told).toContain('6 of 6 done, 0 failed, 0 blocked, 0 left');
    expect(told).toContain('The end is proved');
    expect(await leftBehind(demo.directory)).toEqual([]);

    expect(await readdir(join(output, 'kept'))).toEqual(['journal.ndjson']);
    const verified = await runTurnus(['journal', 'verify', join(output, 'kept', 'journal.ndjson')]);
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('are intact') as string });
  });

  it('does not write into a journal that is there already', async () => {
    const output = await temporaryDirectory();
    await mkdir(join(output, 'kept'));
    await writeFile(join(output, 'kept', 'journal.ndjson'), '');
    const end = await runTurnus(['demo', '--output', join(output, 'kept')]);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('There is a journal already');
  });
});
