import { defineConfig } from 'vitest/config';
import { LongestFirst } from '../longestFirst.js';

/** Scenarios on a real cluster: one cluster a test file. A file's tests share it and run one after the other. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    globalSetup: ['test/cluster/globalSetup.ts', 'test/cluster/globalSetupOfKubectl.ts'],
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});
