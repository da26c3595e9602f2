import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/decoding/sampling/options.js';
import { roundedToHalf } from '../../../src/engine/draft-weights.js';
import type { Engine } from '../../../src/engine/engine.js';
import { Rotation } from '../../../src/graph/rotation.js';
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
let rotated: Engine;
beforeAll(async () => {
  engine = await loadEngine(directory, 'fp32', 1);
  rotated = await loadEngine(directory, 'int8', 1);
});
afterAll(async () => {
  await engine.close();
  await rotated.close();
});

const rowsOf = (states: Float32Array) =>
  Array.from({ length: states.length / hiddenSize }, (_, i) =>
    states.subarray(i * hiddenSize, (i + 1) * hiddenSize),
  );
const normed = (x: Float32Array) =>
  rmsNorm(x, new Float64Array(hiddenSize).fill(1), config.rmsNormEps);
const columnMeans = (rows: readonly ArrayLike<number>[]) =>
  Array.from(rows[0]!, (_, j) => rows.reduce((sum, row) => sum + row[j]! / rows.length, 0));

/** Ridge regression with an intercept, by Gaussian elimination of the normal equations in float64. */
function plainRidge(x: readonly ArrayLike<number>[], y: readonly ArrayLike<number>[]) {
  const [xMean, yMean] = [columnMeans(x), columnMeans(y)];
  const [inputs, outputs] = [xMean.length, yMean.length];
  const system = Array.from({ length: inputs }, (_, i) => {
    const row = new Float64Array(inputs + outputs);
    for (const [n, xs] of x.entries()) {
      const left = xs[i]! - xMean[i]!;
      for (let j = 0; j < inputs; j++) row[j]! += left * (xs[j]! - xMean[j]!);
      for (let j = 0; j < outputs; j++) row[inputs + j]! += left * (y[n]![j]! - yMean[j]!);
    }
    row[i]! += ridge * x.length;
    return row;
  });
  for (let pivot = 0; pivot < inputs; pivot++) {
    const own = system[pivot]!;
    const scale = own[pivot]!;
    for (let j = 0; j < own.length; j++) own[j]! /= scale;
    for (const row of system) {
      if (row === own) continue;
      const factor = row[pivot]!;
      for (let j = 0; j < row.length; j++) row[j]! -= factor * own[j]!;
    }
  }
  const map = system.flatMap((row) => Array.from(row.subarray(inputs)));
  const bias = yMean.map((mean, j) =>
    xMean.reduce((sum, m, i) => sum - m * map[i * outputs + j]!, mean),
  );
  return { map, bias };
}

/** What a bridge is fitted to, by the definition: every position but the first of each text, and the one before it. */
function examples(before: Float32Array, after: Float32Array, lengths: readonly number[]) {
  const [a, b] = [rowsOf(before), rowsOf(after)];
  const [own, past, change]: number[][][] = [[], [], []];
  let first = 0;
  for (const length of lengths) {
    for (let n = first + 1; n < first + length; n++) {
      own!.push(Array.from(normed(a[n]!)));
      past!.push(Array.from(normed(b[n - 1]!)));
      change!.push(Array.from(b[n]!, (value, j) => value - a[n]![j]!));
    }
    first += length;
  }
  return { own: own!, past: past!, change: change! };
}

/** Texts, one of them too short for anything. */
const lengths = [90, 1, 60, 49];
const texts = lengths.map((count) => ({ count }));

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
  const states = [0, 1, 2, 3].map((seed) => normals(200 * hiddenSize, seed, 1 + seed, 0.2 * seed));
  const runs = [
    { from: 0, to: 2 },
    { from: 0, to: 3 },
    { from: 1, to: 2 },
  ];

  it.each(['checkpoint', 'rotated'] as const)(
    'is the ridge regression of a run on the normed state and the memory, rounded to half precision, of %s states',
    async (form) => {
      const compiled = states.map((state) => state.slice());
      if (form === 'rotated') for (const state of compiled) new Rotation(hiddenSize).rows(state);
      const fitter = await createBridgeFitter(
        form === 'rotated' ? rotated : engine,
        compiled,
        texts,
      );
      for (const run of runs) {
        const { own, past, change } = examples(states[run.from]!, states[run.to]!, lengths);
        for (const memory of [false, true]) {
          const bridge = await fitter.fit(run, { memory });
          const { map, bias } = plainRidge(
            memory ? own.map((row, n) => [...row, ...past[n]!]) : own,
            change,
          );
          const expected = {
            ...{ weight: map.slice(0, hiddenSize ** 2), bias },
            ...(memory && { memory: map.slice(hiddenSize ** 2) }),
          };
          const { from, to, ...parts } = bridge;
          expect({ from, to }).toEqual(run);
          expect(Object.keys(parts).sort()).toEqual(Object.keys(expected).sort());
          for (const [part, values] of Object.entries(expected)) {
            const fitted = bridge[part as keyof typeof expected]!;
            expect(fitted).toHaveLength(values.length);
            expect(roundedToHalf(fitted)).toEqual(fitted);
            const largest = Math.max(...values.map(Math.abs));
            for (const [i, value] of values.entries())
              expect(Math.abs(fitted[i]! - value) / largest).toBeLessThan(1e-3);
          }
          expect(await fitter.fit(run, { memory })).toBe(bridge);
        }
      }
      await fitter.close();
    },
  );

  it('needs a position that has one before it', async () => {
    const alone = states.map((state) => state.subarray(0, 2 * hiddenSize));
    await expect(createBridgeFitter(engine, alone, [{ count: 1 }, { count: 1 }])).rejects.toThrow(
      'too short',
    );
  });

  it('foretells states that it was not fitted on, where there is something to foretell', async () => {
    const fitter = await createBridgeFitter(engine, linearStates(400, 10), [{ count: 400 }]);
    const { weight, bias } = await fitter.fit({ from: 0, to: 2 }, { memory: false });
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
    const gated = await engine.loadGated();
    const states = await hiddenStates(gated, passes, (done) => seen.push(done)).finally(() =>
      gated.close(),
    );
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
