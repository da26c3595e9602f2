import { defineConfig } from 'vitest/config';

/** Tests that run no model and start no process (test/projects.test.ts holds them to that): they run beside one another. */
const FAST = [
  'test/{architecture,errors,files,json-file,projects,random}.test.ts',
  'test/{datasets,metrics,optimise,profile}/**/*.test.ts',
  'test/checkpoint/*.test.ts',
  'test/checkpoint/{formats,ggml}/*.test.ts',
  'test/decoding/sampling/*.test.ts',
  'test/helpers/!(dequantize).test.ts',
  'test/measurement/!(pass-speed|quality).test.ts',
  'test/reporting/!(evaluation|next-step).test.ts',
  'test/reporting/figures/*.test.ts',
];

const common = {
  globalSetup: 'test/helpers/cache-folder.ts',
  pool: 'forks',
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'fast', include: FAST, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...common,
          name: 'model',
          include: ['test/**/*.test.ts'],
          exclude: FAST,
          // For threads that the code under test starts.
          execArgv: ['--import', './test/register-typescript.mjs'],
          // A native library with threads of its own, on two cores: one file at a time, or timings and memory suffer.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
