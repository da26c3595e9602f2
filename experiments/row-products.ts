/**
 * What passes would take if o and down were products of integers, too: lib/row-products.ts has how. The model's own graph and that one
 * in turns, passes of greedy decoding of 1 to 8 tokens. Processors differ: a pass of one token has nine operators a layer more,
 * and passes of several less to do.
 *
 *     node --import ./test/register-typescript.mjs experiments/row-products.ts --model MODEL [--threads 2] [--rounds 50] [--output results]
 *
 * For large pages set GLIBC_TUNABLES as experiments/pass.ts says.
 */
import { rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { median, quantile } from 'simple-statistics';
import { interruptible } from '../src/cli/interrupt.js';
import { physicalCores } from '../src/engine/cores.js';
import { Engine } from '../src/engine/engine.js';
import { loadModel } from '../src/engine/load-model.js';
import { watchOthers } from '../src/measurement/busy.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { ofKind, repeated, timeInTurns } from '../src/measurement/pass-timer.js';
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';
import { withRowProducts } from './lib/row-products.js';

const TOKENS = [1, 2, 3, 4, 6, 8];
const POSITION = 64;
const PASSES = 8;

const numbers = { threads: physicalCores(), rounds: 50 };
const { model, threads, rounds, output } = parseFlags(process.argv.slice(2), numbers, {
  ...{ model: 'demo', output: 'results' },
});
await interruptible(async (signal) => {
  const { engine: blocks } = await loadModel(model, { precision: 'int8', threads });
  const { plainPath, weightsHash } = blocks.model;
  const folder = join(dirname(plainPath), `row-products.${process.pid}.tmp`);
  try {
    const integers = await Engine.load(withRowProducts(blocks.model, folder), { threads });
    const engines = { blocks, integers };
    const kinds = TOKENS.flatMap((tokens) =>
      (['blocks', 'integers'] as const).map((weights) => ({ tokens, weights })),
    );
    const ids = Array.from(
      { length: 2 * POSITION },
      (_, i) => (i * 7919 + 13) % blocks.config.vocabSize,
    );
    const caches = {
      blocks: blocks.createCache(ids.length),
      integers: blocks.createCache(ids.length),
    };
    for (const name of ['blocks', 'integers'] as const)
      await engines[name].prefill(caches[name], ids);
    const othersSince = watchOthers();
    const times = await timeInTurns(
      kinds.map(({ tokens, weights }) => {
        const some = ids.slice(POSITION, POSITION + tokens);
        const pass = () => engines[weights].mostProbable(caches[weights], some, POSITION);
        return repeated(pass, { passes: PASSES });
      }),
      {
        settling: () => 3,
        goesOn(done) {
          signal.throwIfAborted();
          process.stderr.write(`\r${done} of ${rounds} rounds`);
          return done < rounds;
        },
      },
    );
    process.stderr.write('\n');
    const rows = TOKENS.map((tokens) => {
      const of = (weights: string) =>
        ofKind(
          times,
          kinds.findIndex((kind) => kind.tokens === tokens && kind.weights === weights),
        );
      const [now, then] = [of('blocks'), of('integers')];
      return {
        ...{ tokens, blocks_ms: median(now), integers_ms: median(then) },
        ...{ blocks_ms_p10: quantile(now, 0.1), integers_ms_p10: quantile(then, 0.1) },
        integers_over_blocks: median(then) / median(now),
      };
    });
    const environment = {
      ...describeEnvironment({ threads, precision: 'int8', modelHash: weightsHash }),
      others_cpu_share: othersSince(),
    };
    writeJson(output, 'row-products', { model: basename(model), rows, environment });
    console.table(rows);
    await integers.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await blocks.close();
  }
});
