/**
 * Peak memory of compiling a generated checkpoint of 307 million parameters (F16) in a process of its own. What the system
 * reports is at least the parent's size when it forked, so this is an upper bound.
 *
 *     node --import ./test/register-typescript.mjs experiments/compile-memory.ts [--output results]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../src/checkpoint/open-checkpoint.js';
import { compileModel } from '../src/graph/compile.js';
import { parameterCount } from '../src/graph/parameters.js';
import { precisions } from '../src/graph/quantise.js';
import { writeMiniature } from '../test/helpers/miniature.js';
import { writeJson } from './lib/output.js';

const [first, second] = process.argv.slice(2);
const precision = precisions.find((name) => name === first);
if (precision && second !== undefined) {
  await compileModel(openCheckpoint(second), precision);
  console.log(process.resourceUsage().maxRSS * 1024);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'sspec-compile-'));
  const model = join(folder, 'model');
  const { config } = writeMiniature(model, {
    ...{ layers: 4, hiddenSize: 2048, intermediateSize: 5632, heads: 32, kvHeads: 4, headDim: 64 },
    ...{ vocabSize: 32_000, contextLength: 2048, dtype: 'F16' },
  });
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
  const rows = precisions.map((name) => {
    const argv = [...process.execArgv, process.argv[1]!, name, model];
    const peak = execFileSync(process.execPath, argv, { env });
    const parameters = parameterCount(config);
    return { precision: name, parameters, peak_memory_bytes: Number(peak) };
  });
  rmSync(folder, { recursive: true });
  writeJson(first === '--output' ? second! : 'results', 'compile-memory', rows);
  console.table(rows);
}
