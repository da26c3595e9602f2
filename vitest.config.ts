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

/** Tests that measure memory, and those whose many processes have a pace of their own: beside others they would measure these. */
const ALONE = [
  'test/bin/large-pages.test.ts',
  'test/engine/memory.test.ts',
  'test/measurement/pass-speed.test.ts',
  'test/search/distributed/distributed.test.ts',
  'test/server/{browser,load}.test.ts',
];

/** For threads that the code under test starts. */
const execArgv = ['--import', './test/register-typescript.mjs'];

const common = {
  globalSetup: 'test/helpers/cache-folder.ts',
  pool: 'forks',
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...{ ...common, name: 'fast', include: FAST },
          ...{ maxWorkers: '100%', sequence: { groupOrder: 0 } },
        },
      },
      {
        test: {
          ...{ ...common, name: 'model', include: ['test/**/*.test.ts'], execArgv },
          exclude: [...FAST, ...ALONE],
          // A native library with threads of its own, and processes that wait for one another: more than two of them are no faster.
          ...{ maxWorkers: 2, sequence: { groupOrder: 1 } },
        },
      },
      {
        test: {
          ...{ ...common, name: 'alone', include: ALONE, execArgv },
          ...{ fileParallelism: false, sequence: { groupOrder: 2 } },
        },
      },
    ],
  },
});
