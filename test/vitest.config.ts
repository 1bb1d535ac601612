import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/cluster/**', 'test/simulation/planted/**'],
    testTimeout: 20_000,
    // Many tests wait for real processes more than they compute.
    maxWorkers: 3,
  },
});
