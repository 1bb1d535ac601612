import { defineConfig } from 'vitest/config';

/** Apart from `npm test`: a bug takes some seconds to some minutes to be found. */
export default defineConfig({
  test: { include: ['test/simulation/planted/**/*.test.ts'], maxConcurrency: 2 },
});
