import { describe, expect, it } from 'vitest';
import { systemTimeline } from '../../src/sandbox/systemTimeline.js';

describe('the timeline of the machine', () => {
  it('calls in the order of the delays, and not what was taken back', async () => {
    const called: string[] = [];
    await new Promise<void>((resolve) => {
      systemTimeline.after(40, () => {
        called.push('second');
        resolve();
      });
      systemTimeline.after(1, () => called.push('first'));
      const takeBack = systemTimeline.after(5, () => called.push('never'));
      takeBack();
    });
    expect(called).toEqual(['first', 'second']);
  });
});
