import { defineConfig } from 'vitest/config';
import { LongestFirst } from '../longestFirst.js';

const rights = 'test/cluster/rights/rights.test.ts';

/**
 * Scenarios on a real cluster: one cluster a test file. A file's tests share it and run one after the other. When all have
 * ended, `rights` compares what they asked of their API servers with the roles that are shipped.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'scenarios',
          include: ['test/cluster/**/*.test.ts'],
          exclude: [rights],
          globalSetup: [
            'test/cluster/globalSetup.ts',
            'test/cluster/globalSetupOfKubectl.ts',
            'test/cluster/rights/asked.ts',
          ],
        },
      },
      { extends: true, test: { name: 'rights', include: [rights], sequence: { groupOrder: 1 } } },
    ],
  },
});
