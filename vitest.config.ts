import { defineConfig } from 'vitest/config';

// Two cores and a native library with its own threads: one test file at a time, or timings and memory suffer.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/cache-folder.ts'],
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
