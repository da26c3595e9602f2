import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import { roundedToHalf } from '../../../src/engine/draft-weights.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createBridgeFitter } from '../../../src/search/bridges/fit.js';
import { statePasses } from '../../../src/search/bridges/passes.js';
import { hiddenStates } from '../../../src/search/bridges/states.js';
import { makeReference } from '../../../src/search/replay/reference.js';
import { headChoices, rankWords } from '../../../src/search/words.js';
import { loadEngine } from '../../helpers/engine.js';
import { randomTokens } from '../../helpers/logits.js';
import { writeMiniature } from '../../helpers/miniature.js';
import { normals } from '../../helpers/random.js';
import { readWeights } from '../../helpers/read-weights.js';
import { createReference } from '../../helpers/reference.js';
import { rmsNorm } from '../../helpers/reference-math.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const hiddenSize = 32;
const { directory, config } = writeMiniature(temporaryDirectory(), { layers: 2, hiddenSize });
const ridge = 0.01;

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine(directory, 'fp32', 1);
});
afterAll(() => engine.close());

const rowsOf = (states: Float32Array) =>
  Array.from({ length: states.length / hiddenSize }, (_, i) =>
    states.subarray(i * hiddenSize, (i + 1) * hiddenSize),
  );
const normed = (x: Float32Array) =>
  rmsNorm(x, new Float64Array(hiddenSize).fill(1), config.rmsNormEps);
const columnMeans = (rows: readonly ArrayLike<number>[]) =>
  Array.from({ length: hiddenSize }, (_, j) =>
    rows.reduce((sum, row) => sum + row[j]! / rows.length, 0),
  );

/** Ridge regression with an intercept, by Gaussian elimination of the normal equations in float64. */
function plainRidge(before: Float32Array, after: Float32Array) {
  const x = rowsOf(before).map(normed);
  const y = rowsOf(after).map((row, i) => row.map((v, j) => v - rowsOf(before)[i]![j]!));
  const [xMean, yMean] = [columnMeans(x), columnMeans(y)];
  const d = hiddenSize;
  const system = Array.from({ length: d }, (_, i) => {
    const row = new Float64Array(2 * d);
    for (const [n, xs] of x.entries()) {
      const left = xs[i]! - xMean[i]!;
      for (let j = 0; j < d; j++) {
        row[j]! += left * (xs[j]! - xMean[j]!);
        row[d + j]! += left * (y[n]![j]! - yMean[j]!);
      }
    }
    row[i]! += ridge * x.length;
    return row;
  });
  for (let pivot = 0; pivot < d; pivot++) {
    const own = system[pivot]!;
    const scale = own[pivot]!;
    for (let j = 0; j < 2 * d; j++) own[j]! /= scale;
    for (const row of system) {
      if (row === own) continue;
      const factor = row[pivot]!;
      for (let j = 0; j < 2 * d; j++) row[j]! -= factor * own[j]!;
    }
  }
  const weight = system.flatMap((row) => Array.from(row.subarray(d)));
  const bias = yMean.map((mean, j) =>
    xMean.reduce((sum, m, i) => sum - m * weight[i * d + j]!, mean),
  );
  return { weight, bias };
}

/** States such that what two sublayers add is linear in the normed state, and noise. */
function linearStates(rows: number, seed: number): Float32Array[] {
  const before = normals(rows * hiddenSize, seed, 1, 0.3);
  const map = normals(hiddenSize ** 2, 77, 0.2);
  const noise = normals(rows * hiddenSize, seed + 1, 0.05);
  const after = before.slice();
  for (const [n, row] of rowsOf(before).entries()) {
    const x = normed(row);
    for (let j = 0; j < hiddenSize; j++) {
      let sum = 0.5 + noise[n * hiddenSize + j]!;
      for (let i = 0; i < hiddenSize; i++) sum += x[i]! * map[i * hiddenSize + j]!;
      after[n * hiddenSize + j]! += sum;
    }
  }
  return [before, normals(rows * hiddenSize, seed + 2, 1), after];
}

describe('a bridge', () => {
  it('is the ridge regression of a run on the normed state, rounded to half precision', async () => {
    const states = [0, 1, 2, 3].map((seed) =>
      normals(200 * hiddenSize, seed, 1 + seed, 0.2 * seed),
    );
    const fitter = await createBridgeFitter(engine, states);
    for (const run of [
      { from: 0, to: 2 },
      { from: 0, to: 3 },
      { from: 1, to: 2 },
    ]) {
      const bridge = await fitter.fit(run);
      const expected = plainRidge(states[run.from]!, states[run.to]!);
      expect(bridge).toMatchObject(run);
      for (const part of ['weight', 'bias'] as const) {
        expect(bridge[part]).toHaveLength(expected[part].length);
        expect(roundedToHalf(bridge[part])).toEqual(bridge[part]);
        const largest = Math.max(...expected[part].map(Math.abs));
        for (const [i, value] of expected[part].entries())
          expect(Math.abs(bridge[part][i]! - value) / largest).toBeLessThan(1e-3);
      }
      expect(await fitter.fit(run)).toBe(bridge);
    }
    await fitter.close();
  });

  it('foretells states that it was not fitted on, where there is something to foretell', async () => {
    const fitter = await createBridgeFitter(engine, linearStates(400, 10));
    const { weight, bias } = await fitter.fit({ from: 0, to: 2 });
    await fitter.close();
    const [before, , after] = linearStates(100, 20) as [Float32Array, Float32Array, Float32Array];
    let [skipping, bridging] = [0, 0];
    for (const [n, row] of rowsOf(before).entries()) {
      const x = normed(row);
      for (let j = 0; j < hiddenSize; j++) {
        const change = after[n * hiddenSize + j]! - row[j]!;
        let told = bias[j]!;
        for (let i = 0; i < hiddenSize; i++) told += x[i]! * weight[i * hiddenSize + j]!;
        skipping += change ** 2;
        bridging += (change - told) ** 2;
      }
    }
    expect(bridging).toBeLessThan(skipping / 20);
  });
});

describe('hidden states', () => {
  it('are those of the full model before every sublayer, at the ends of the texts', async () => {
    const settings = { maxNewTokens: 12, sampling: GREEDY, coupling: 'gumbel' } as const;
    const prompts = [randomTokens(30, config.vocabSize, 1), randomTokens(70, config.vocabSize, 2)];
    const references = [];
    for (const [i, prompt] of prompts.entries())
      references.push((await makeReference(engine, prompt, settings, i))!);
    const rows = 80;
    const seen: number[] = [];
    const passes = statePasses(engine, references, rows);
    const states = await hiddenStates(engine, passes, (done) => seen.push(done));
    expect(seen).toEqual([1, 2]);
    expect(states).toHaveLength(2 * config.layers + 1);
    const weights = readWeights(directory);
    let at = 0;
    for (const { prompt, tokens } of references) {
      const known = [...prompt, ...tokens.slice(0, -1)];
      const reference = createReference(config, weights);
      // The first position is left out.
      const first = Math.max(1, known.length - rows / 2);
      for (const [position, token] of known.entries()) {
        const expected: Float64Array[] = [];
        reference.step(token, undefined, expected);
        if (position < first) continue;
        for (const [i, state] of states.entries())
          for (let j = 0; j < hiddenSize; j++)
            expect(Math.abs(state[at * hiddenSize + j]! - expected[i]![j]!)).toBeLessThan(2e-3);
        at++;
      }
    }
    expect(states[0]).toHaveLength(at * hiddenSize);
  });
});

describe('words', () => {
  it('rank by how often they come, then by id', () => {
    expect(
      Array.from(
        rankWords(6, [
          [5, 3, 5],
          [3, 5, 1],
        ]),
      ),
    ).toEqual([5, 3, 1, 0, 2, 4]);
  });

  it('make heads of a sixteenth to half of the vocabulary, the most frequent ones, ascending, and the whole', () => {
    const ranking = Int32Array.from({ length: 8192 }, (_, i) => 8191 - i);
    const heads = headChoices(ranking);
    expect(heads.map((head) => head?.length ?? null)).toEqual([1024, 2048, 4096, null]);
    for (const head of heads.slice(0, -1)) {
      expect(head![0]).toBe(8192 - head!.length);
      expect(head).toEqual(head!.slice().sort());
    }
    expect(headChoices(new Int32Array(256))).toEqual([null]);
  });
});
