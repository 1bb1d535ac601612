import { afterEach, describe, expect, it } from 'vitest';
import { runOf } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { ended, orderOf, untilPut } from './maintenance.js';
import type { Maintenance } from './maintenance.js';

/** A window that closes while a turn is in work, and the next one. */
export function describeWindows(given: () => Maintenance): void {
  afterEach(async () => {
    await given().endAll();
  });

  describe('a window', () => {
    it('that closes lets the turn in work end; the next one has the nodes that are left', async () => {
      const { side, run, playbook } = given();
      const nodes = ['node-1', 'node-2', 'node-3'];
      const second = Math.floor(Date.now() / 1000);
      const [closes, reopens] = [second + 15, second + 40];
      const windowed = await playbook('windowed', {
        nodes,
        commands: untilPut('windowed-go'),
        spec: {
          schedule: {
            timeZone: 'UTC',
            expectedTurn: '2s',
            windows: [
              { from: wallTime(second - 5), duration: '20s' },
              { from: wallTime(reopens), duration: '1h' },
            ],
          },
        },
      });
      const turnus = windowed.start();
      const [first, ...others] = await orderOf(given(), windowed);
      await waitFor({
        what: `the script on ${first}`,
        timeoutMs: 60_000,
        probe: async () => (await windowed.updates(first)) === 1,
      });
      await waitFor({ what: 'the close', timeoutMs: 60_000, probe: () => Date.now() > closes * 1000 });
      for (const node of nodes) await side.hosts.host(node).put('windowed-go');
      const end = await ended(turnus, 5);
      expect(end.stderr).toContain('The 2 nodes that are left are carried over');
      expect(await windowed.phases()).toEqual([`${first} Done`, ...others.map((node) => `${node} Pending`)]);
      const { status } = await runOf(side, 'windowed');
      expect(status.phase).toBe('AwaitingWindow');
      expect(status.waitingFor?.until).toBe(new Date(reopens * 1000).toISOString());
      expect((await windowed.journal()).map(({ type }) => type)).toContain('window.closed');
      for (const node of nodes) {
        const { spec, metadata } = await side.api.get({ kind: 'Node', name: node });
        expect(spec.unschedulable ?? false).toBe(false);
        expect((spec.taints ?? []).filter(({ key }) => key.startsWith('turnus.dev/'))).toEqual([]);
        expect(Object.keys(metadata.annotations ?? {})).not.toContain('turnus.dev/cordoned-by');
      }

      await run(['run', '-f', windowed.path, '--yes', '--wait', '--journal', `${side.directory}/windowed.ndjson`], 0);
      expect(await windowed.phases()).toEqual([first, ...others].map((node) => `${node} Done`));
      for (const node of nodes) expect(await windowed.updates(node)).toBe(1);
      await windowed.expectIntactJournal();
    });
  });
}

/** In UTC. */
function wallTime(second: number): string {
  return new Date(second * 1000).toISOString().slice(0, 19);
}
