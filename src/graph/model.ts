import { create, toBinary } from '@bufbuild/protobuf';
import type { ModelConfig } from '../checkpoint/model-config.js';
import {
  addAttention,
  attentionInputs,
  keyParts,
  pastName,
  type StoredAttention,
  tailName,
  valueParts,
} from './attention.js';
import {
  type ExternalRange,
  elementType,
  emptyFloat,
  Initializers,
  Nodes,
  valueInfo,
} from './builder.js';
import { addLinear, addRows, type StoredLinear } from './linear.js';
import { addMlp, type StoredMlp } from './mlp.js';
import { GraphProtoSchema, ModelProtoSchema } from './onnx_pb.js';
import { fuseResidualNorms, noUpdate } from './residual-norm.js';

/** Where every weight of a model lies in the external data. */
export interface StoredModel {
  readonly embedding: StoredLinear;
  readonly layers: readonly { readonly attention: StoredAttention; readonly mlp: StoredMlp }[];
  readonly finalNorm: Float32Array;
  readonly head: StoredLinear;
  readonly ropeTable: {
    readonly rows: number;
    readonly cos: ExternalRange;
    readonly sin: ExternalRange;
  };
}

/**
 * Builds the gated graph: one `If` per sublayer on an element of the input `run`, so that one session and one copy of
 * the weights serve the full model and every draft.
 *
 * Inputs (S new tokens, L layers; the others as in attention.ts): `token_ids` [S] int64; `rotary_positions`
 * [S, H + 2 KV] int64; `attention_bias`; `score_padding` [KV, e, R, padding], zeros; `column_counts` [3] int64 = (P, t + S,
 * padding); `logit_rows` [Q] int64, the tokens whose logits are wanted; `run` [2 L] bool (2 l: attention of layer l, 2 l + 1:
 * its MLP); `past_k.l`, `past_v.l`, `tail_v.l`.
 * Outputs: `logits` [Q, vocabulary]; `new_kv` [2 S * attention sublayers that ran, KV, D]: k then v of each layer.
 *
 * @param gated false leaves the gates out, for decoding that skips nothing: a gate costs 5 to 10 microseconds.
 */
export function buildModel(config: ModelConfig, stored: StoredModel, gated: boolean): Uint8Array {
  const { layers, kvHeads: KV, headDim: D, heads: H, rmsNormEps } = config;
  const shared = new Initializers();
  const nodes = new Nodes('');
  shared.external(
    'rope_cos',
    elementType.float,
    [stored.ropeTable.rows, D / 2],
    stored.ropeTable.cos,
  );
  shared.external(
    'rope_sin',
    elementType.float,
    [stored.ropeTable.rows, D / 2],
    stored.ropeTable.sin,
  );
  let hidden = addRows(nodes, shared, stored.embedding, 'token_ids', 'embedding');
  const zeros = nodes.add('Sub', noUpdate, [hidden, hidden]);
  const norm = (into: Nodes, x: string, weight: Float32Array) => {
    const name = shared.inline(`${into.scope}norm`, elementType.float, [config.hiddenSize], weight);
    return into.add('SkipSimplifiedLayerNormalization', 'normed', [x, zeros, name], {
      epsilon: { float: rmsNormEps },
    });
  };

  const runs = gated
    ? nodes.addMany(
        'Split',
        'run_split',
        ['run'],
        Array.from({ length: 2 * layers }, (_, i) => `run.${i}`),
        {
          axis: { int: 0 },
          num_outputs: { int: 2 * layers },
        },
      )
    : [];
  const newRows: string[] = [];
  for (const [l, layer] of stored.layers.entries()) {
    const attention = new Nodes(`layer${l}.attention.`);
    const before = hidden;
    const { output, k, v } = addAttention(
      attention,
      shared,
      config,
      l,
      layer.attention,
      norm(attention, before, layer.attention.norm),
    );
    const afterAttention = [attention.add('Add', 'sum', [before, output]), k, v];
    const gate = (
      index: number,
      then: Nodes,
      outputs: string[],
      otherwise: Nodes,
      passed: string[],
    ) => {
      if (!gated) {
        nodes.list.push(...then.list);
        return outputs;
      }
      return nodes.addMany(
        'If',
        `if.${index}`,
        [runs[index]!],
        outputs.map((name) => `${name}.gated`),
        {
          then_branch: { graph: then.branch(outputs) },
          else_branch: { graph: otherwise.branch(passed) },
        },
      );
    };
    const noAttention = new Nodes(`layer${l}.no_attention.`);
    const none = { value: { tensor: emptyFloat([0, KV, D]) } };
    const skippedAttention = [
      noAttention.add('Identity', 'sum', [before]),
      noAttention.add('Constant', 'k', [], none),
      noAttention.add('Constant', 'v', [], none),
    ];
    const [middle, newK, newV] = gate(
      2 * l,
      attention,
      afterAttention,
      noAttention,
      skippedAttention,
    ) as [string, string, string];
    newRows.push(newK, newV);

    const mlp = new Nodes(`layer${l}.mlp.`);
    const update = addMlp(mlp, shared, layer.mlp, norm(mlp, middle, layer.mlp.norm));
    const afterMlp = [mlp.add('Add', 'sum', [middle, update])];
    const noMlp = new Nodes(`layer${l}.no_mlp.`);
    hidden = gate(2 * l + 1, mlp, afterMlp, noMlp, [noMlp.add('Identity', 'sum', [middle])])[0]!;
  }
  const newKv = nodes.add('Concat', 'new_kv', newRows, { axis: { int: 0 } });
  const wanted = nodes.add('Gather', 'wanted', [hidden, 'logit_rows'], { axis: { int: 0 } });
  const finalNorm = shared.inline('norm', elementType.float, [config.hiddenSize], stored.finalNorm);
  const final = nodes.add('SimplifiedLayerNormalization', 'final', [wanted, finalNorm], {
    axis: { int: -1 },
    epsilon: { float: rmsNormEps },
  });
  const logits = addLinear(nodes, shared, stored.head, final, 'logits');

  const rows = 'rows';
  const [e, c] = [keyParts(config), valueParts(config)];
  const int64 = elementType.int64;
  const inputs = [
    valueInfo('token_ids', int64, ['tokens']),
    valueInfo(attentionInputs.rotary, int64, ['tokens', H + 2 * KV]),
    valueInfo(attentionInputs.bias, elementType.float, [1, 1, rows, 'columns']),
    valueInfo(attentionInputs.padding, elementType.float, [KV, e, rows, 'padding']),
    valueInfo(attentionInputs.columns, int64, [3]),
    valueInfo('logit_rows', int64, ['wanted_rows']),
    ...(gated ? [valueInfo('run', elementType.bool, [2 * layers])] : []),
  ];
  for (let l = 0; l < layers; l++) {
    inputs.push(
      valueInfo(pastName('k', l), elementType.float, ['cached', KV, e, D / e]),
      valueInfo(pastName('v', l), elementType.float, ['past', KV, c, D / c]),
      valueInfo(tailName(l), elementType.float, ['tail', KV, c, D / c]),
    );
  }
  const graph = create(GraphProtoSchema, {
    name: 'gated-decoder',
    node: nodes.list,
    initializer: shared.list,
    input: inputs,
    output: [
      valueInfo(logits, elementType.float, ['wanted_rows', config.vocabSize]),
      valueInfo(newKv, elementType.float, ['new_rows', KV, D]),
    ],
  });
  if (!gated) fuseResidualNorms(graph);
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 10n,
      producerName: 'sspec',
      opsetImport: [
        { domain: '', version: 18n },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph,
    }),
  );
}
