import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { floatToHalf, halfToFloat, halvesToFloats } from '../src/half.js';
import { packageRoot } from '../src/package-root.js';

it('what is committed is what the source compiles to', () => {
  const module = join(packageRoot(), 'kernels/build.mjs');
  const script = `import(${JSON.stringify(module)}).then(async (m) => process.stdout.write(await m.kernelsModule()))`;
  const text = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(text).toBe(readFileSync(join(packageRoot(), 'src/kernels_wasm.ts'), 'utf8'));
});

it('every half is the same float one by one and among many', () => {
  const halves = Uint16Array.from({ length: 1 << 16 }, (_, half) => half);
  const floats = new Float32Array(halves.length);
  halvesToFloats(halves, floats);
  const bytes = new Uint8Array(halves.buffer);
  for (const half of halves) expect(floats[half]).toBe(halfToFloat(bytes, 2 * half));
  expect(floatToHalf(floats[1]!)).toBe(1);
});
