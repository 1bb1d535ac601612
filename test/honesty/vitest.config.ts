import { defineConfig } from 'vitest/config';

/** The scenarios of the real control plane on the sandbox. Apart from `npm test`: most of it is waiting for pods and boots. */
export default defineConfig({
  test: {
    include: ['test/honesty/*.test.ts'],
    globalSetup: ['test/quickBuild.ts'],
    isolate: false,
    maxWorkers: 2,
  },
});
