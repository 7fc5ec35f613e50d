import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two workers: the suites that load the addon are themselves threaded.
    maxWorkers: 2,
    pool: 'forks',
  },
});
