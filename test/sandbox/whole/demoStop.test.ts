import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftBehind } from '../leftBehind.js';
import { turnusProcess } from './turnusProcess.js';

describe('turnus demo', { timeout: 60_000 }, () => {
  it('ends with 130 at Ctrl-C in the middle of the run, and leaves only the journal', async () => {
    const demo = await turnusProcess(['demo', '--fast']);
    await demo.says(': Rebooting');
    demo.kill('SIGINT');
    expect(await demo.exited).toBe(130);
    expect(demo.stdout()).toContain('SIGINT: stopping');
    expect(demo.stdout()).toMatch(/What the run did until\s+then is in/);
    const left = await leftBehind(demo.directory);
    expect(left).toEqual([expect.stringMatching(/^turnus-demo-[-\d]+$/)]);
    expect(await readdir(join(demo.directory, left[0] ?? ''))).toEqual(['journal.ndjson']);
  });

  it('ends with 130 at Ctrl-C while it starts, and leaves nothing', async () => {
    const demo = await turnusProcess(['demo', '--fast']);
    await demo.says('This demo makes a cluster');
    demo.kill('SIGINT');
    expect(await demo.exited).toBe(130);
    expect(await leftBehind(demo.directory)).toEqual([]);
  });
});
