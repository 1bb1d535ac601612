import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runSimulation } from './runSimulation.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('In 2,000 random nights with troubles every invariant holds', async () => {
  const { exitCode, output } = await runSimulation(root, ['--nights', '2000']);
  expect(exitCode, output).toBe(0);
  expect(output).toContain('2000 nights');
}, 600_000);
