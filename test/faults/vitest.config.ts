import { defineConfig } from 'vitest/config';

/** Faults on real processes: one cluster a file, one line a case; `-t` plays one case alone. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/cluster/globalSetup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: ['verbose'],
  },
});
