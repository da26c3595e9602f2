import { cpus } from 'node:os';
import { expect, test } from 'vitest';
import { describeEnvironment } from '../../src/measurement/environment.js';

test('an environment names machine, versions and run', () => {
  const environment = describeEnvironment({ threads: 3, precision: 'int8', modelHash: 'abc' });
  expect(environment).toMatchObject({
    logical_cores: cpus().length,
    node: process.versions.node,
    onnxruntime: expect.stringMatching(/^1\.\d+\.\d+/),
    sspec: expect.stringMatching(/^\d+\.\d+\.\d+/),
    threads: 3,
    precision: 'int8',
    model_hash: 'abc',
  });
  expect(environment.memory_bytes).toBeGreaterThan(2 ** 28);
  expect(environment.load_average).toHaveLength(3);
  expect(Date.now() - Date.parse(environment.time)).toBeLessThan(60_000);
  expect(describeEnvironment({ threads: 1, precision: 'fp32' })).not.toHaveProperty('model_hash');
});
