import { defineConfig } from 'vitest/config';
import { LongestFirst } from '../longestFirst.js';

/** Faults on real processes: one cluster a file, one line a case; `-t` plays one case alone. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/cluster/globalSetup.ts'],
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Most of it is waiting for leases to run out.
    maxWorkers: 8,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: ['verbose'],
  },
});
