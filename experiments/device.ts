/**
 * Passes on another device beside the CPU's, each mask in a graph of its own: T(1), v(M), the floor of c, whether passes of several
 * tokens give the bits of single ones there, and how far its logits are from the CPU's. Keys and values are JavaScript's (this
 * binding leaves outputs on a device for WebGPU alone), so every pass carries them to the device: what that costs shows in the time
 * of one token behind ever more positions. Where the device is not to be had, one sentence says what is missing.
 *
 *     node --import ./test/register-typescript.mjs experiments/device.ts --device cuda [--model demo] [--name demo]
 *       [--precision fp32] [--seconds 20] [--output results]
 */
import { median } from 'simple-statistics';
import { exitCodeOf } from '../src/cli/main.js';
import { checkDevice } from '../src/engine/device.js';
import type { Engine } from '../src/engine/engine.js';
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
/** Positions before a pass of one token, those of them that the model has; and how often it is timed, after a few that are not. */
const CONTEXTS = [16, 256, 1024, 2048, 4096];
const TIMED = 30;
const SETTLING = 5;

/** Median seconds of a pass of one token behind so many positions, and the bytes of keys and values before it. */
async function oneToken(engine: Engine) {
  const rows = [];
  for (const positions of CONTEXTS.filter((count) => count < engine.config.contextLength)) {
    // What lies before does not change the time: zeros do.
    const cache = engine.createCache(positions + 1);
    const times = [];
    for (let pass = 0; pass < SETTLING + TIMED; pass++) {
      const begin = performance.now();
      await engine.forward(cache, [1], positions, engine.target, 'last');
      times.push((performance.now() - begin) / 1000);
    }
    rows.push({ positions, seconds: median(times.slice(SETTLING)), kv_bytes: cache.bytes });
  }
  return rows;
}

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
    const { exact, passes, different } = await selfCheck(engine);
    const check = { exact, passes, different: different.length };
    return { logits, figures: { device, ...check, one_token: await oneToken(engine), ...speed } };
  } finally {
    await close();
  }
}

async function compareDevices(argv: string[]): Promise<void> {
  const texts = { device: 'cuda', model: 'demo', name: 'demo', precision: 'fp32' };
  const { seconds, ...flags } = parseFlags(argv, { seconds: 20 }, { ...texts, output: 'results' });
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
  const largestLogit = here.logits.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  writeJson(flags.output, `device-${flags.name}`, {
    ...{ model: flags.name, precision, rows },
    ...{ largest_logit: largestLogit, largest_difference_of_logits: largest },
    environment: describeEnvironment({ threads: 0, precision }),
  });
  console.table(
    rows.map(({ verify, one_token, ...row }) => ({
      ...row,
      ...Object.fromEntries(
        one_token.map(({ positions, seconds }) => [`ms at ${positions}`, seconds * 1000]),
      ),
      v8: verify.find(({ tokens }) => tokens === 8)?.v,
    })),
  );
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => compareDevices(argv));
