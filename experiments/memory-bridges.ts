/**
 * What a draft would gain from the pass before it: spans of layers, from the first one on or later, with a bridge, and with one that
 * also sees the hidden state which the position before had at the span's end (lib/memory-bridge.ts). Acceptance is of held-out
 * prompts, the maps are fitted to others. Of the first token of a draft that state is the full model's; the second and third token
 * have the draft's own, from one and two maps before. Everything else is the model's own. The maps are fitted here, in double
 * precision, not as the search fits them.
 *
 *     node --import ./test/register-typescript.mjs experiments/memory-bridges.ts [--model demo] [--name demo] [--prompts 24]
 *       [--output results]
 */
import { Tensor } from 'onnxruntime-node';
import { exitCodeOf } from '../src/cli/main.js';
import { argmax } from '../src/decoding/sampling/greedy.js';
import { GREEDY } from '../src/decoding/sampling/options.js';
import type { Engine } from '../src/engine/engine.js';
import { loadModel } from '../src/engine/load-model.js';
import type { EvaluationPrompt } from '../src/evaluation/run.js';
import { bridgeInputs } from '../src/graph/bridge.js';
import { checkpointBridge } from '../src/graph/rotated-bridge.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { bitsToMask } from '../src/profile/mask.js';
import { statePasses } from '../src/search/bridges/passes.js';
import { hiddenStates, stateRows } from '../src/search/bridges/states.js';
import { unitNorm } from '../src/search/bridges/unit-norm.js';
import { chooseHoldout } from '../src/search/holdout.js';
import { makeReference, type Reference } from '../src/search/replay/reference.js';
import { parseFlags } from './lib/flags.js';
import {
  addProduct,
  fitMemoryBridge,
  type MemoryBridge,
  type TextStates,
} from './lib/memory-bridge.js';
import { writeJson } from './lib/output.js';

const CONTINUATION = { maxNewTokens: 64, sampling: GREEDY, coupling: 'gumbel' } as const;
/** Positions that maps are fitted to, at most. */
const FITTED = 8_000;
/** Shares of the layers where spans begin and end. */
const BEGINS = [0, 0.1, 0.2];
const ENDS = [0.4, 0.5, 0.6, 0.75];
/** Tokens of a draft that are looked at. */
const DEPTHS = 3;

/** A text's states before every sublayer, from position `first` on. */
interface Text {
  readonly reference: Reference;
  readonly first: number;
  readonly states: readonly Float32Array[];
}

async function texts(
  engine: Engine,
  prompts: readonly EvaluationPrompt[],
  rows: number,
): Promise<Text[]> {
  const references: Reference[] = [];
  for (const [i, { tokens }] of prompts.entries()) {
    const reference = await makeReference(engine, tokens, CONTINUATION, i);
    if (reference) references.push(reference);
  }
  const passes = statePasses(engine, references, rows);
  const gated = await engine.loadGated();
  const states = await hiddenStates(gated, passes, () => {}).finally(() => gated.close());
  const size = engine.config.hiddenSize;
  let at = 0;
  return references.map((reference, i) => {
    const { count } = passes[i]!;
    const end = reference.position + reference.inputs.count;
    const own = states.map((all) => all.subarray(at * size, (at + count) * size));
    at += count;
    return { reference, first: end - count, states: own };
  });
}

/** Share of places where the draft has the model's token, by its place in a draft. */
async function acceptance(
  engine: Engine,
  gated: Engine,
  held: readonly Text[],
  [from, to]: readonly [number, number],
  map: MemoryBridge,
): Promise<number[]> {
  const { hiddenSize: size, rmsNormEps: eps, layers, vocabSize } = engine.config;
  const bits = Uint8Array.from({ length: 2 * layers }, (_, i) => Number(i >= from && i < to));
  const compiled = { from, to, weight: map.weight, bias: map.bias };
  const gates = gated.gates(bitsToMask(bits), [checkpointBridge(compiled, engine.model)]);
  const right = new Array<number>(DEPTHS).fill(0);
  let places = 0;
  for (const { reference, first, states } of held) {
    const { inputs, position, tokens } = reference;
    const rows = states[0]!.length / size;
    // y of every position but the first, from what the position before it is said to have.
    let before = states[to]!;
    for (let depth = 0; depth < DEPTHS; depth++) {
      const moved = new Float32Array(rows * size);
      for (let row = 1; row < rows; row++) moved.set(map.bias, row * size);
      const past = unitNorm(before.subarray(0, (rows - 1) * size), size, eps);
      addProduct(moved.subarray(size), past, map.memory, size);
      const own = moved.subarray((position - first) * size);
      const bias = new Tensor('float32', own, [inputs.count, size]);
      const feeds = { ...gates.feeds, [bridgeInputs.bias(to - 1)]: bias };
      const logits = await gated.replay(inputs, { ...gates, feeds });
      for (let i = 0; i < inputs.count; i++) {
        if (argmax(logits, i * vocabSize, vocabSize) === tokens[i + 1]) right[depth]!++;
      }
      const a = states[from]!;
      addProduct(moved, unitNorm(a, size, eps), map.weight, size);
      before = moved.map((x, i) => x + a[i]!);
      before.set(states[to]!.subarray(0, size));
    }
    places += inputs.count;
  }
  return right.map((count) => count / places);
}

async function compareBridges(argv: string[]): Promise<void> {
  const named = { model: 'demo', name: 'demo', output: 'results' };
  const flags = parseFlags(argv, { prompts: 24 }, named);
  const model = await loadModel(flags.model);
  const { engine } = model;
  const { layers, hiddenSize, rmsNormEps } = engine.config;
  const split = chooseHoldout(model, undefined, undefined, 0);
  const fitting = [...split.calibration.prompts, ...split.fitting];
  const rows = Math.min(FITTED, stateRows(engine.config));
  const fitted = await texts(engine, fitting, rows);
  const held = await texts(
    engine,
    split.holdout.prompts.slice(0, flags.prompts),
    // All of every text: the state before its first place is needed.
    flags.prompts * engine.config.contextLength,
  );
  const gated = await engine.loadGatedDrafts();
  const spans = BEGINS.flatMap((begin) =>
    ENDS.map((end) => [Math.round(begin * layers), Math.round(end * layers)] as const),
  );
  const points = [];
  for (const [begin, end] of spans) {
    const span = [2 * begin, 2 * end] as const;
    const pairs = fitted.map(
      ({ states }): TextStates => ({ before: states[span[0]]!, after: states[span[1]]! }),
    );
    const shares = [];
    for (const withMemory of [false, true]) {
      const map = fitMemoryBridge(pairs, hiddenSize, rmsNormEps, withMemory);
      shares.push(await acceptance(engine, gated, held, span, map));
    }
    const point = {
      skipped_layers: [begin, end - 1],
      layers_run: layers - (end - begin),
      with_a_bridge: shares[0]![0],
      with_memory: shares[1]!,
    };
    points.push(point);
    console.error(JSON.stringify(point));
  }
  await gated.close();
  await model.close();
  const { precision, weightsHash: modelHash } = engine.model;
  writeJson(flags.output, `memory-bridges-${flags.name}`, {
    ...{ model: flags.name, prompts: held.length, layers, points },
    fitted_positions: fitted.reduce((sum, { states }) => sum + states[0]!.length / hiddenSize, 0),
    environment: describeEnvironment({ threads: engine.threads, precision, modelHash }),
  });
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => compareBridges(argv));
