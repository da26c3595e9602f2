/**
 * Passes on another device beside the CPU's, each mask in a graph of its own: T(1), v(M), the floor of c, whether passes of several
 * tokens give the bits of single ones there, and how far its logits are from the CPU's. Keys and values are JavaScript's, so every
 * pass carries them to the device; `kv_bytes` tells how many bytes that are. Where the device is not to be had, one sentence says
 * what is missing.
 *
 *     node --import ./test/register-typescript.mjs experiments/device.ts --device cuda [--model demo] [--precision fp32]
 *       [--seconds 20] [--output results]
 */
import { exitCodeOf } from '../src/cli/main.js';
import { checkDevice } from '../src/engine/device.js';
import { loadModel } from '../src/engine/load-model.js';
import { selfCheck } from '../src/engine/self-check.js';
import { InputError } from '../src/errors.js';
import { type Precision, precisions } from '../src/graph/quantise.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { measurePassSpeed } from '../src/measurement/pass-speed.js';
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';

/** Tokens of the pass whose logits are compared. */
const COMPARED = 16;

async function measure(reference: string, precision: Precision, device: string, seconds: number) {
  const { engine, close } = await loadModel(reference, { precision, device });
  try {
    const speed = await measurePassSpeed(engine, seconds, () => {});
    const tokens = Array.from(
      { length: COMPARED },
      (_, i) => (i * 7919 + 13) % engine.config.vocabSize,
    );
    const cache = engine.createCache(speed.context + COMPARED);
    const logits = await engine.forward(cache, tokens, 0, engine.target, 'all');
    const { exact } = await selfCheck(engine);
    return { logits, figures: { device, exact, kv_bytes: cache.bytes, ...speed } };
  } finally {
    await close();
  }
}

async function compareDevices(argv: string[]): Promise<void> {
  const texts = { device: 'cuda', model: 'demo', precision: 'fp32', output: 'results' };
  const { seconds, ...flags } = parseFlags(argv, { seconds: 20 }, texts);
  const precision = precisions.find((name) => name === flags.precision);
  if (precision === undefined)
    throw new InputError(
      `--precision is "${flags.precision}": give one of ${precisions.join(', ')}.`,
    );
  checkDevice(flags.device);
  const there = await measure(flags.model, precision, flags.device, seconds);
  const here = await measure(flags.model, precision, 'cpu', seconds);
  const largest = here.logits.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - there.logits[i]!)),
    0,
  );
  const rows = [here.figures, there.figures];
  writeJson(flags.output, 'device', {
    ...{ model: flags.model, precision, rows, largest_difference_of_logits: largest },
    environment: describeEnvironment({ threads: 0, precision }),
  });
  console.table(
    rows.map(({ verify, ...row }) => ({
      ...row,
      v8: verify.find(({ tokens }) => tokens === 8)?.v,
    })),
  );
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => compareDevices(argv));
