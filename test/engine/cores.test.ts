import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { countPhysicalCores, hasVnni, physicalCores, vectorUnits } from '../../src/engine/cores.js';

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

test('VNNI is told by its flags, whole ones', () => {
  expect(hasVnni('processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni sse\n')).toBe(true);
  expect(hasVnni('flags\t\t: fpu avx_vnni\n')).toBe(true);
  expect(hasVnni('flags\t\t: fpu avx2 avx512f\nmodel name\t: avx512_vnni\n')).toBe(false);
  expect(hasVnni('flags\t\t: fpu avx_vnni_int8\n')).toBe(false);
});

test('what multiplies integers is told beside the name', () => {
  const units = (flags: string) => vectorUnits(`model name\t: X avx2\nflags\t\t: ${flags}\n`);
  expect(units('fpu avx avx2 avx512f avx512_vnni')).toEqual(['AVX-512', 'VNNI']);
  expect(units('fpu avx avx2 avx_vnni')).toEqual(['AVX2', 'VNNI']);
  expect(units('avx2 avx512f avx512_vnni amx_tile amx_int8')).toEqual(['AVX-512', 'VNNI', 'AMX']);
  expect(units('fpu avx2')).toEqual(['AVX2']);
  expect(units('fpu sse2')).toEqual([]);
  expect(vectorUnits('Features\t: fp asimd\n')).toEqual([]);
});
