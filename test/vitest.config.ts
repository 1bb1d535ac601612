import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longestFirst.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/cluster/**', 'test/faults/**', 'test/sandbox/whole/**', 'test/simulation/planted/**'],
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    // No module has a state of its own, so that each need be loaded only once.
    isolate: false,
    // Many tests wait for real processes more than they compute.
    maxWorkers: 3,
  },
});
