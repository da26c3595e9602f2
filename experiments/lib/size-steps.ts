/**
 * A process that does one step with a large model, so that its memory is that step's alone, and tells what came of it.
 * `sizes.ts` starts it with the step, the model's folder, the precision and a folder for what it writes.
 */
import { statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { type LoadOptions, loadModel } from '../../src/engine/load-model.js';
import { compileModel } from '../../src/graph/compile.js';
import { parameterCount } from '../../src/graph/parameters.js';
import { precisions } from '../../src/graph/quantise.js';
import { measurePassSpeed } from '../../src/measurement/pass-speed.js';
import { searchModel } from '../../src/search/search-model.js';
import { journalStorage } from '../../src/study/journal.js';
import { passBytes } from './pass-bytes.js';
import { processMemory } from './process-memory.js';

const [step = '', model = '', wanted, folder = ''] = process.argv.slice(2);
const precision = precisions.find((name) => name === wanted) ?? 'int8';
const options: LoadOptions = { precision };
/** Positions that are filled where memory is looked at, and tokens that are then decoded one by one. */
const PROMPT = 512;
const DECODED = 8;
const PASS_SECONDS = 30;
const SEARCH = { trials: 4, finalists: 1, promptsPerTrial: 1, maxNewTokens: 8 } as const;
/** Of the search: too few for a profile to be good, enough for every rung to run. */
const PROMPTS = 2;

async function compile() {
  const checkpoint = openCheckpoint(model);
  const begin = performance.now();
  let hashed = begin;
  const { path, config } = await compileModel(checkpoint, precision, {
    onProgress: (what) => {
      if (what === 'hashing') hashed = performance.now();
    },
  });
  const end = performance.now();
  return {
    parameters: parameterCount(config),
    seconds: (end - begin) / 1000,
    hash_seconds: (hashed - begin) / 1000,
    weight_bytes: statSync(join(dirname(path), 'weights.bin')).size,
    peak_memory_bytes: processMemory('most'),
  };
}

/** Loads and decodes; memory is looked at before anything else has a session. */
async function run() {
  const before = processMemory('now');
  const begin = performance.now();
  const { engine } = await loadModel(model, options);
  const load_seconds = (performance.now() - begin) / 1000;
  const tokens = Array.from({ length: PROMPT + DECODED }, (_, i) => (i * 7919 + 13) % 32_000);
  const cache = engine.createCache(tokens.length);
  const prefill = performance.now();
  await engine.prefill(cache, tokens.slice(0, PROMPT));
  const decode = performance.now();
  for (let at = PROMPT; at < tokens.length; at++)
    await engine.forward(cache, tokens.slice(at, at + 1), at, engine.target, 'all');
  const decoded = performance.now();
  const weight_bytes = passBytes(model, precision);
  const memory = {
    weight_bytes,
    kv_bytes: cache.bytes,
    own_bytes: before,
    memory_bytes: processMemory('now'),
    file_bytes: processMemory('files'),
    peak_memory_bytes: processMemory('most'),
  };
  // In case that drafts do not fit into the machine beside it.
  process.send?.(memory);
  const speed = await measurePassSpeed(engine, PASS_SECONDS, () => {});
  const result = {
    load_seconds,
    prefill_tokens_per_second: (1000 * PROMPT) / (decode - prefill),
    decode_tokens_per_second: (1000 * DECODED) / (decoded - decode),
    ...memory,
    memory_over_weights_and_kv: memory.memory_bytes / (weight_bytes + cache.bytes),
    peak_over_weights_and_kv: memory.peak_memory_bytes / (weight_bytes + cache.bytes),
    context: speed.context,
    target_pass_seconds: speed.targetSeconds,
    verify: speed.verify,
    c_floor: speed.cFloor,
    c_without_attention: speed.cWithoutAttention,
    c_without_mlp: speed.cWithoutMlp,
    memory_with_drafts_bytes: processMemory('most'),
  };
  await engine.close();
  return result;
}

async function search() {
  const prompts = (name: string) => {
    const file = join(folder, `${name}.jsonl`);
    const rows = Array.from({ length: PROMPTS }, (_, i) => {
      return `${JSON.stringify({ prompt: `${name} ${i}: one day, a little girl found` })}\n`;
    });
    writeFileSync(file, rows.join(''));
    return file;
  };
  const loaded = await loadModel(model, options);
  /** The most memory up to the end of each stage. */
  const stages: Record<string, number> = { load: processMemory('most') };
  const memory = () => {
    return { peak_memory_bytes: processMemory('most'), peak_memory_bytes_after: { ...stages } };
  };
  const { document } = await searchModel(loaded, {
    ...SEARCH,
    onProgress: ({ stage }) => {
      stages[stage] = processMemory('most');
      // In case that it does not end.
      process.send?.({ ...SEARCH, precision, ...memory() });
    },
    storage: journalStorage(join(folder, 'studies')),
    output: join(folder, 'profile.json'),
    dataset: prompts('calibration'),
    holdout: prompts('heldout'),
  });
  await loaded.close();
  const { trials, wall_seconds, calibration } = document;
  return { ...SEARCH, precision, trials, wall_seconds, calibration, ...memory() };
}

const steps: Readonly<Record<string, () => Promise<object>>> = { compile, run, search };
process.send?.(await steps[step]!());
process.disconnect?.();
