import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { argmax } from '../../src/decoding/sampling/greedy.js';
import { Engine } from '../../src/engine/engine.js';
import type { Gates } from '../../src/engine/gates.js';
import type { KvCache } from '../../src/engine/kv-cache.js';
import type { GraphForm } from '../../src/engine/load-session.js';
import { compileModel } from '../../src/graph/compile.js';
import type { Precision } from '../../src/graph/quantise.js';
import { type MiniatureOptions, writeMiniature } from './miniature.js';
import { temporaryDirectory } from './temporary.js';

/** Third-party material beside the repository; tests that use it skip where it is absent. */
export const shared = fileURLToPath(new URL('../../../shared', import.meta.url));
export const hasShared = existsSync(join(shared, 'models'));

/** The bundled model's folder. */
export const demo = fileURLToPath(new URL('../../models/demo', import.meta.url));

/** Compiles (once) and loads a checkpoint folder. */
export async function loadEngine(
  directory: string,
  precision: Precision,
  threads = 2,
  form: GraphForm = 'plain',
): Promise<Engine> {
  return Engine.load(await compileModel(openCheckpoint(directory), precision), { threads, form });
}

/** A generated miniature, loaded: on one thread, since its products are too short for two to be faster. */
export async function loadMiniature(
  options: MiniatureOptions,
  precision: Precision,
  threads = 1,
  form: GraphForm = 'plain',
): Promise<Engine> {
  const directory = temporaryDirectory();
  writeMiniature(directory, options);
  return loadEngine(directory, precision, threads, form);
}

/** A pass as tests see it. */
export interface Pass {
  readonly engine: Engine;
  readonly cache: KvCache;
  readonly tokens: ArrayLike<number>;
  readonly position: number;
  readonly gates: Gates;
  readonly wanted: 'all' | 'last';
}

/**
 * Runs `around` in place of every pass of an engine (or, with the prototype, of all engines) until the returned function is called.
 * Passes of which only the most probable tokens are wanted are run with logits, too.
 * @param around is given the pass, and what runs it as it is.
 */
export function aroundPasses(
  engine: Engine,
  around: (pass: Pass, run: () => Promise<Float32Array>) => Promise<Float32Array>,
): () => void {
  const own = (['forward', 'mostProbable'] as const).map(
    (name) => [name, Object.getOwnPropertyDescriptor(engine, name)] as const,
  );
  const { forward } = engine;
  engine.forward = function (this: Engine, cache, tokens, position, gates, wanted) {
    const pass = { engine: this, cache, tokens, position, gates, wanted };
    return around(pass, () => forward.call(this, cache, tokens, position, gates, wanted));
  };
  engine.mostProbable = async function (this: Engine, cache, tokens, position) {
    const logits = await this.forward(cache, tokens, position, this.target, 'all');
    return mostProbableOf(logits, this.config.vocabSize);
  };
  return () => {
    for (const [name, descriptor] of own)
      if (descriptor) Object.defineProperty(engine, name, descriptor);
      else Reflect.deleteProperty(engine, name);
  };
}

/** The most probable token of each row of logits. */
export function mostProbableOf(logits: Float32Array, vocabulary: number): Int32Array {
  return Int32Array.from({ length: logits.length / vocabulary }, (_, row) =>
    argmax(logits, row * vocabulary, vocabulary),
  );
}
