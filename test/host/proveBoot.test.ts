import { describe, expect, test } from 'vitest';
import type { HostFailure } from '../../src/host/hostPort.js';
import { proveBoot } from '../../src/host/proveBoot.js';
import { createJumpingClock } from './jumpingClock.js';
import { createScriptedHost } from './scriptedHost.js';

const signal = new AbortController().signal;
const old = { kind: 'ok', value: 'old' } as const;
const down: HostFailure = { kind: 'unreachable', message: 'node-1 refused the connection.' };
const otherKey: HostFailure = { kind: 'host-key-mismatch', message: 'another key', fingerprint: 'SHA256:x' };

function prove(
  bootId: Parameters<typeof createScriptedHost>[0]['bootId'] & object,
  onWaiting?: (text: string) => void,
) {
  const wait = {
    host: createScriptedHost({ bootId }),
    recordedBootId: 'old',
    clock: createJumpingClock(),
    deadlineMs: 60_000,
  };
  return proveBoot(onWaiting === undefined ? wait : { ...wait, onWaiting }, signal);
}

describe('proveBoot', () => {
  test('waits for the host to go down and to come back with another boot id, and says for what it waits', async () => {
    const waits: string[] = [];
    const proof = await prove([old, old, down, down, otherKey, { kind: 'ok', value: 'new' }], (text) =>
      waits.push(text),
    );
    expect(proof).toEqual({ kind: 'proved', bootId: 'new' });
    expect(waits).toEqual([
      'the host to go down: it still answers from the boot old',
      'the host to come back: node-1 refused the connection.',
      'the host to come back: another key',
    ]);
  });

  test('does not take an answer from the old boot for a new one', async () => {
    expect(await prove([old])).toEqual({ kind: 'same-boot-id', bootId: 'old' });
    expect(await prove([old, down, old])).toEqual({ kind: 'same-boot-id', bootId: 'old' });
  });

  test('asks at once at a sign that the host is back, and by the clock where it was none', async () => {
    const clock = createJumpingClock();
    const sleeps: number[] = [];
    let isCut = false;
    const proof = await proveBoot(
      {
        host: createScriptedHost({ bootId: [old, down, down, { kind: 'ok', value: 'new' }] }),
        recordedBootId: 'old',
        deadlineMs: 60_000,
        clock: {
          ...clock,
          // The second pause ends with the sign alone; the others as on any clock.
          sleep: async (durationMs, over) => {
            sleeps.push(durationMs);
            if (sleeps.length !== 2) await clock.sleep(durationMs, over);
            else
              await new Promise<void>((_, reject) => {
                over.addEventListener('abort', () => {
                  isCut = true;
                  reject(new Error('over'));
                });
              });
          },
        },
        sign: (over) =>
          sleeps.length === 2
            ? Promise.resolve()
            : new Promise<void>((_, reject) => {
                over.addEventListener('abort', () => {
                  reject(new Error('over'));
                });
              }),
      },
      signal,
    );
    expect(proof).toEqual({ kind: 'proved', bootId: 'new' });
    expect({ isCut, sleeps }).toEqual({ isCut: true, sleeps: [1000, 1500, 300] });
  });

  test('gives the last failure of a host that does not come back', async () => {
    expect(await prove([old, down])).toEqual({ kind: 'no-contact', failure: down });
  });
});
