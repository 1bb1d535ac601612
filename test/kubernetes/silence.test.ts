import { describe, expect, it } from 'vitest';
import { silenceOf } from '../../src/kubernetes/silence.js';
import { systemClock } from '../../src/systemClock.js';

const never = new AbortController().signal;

async function* spoken(times: number, everyMs: number): AsyncGenerator<Buffer> {
  for (let time = 0; time < times; time += 1) {
    await systemClock.sleep(everyMs, never);
    yield Buffer.from('x');
  }
}

describe('a silence', () => {
  it('ends what says nothing for too long', async () => {
    const silence = silenceOf(systemClock, 30, never);
    await expect.poll(() => silence.signal.aborted).toBe(true);
    silence.clear();
  });

  it('begins anew with what is said, and ends with the outer signal', async () => {
    const outer = new AbortController();
    const silence = silenceOf(systemClock, 1500, outer.signal);
    let heard = 0;
    for await (const chunk of silence.brokenBy(spoken(3, 1010))) heard += chunk.length;
    expect(heard).toBe(3);
    expect(silence.signal.aborted).toBe(false);
    outer.abort();
    expect(silence.signal.aborted).toBe(true);
    silence.clear();
  });
});
