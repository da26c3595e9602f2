import { readFileSync, rmSync } from 'node:fs';
import { Tensor } from 'onnxruntime-node';
import type { CompiledModel } from '../graph/compile.js';
import { headRowsGraph, moreWords, ROW_WORDS } from '../graph/small-head.js';
import { matrix, ProductSession } from './product-session.js';
import { writeGraph } from './write-graph.js';

/** What passes of a draft with a small head take of some words: rows of the whole head, [words, hidden], and their bias. */
export interface WordRows {
  readonly rows: Float32Array;
  /** [words]; empty where the head has none. */
  readonly bias: Float32Array;
}

/** The whole head of a model, to look rows of it up. */
export class HeadRows {
  private constructor(
    private readonly hiddenSize: number,
    private readonly session: ProductSession,
  ) {}

  /** Close it after use. */
  static async load(model: CompiledModel, device: string): Promise<HeadRows> {
    const path = writeGraph(model, headRowsGraph(readFileSync(model.path), model.config));
    try {
      const [session] = await ProductSession.load([path], 1, device);
      return new HeadRows(model.config.hiddenSize, session!);
    } finally {
      rmSync(path, { force: true });
    }
  }

  /** The rows of some words, in their order. */
  async lookUp(words: readonly number[]): Promise<WordRows> {
    const ids = BigInt64Array.from(words, BigInt);
    const [rows, bias = new Float32Array(0)] = await this.session.run({
      [ROW_WORDS]: new Tensor('int64', ids, [ids.length]),
    });
    return { rows: rows!, bias };
  }

  /** Inputs of a pass that name words by their rows. */
  feeds({ rows, bias }: WordRows): Record<string, Tensor> {
    return {
      [moreWords.rows]: matrix(rows, this.hiddenSize),
      ...(this.session.outputs > 1 && {
        [moreWords.bias]: new Tensor('float32', bias, [bias.length]),
      }),
    };
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.session.close();
  }
}
