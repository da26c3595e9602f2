import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { cacheDirectory, writeFileAtomic } from '../files.js';
import { segmentSize } from '../graph/attention.js';
import { Random } from '../random.js';
import { cpuModel } from './cores.js';
import { type Engine, prefillChunk } from './engine.js';
import type { KvCache } from './kv-cache.js';

/** Passes start below this position: in several segments, and at every place of one. */
const comparedPositions = 3 * segmentSize;
const comparedPasses = 128;
/** Where passes as long as a prefill's begin. */
const prefillStarts = [0, 64, 128, 1, 37, 100] as const;
/** Passes of up to this many tokens are compared: the longest draft that a search proposes, with room to spare. */
const longestPass = 17;

const resultSchema = z.object({ passes: z.int(), different: z.array(z.string()) });

/** Whether a pass of M tokens gives the same bits as M passes of one, on this machine. */
export interface SelfCheck {
  /** True when it does: then speculative and autoregressive output are the same, without exception. */
  readonly exact: boolean;
  /** Passes that were compared. */
  readonly passes: number;
  /** Those that differed, as `M tokens at position P`. */
  readonly different: readonly string[];
}

/** Told the passes run so far, and in all; not called when the result is known. */
export type SelfCheckProgress = (done: number, total: number) => void;

/**
 * The promise of identical output rests on kernels whose rows do not depend on the number of rows. This compares
 * passes of 2 to 17 tokens, starting at each place of a segment and with several before, and the
 * prefill's chunks, with one-by-one passes, logits and K/V bit by bit. The result is kept in the cache folder for as
 * long as model, precision, graph version, runtime, thread count and processor are the same.
 */
export async function selfCheck(
  engine: Engine,
  onProgress: SelfCheckProgress = () => {},
): Promise<SelfCheck> {
  const file = join(cacheDirectory(), 'self-check', `${selfCheckKey(engine)}.json`);
  const known = readResult(file);
  const result = known ?? (await comparePasses(engine, onProgress));
  if (!known) keepResult(file, result);
  return { exact: result.different.length === 0, ...result };
}

/** An earlier result; null where there is none, or none that can be read. */
function readResult(file: string): z.infer<typeof resultSchema> | null {
  if (!existsSync(file)) return null;
  try {
    return resultSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Where it cannot be kept, the next run finds out anew. */
function keepResult(file: string, result: z.infer<typeof resultSchema>): void {
  try {
    writeFileAtomic(file, JSON.stringify(result));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

function selfCheckKey(engine: Engine): string {
  const runtime: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');
  const { version } = z.object({ version: z.string() }).parse(runtime);
  const identity = [engine.model.key, version, engine.threads, engine.device, cpuModel()];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
}

async function comparePasses(
  engine: Engine,
  onProgress: SelfCheckProgress,
): Promise<z.infer<typeof resultSchema>> {
  const { contextLength, vocabSize } = engine.config;
  const length = Math.min(comparedPositions + longestPass, contextLength);
  const random = new Random(1);
  const tokens = Array.from({ length }, () => random.integer(vocabSize));
  const cache = engine.createCache(length);
  const wholePasses = prefillStarts.filter((position) => position < length);
  const total = length + wholePasses.length + comparedPasses;
  const alone: string[] = [];
  for (const [position, token] of tokens.entries()) {
    alone.push(digest(await engine.forward(cache, [token], position, engine.target, 'all')));
    onProgress(position + 1, total);
  }
  const rows = cache.digest();

  let passes = 0;
  const different: string[] = [];
  const compare = async (position: number, count: number): Promise<void> => {
    const logits = await engine.forward(
      cache,
      tokens.slice(position, position + count),
      position,
      engine.target,
      'all',
    );
    const same = alone
      .slice(position, position + count)
      .every(
        (expected, i) => expected === digest(logits.subarray(i * vocabSize, (i + 1) * vocabSize)),
      );
    passes++;
    onProgress(length + passes, total);
    if (!same || cache.digest() !== rows) {
      different.push(`${count} tokens at position ${position}`);
      // Back to the rows of one-by-one passes, so that one difference is not counted again and again.
      await restore(engine, cache, tokens, position, count);
    }
  };
  for (const position of wholePasses) {
    await compare(position, Math.min(prefillChunk, length - position));
  }
  for (let i = 0; i < comparedPasses; i++) {
    // Steps of 7 and 37 visit every length and every place of a segment, in ever other pairs.
    const position = (i * 37) % Math.max(1, length - longestPass);
    await compare(position, Math.min(2 + ((i * 7) % (longestPass - 1)), length - position));
  }
  return { passes, different };
}

async function restore(
  engine: Engine,
  cache: KvCache,
  tokens: number[],
  position: number,
  count: number,
) {
  for (let at = position; at < position + count; at++) {
    await engine.forward(cache, [tokens[at]!], at, engine.target, 'last');
  }
}

function digest(values: Float32Array): string {
  return createHash('sha1')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
}
