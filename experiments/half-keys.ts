/**
 * What keys and values of 16 bits would cost: attention of one token over those of a layer of Llama 2's shape, which lie in 32 bits
 * and are read in place, or in 16 and are cast in the pass, as the runtime's products on the CPU take 32; in turns.
 *
 *     node --import ./test/register-typescript.mjs experiments/half-keys.ts [--output results]
 */
import { Tensor } from 'onnxruntime-node';
import { median, quantile } from 'simple-statistics';
import { physicalCores } from '../src/engine/cores.js';
import { createSession } from '../src/engine/session.js';
import { elementType, Initializers, Nodes, valueInfo } from '../src/graph/builder.js';
import { productGraph } from '../src/graph/product-graph.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { ofKind, repeated, timeInTurns } from '../src/measurement/pass-timer.js';
import { parseFlags } from './lib/flags.js';
import { SHAPES } from './lib/large-checkpoint.js';
import { writeJson } from './lib/output.js';

const POSITIONS = [512, 2048, 4096];
const PASSES = 8;
const ROUNDS = 20;

const { output } = parseFlags(process.argv.slice(2), {}, { output: 'results' });
const shape = SHAPES.find(({ name }) => name === 'llama-2-7b')!;
const [heads, size] = [shape.kvHeads, shape.hidden / shape.heads];

/** The two products over cached keys and values, which are of this type. */
function attention(type: 'float32' | 'float16'): Uint8Array {
  const nodes = new Nodes('');
  const shared = new Initializers();
  const dims = ['n', heads, 1, size];
  const cast = (name: string) =>
    type === 'float32'
      ? name
      : nodes.add('Cast', `${name}_cast`, [name], { to: { int: elementType.float } });
  const product = { transBatchB: { int: 1 } };
  const scores = nodes.add('FusedMatMul', 'scores', ['q', cast('k')], {
    ...product,
    transB: { int: 1 },
  });
  const weights = nodes.add('Softmax', 'weights', [scores], { axis: { int: -1 } });
  const sum = nodes.add('FusedMatMul', 'sum', [weights, cast('v')], product);
  const cached = type === 'float32' ? elementType.float : elementType.half;
  const inputs = [
    valueInfo('q', elementType.float, [heads, 1, 1, size]),
    ...['k', 'v'].map((name) => valueInfo(name, cached, dims)),
  ];
  return productGraph(nodes, shared, inputs, [sum]);
}

const threads = physicalCores();
const q = new Tensor('float32', new Float32Array(heads * size).fill(0.1), [heads, 1, 1, size]);
const sessions = {
  float32: await createSession(attention('float32'), threads, 'cpu'),
  float16: await createSession(attention('float16'), threads, 'cpu'),
};
const kinds = POSITIONS.flatMap((positions) =>
  (['float32', 'float16'] as const).map((type) => ({ positions, type })),
);
const runs = kinds.map(({ positions, type }) => {
  const count = positions * heads * size;
  const dims = [positions, heads, 1, size];
  // One half in 16 bits.
  const made = () =>
    type === 'float32'
      ? new Tensor(type, new Float32Array(count).fill(0.5), dims)
      : new Tensor(type, new Uint16Array(count).fill(0x3800), dims);
  const feeds = { q, k: made(), v: made() };
  return repeated(() => sessions[type].run(feeds), { passes: PASSES });
});
const times = await timeInTurns(runs, {
  settling: (done) => (done > 1 ? 3 : 0),
  goesOn: (done) => done < ROUNDS,
});
const rows = kinds.map(({ positions, type }, i) => {
  const all = ofKind(times, i);
  const layer_ms = median(all);
  const spread = { layer_ms_p10: quantile(all, 0.1), layer_ms_p90: quantile(all, 0.9) };
  return { positions, type, layer_ms, ...spread, pass_ms: layer_ms * shape.layers };
});
for (const session of Object.values(sessions)) await session.release();
const environment = describeEnvironment({ threads, precision: 'fp32' });
writeJson(output, 'half-keys', { shape: shape.name, layers: shape.layers, rows, environment });
console.table(rows);
