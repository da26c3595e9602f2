import { availableParallelism, cpus } from 'node:os';
import { expect, test } from 'vitest';
import {
  countPhysicalCores,
  describeEnvironment,
  physicalCores,
} from '../../src/measurement/environment.js';

/** Two packages of two cores with two threads each. */
const CPUINFO = Array.from(
  { length: 8 },
  (_, i) =>
    `processor\t: ${i}\nmodel name\t: X\nphysical id\t: ${i >> 2}\nsiblings\t: 4\ncore id\t\t: ${i & 1}\ncpu cores\t: 2\n`,
).join('\n');

test('physical cores are distinct (package, core) pairs', () => {
  expect(countPhysicalCores(CPUINFO)).toBe(4);
  expect(countPhysicalCores('processor\t: 0\nBogoMIPS\t: 50\n\nprocessor\t: 1\n')).toBeUndefined();
});

test('the default number of threads is one that the process may use', () => {
  expect(physicalCores()).toBeGreaterThanOrEqual(1);
  expect(physicalCores()).toBeLessThanOrEqual(availableParallelism());
});

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
