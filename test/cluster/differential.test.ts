import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDifferential } from '../honesty/differential/runDifferential.js';
import type { Differential } from '../honesty/differential/runDifferential.js';
import { openRealSide } from '../honesty/realSide.js';
import { openSandboxSide } from '../honesty/sandboxSide.js';

/** One seed alone: DIFFERENTIAL_SEEDS=17; many: DIFFERENTIAL_SEEDS=1-200. */
const seeds = seedsOf(process.env['DIFFERENTIAL_SEEDS'] ?? '1-28');

let differential: Differential;

beforeAll(async () => {
  differential = await openDifferential(openRealSide, openSandboxSide);
});

afterAll(async () => {
  await differential.stop();
});

describe('the sandbox beside the real control plane', () => {
  it('does what the real one does after the same evictions, cordons, losses, scalings and budgets', async () => {
    const differences = await differential.play(seeds);
    expect(differences, 'to see one again: DIFFERENTIAL_SEEDS=<seed>').toEqual([]);
  }, 600_000);

  it('answers the same to the same questions', async () => {
    const [real, sandbox] = await differential.converse();
    expect(sandbox).toEqual(real);
  });
});

function seedsOf(text: string): number[] {
  const [first = 1, last = first] = text.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
