import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { createSession } from '../../src/engine/session.js';
import { elementType, Initializers, Nodes, valueInfo } from '../../src/graph/builder.js';
import { addLinear } from '../../src/graph/linear.js';
import { GraphProtoSchema, ModelProtoSchema } from '../../src/graph/onnx_pb.js';
import { WeightFile } from '../../src/graph/weight-file.js';

const columns = 1024;
const block = 64;

/**
 * One product of a vector with a matrix that has as many bytes as a model's weights: what reading them once takes at best, with the
 * kernels that passes run.
 */
export async function readBound(
  bytes: number,
  threads: number,
): Promise<{ run: () => Promise<InferenceSession.OnnxValueMapType>; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sspec-read-bound-'));
  const rowBytes = columns + (4 * columns) / block;
  const rows = 16 * Math.round(bytes / rowBytes / 16);
  try {
    const file = new WeightFile(join(folder, 'weights.bin'));
    const packed = file.tensor(randomFillSync(new Uint8Array(rows * columns)));
    const scales = file.tensor(new Float32Array((rows * columns) / block).fill(0.01));
    file.close();
    const shared = new Initializers();
    const nodes = new Nodes('');
    const common = { name: 'weights', rows, columns, bias: null, offsets: null };
    const stored = { ...common, form: 'blocks', precision: 'int8', block, packed, scales } as const;
    const product = addLinear(nodes, shared, stored, 'x', 'product');
    const axes = shared.int64('axes', [1]);
    const largest = nodes.add('ReduceMax', 'largest', [product, axes]);
    const graph = create(GraphProtoSchema, {
      name: 'read-bound',
      node: nodes.list,
      initializer: shared.list,
      input: [valueInfo('x', elementType.float, [1, columns])],
      output: [valueInfo(largest, elementType.float, [1, 1])],
    });
    const opsetImport = [
      { domain: '', version: 18n },
      { domain: 'com.microsoft', version: 1n },
    ];
    const path = join(folder, 'model.onnx');
    const model = create(ModelProtoSchema, { irVersion: 10n, opsetImport, graph });
    writeFileSync(path, toBinary(ModelProtoSchema, model));
    const session = await createSession(path, threads, 'cpu');
    const x = new Tensor('float32', new Float32Array(columns).fill(0.5), [1, columns]);
    return { run: () => session.run({ x }), close: () => session.release() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
