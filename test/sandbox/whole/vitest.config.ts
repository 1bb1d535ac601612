import { defineConfig } from 'vitest/config';
import { LongestFirst } from '../../longestFirst.js';

/** The sandbox as a whole, with the command line on it. Apart from `npm test`: most of it is waiting for pods and boots. */
export default defineConfig({
  test: {
    include: ['test/sandbox/whole/**/*.test.ts'],
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/quickBuild.ts'],
    isolate: false,
    maxWorkers: 3,
    testTimeout: 20_000,
  },
});
