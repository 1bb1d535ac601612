import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultLeaseDurations } from '../../src/cluster/lease.js';
import { expectEnd } from '../cluster/attempts.js';
import type { Moment } from './moments.js';
import { startScene, type FaultCase, type Scene } from './scene.js';

/** Longest between the end of a lease that nobody renews and the first act of who waits for it. */
const takeOverWithinMs = 5000;

/**
 * For every moment: the actor is killed right after the entry is on the disk, and two new processes are started at once.
 * One takes over within the lease's duration and five seconds, and finishes the turn; the other follows it.
 */
export function killMatrix(
  title: string,
  moments: readonly Moment[],
  { singletons, ...change }: { readonly nodes?: 'all'; readonly singletons?: true } = {},
): void {
  describe(title, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await startScene(singletons === true ? { singletons } : {});
    });
    afterAll(async () => {
      await scene.stop();
    });

    it.each(moments)('$name', async (moment) => {
      const fault = await scene.newCase({ ...change, ...(singletons === true ? { singletons: 'surge' } : {}) });
      await expectKilledAt(fault, moment);
      const died = Date.now();
      const heirs = [await fault.start(), await fault.start()];
      for (const heir of heirs) await expectEnd(heir, 0, 280_000);
      await expectTakenOver(scene, died);
      await fault.expectDone();
    });
  });
}

/** `turnus run ARGS`, killed right after the entry is on the disk: it is the last of the journal. */
export async function expectKilledAt(fault: FaultCase, { texts }: Moment, args: readonly string[] = []): Promise<void> {
  const turnus = await fault.start({ after: { signal: 'SIGKILL', texts }, args });
  expect(await turnus.exited, `${turnus.stdout()}\n${turnus.stderr()}`).toBeUndefined();
  await expectLastEntry(fault, texts);
}

async function expectLastEntry({ journal }: FaultCase, texts: readonly string[]): Promise<void> {
  const last = (await readFile(journal, 'utf8')).trimEnd().split('\n').at(-1);
  for (const text of texts) expect(last).toContain(text);
}

/** A waiting actor counts from its first look at the Lease, by its own clock. */
async function expectTakenOver({ cluster }: Scene, died: number): Promise<void> {
  const since = (await cluster.auditLog()).filter(
    ({ resource, code, time, userAgent }) =>
      resource === 'leases' && code < 300 && time.getTime() > died && userAgent.startsWith('turnus/'),
  );
  const seen = since.find(({ verb }) => verb === 'get' || verb === 'list' || verb === 'watch');
  const taken = since.find(({ verb }) => verb === 'update' || verb === 'patch' || verb === 'create');
  if (seen === undefined || taken === undefined) throw new Error('nobody has taken the lease');
  const waitedMs = taken.time.getTime() - seen.time.getTime();
  expect(waitedMs).toBeLessThan(defaultLeaseDurations.leaseDurationMs + takeOverWithinMs);
}
