import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { countPhysicalCores, physicalCores } from '../../src/engine/cores.js';

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
