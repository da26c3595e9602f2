/**
 * Peak memory of compiling a generated checkpoint of 307 million parameters (F16) in a process of its own. What the system
 * reports is at least the parent's size when it forked, so this is an upper bound.
 *
 *     node --import ./test/register-typescript.mjs experiments/compile-memory.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import { writeFileAtomic } from '../src/files.js';
import { compileModel } from '../src/graph/compile.js';
import { parameterCount } from '../src/graph/parameters.js';
import { precisions } from '../src/graph/quantise.js';
import { writeMiniature } from '../test/helpers/miniature.js';

const [directory, wanted] = process.argv.slice(2);
if (directory !== undefined) {
  const precision = precisions.find((name) => name === wanted) ?? 'int8';
  await compileModel(openCheckpoint(directory), precision);
  console.log(process.resourceUsage().maxRSS * 1024);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'sspec-compile-'));
  const model = join(folder, 'model');
  const { config } = writeMiniature(model, {
    ...{ layers: 4, hiddenSize: 2048, intermediateSize: 5632, heads: 32, kvHeads: 4, headDim: 64 },
    ...{ vocabSize: 32_000, contextLength: 2048, dtype: 'F16' },
  });
  const rows = precisions.map((precision) => {
    const own = process.argv[1] ?? '';
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
    const peak = execFileSync(process.execPath, [...process.execArgv, own, model, precision], {
      env,
    });
    return { precision, parameters: parameterCount(config), peak_memory_bytes: Number(peak) };
  });
  rmSync(folder, { recursive: true });
  writeFileAtomic('results/compile-memory.json', `${JSON.stringify(rows, null, 2)}\n`);
  console.table(rows);
}
