import { defineConfig } from 'vitest/config';

/* One browser, one test after the other: they share the machine with whatever else it does. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    pool: 'threads',
    poolOptions: { threads: { singleThread: true } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
