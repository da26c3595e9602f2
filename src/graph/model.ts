import { create } from '@bufbuild/protobuf';
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
  modelBytes,
  Nodes,
  valueInfo,
} from './builder.js';
import { embeddedState, stateAfter, stateOutputs } from './hidden-states.js';
import { hasMixedWindows, type RopeName } from './layer-kinds.js';
import {
  addLinear,
  addRows,
  blockTensors,
  type StoredBlocks,
  type StoredLinear,
  type StoredRows,
} from './linear.js';
import { addMlp, type StoredMlp } from './mlp.js';
import { addNorm, addScale, addSoftCap } from './norm.js';
import { GraphProtoSchema } from './onnx_pb.js';
import { fuseResidualNorms, noUpdate } from './residual-norm.js';
import { rotaryDimensions } from './rope.js';

/**
 * The output of the graph without gates that greedy decoding needs, the most probable token of each wanted row, [Q] int32, the lowest
 * of equals. Logits are large, and JavaScript has to collect those that passes return: the more tokens a pass has, the more that takes.
 */
export const mostProbable = 'most_probable';

/** Adds the operators that make {@link mostProbable} of logits, [Q, vocabulary]. @returns its name. */
export function addMostProbable(nodes: Nodes, logits: string): string {
  const rows = { axis: { int: 1 }, keepdims: { int: 0 }, select_last_index: { int: 0 } };
  const ids = nodes.add('ArgMax', 'most_probable_ids', [logits], rows);
  return nodes.add('Cast', mostProbable, [ids], { to: { int: elementType.int32 } });
}

/** Where every weight of a model lies in the external data. */
export interface StoredModel {
  readonly embedding: StoredRows;
  readonly layers: readonly { readonly attention: StoredAttention; readonly mlp: StoredMlp }[];
  /** Scaled by what multiplies the logits. */
  readonly finalNorm: Float32Array;
  readonly head: StoredLinear;
  /** The head's rows one after the other, where `head` does not have them so; the final norm is in both. */
  readonly headRows: StoredRows | null;
  /** What drafts multiply with in place of the layers' own weights (four-bits.ts); none where they have those. */
  readonly draftMatrices: readonly StoredBlocks[];
  readonly ropeTables: readonly {
    readonly name: RopeName;
    readonly rows: number;
    readonly cos: ExternalRange;
    readonly sin: ExternalRange;
  }[];
}

/**
 * Builds the gated graph: one `If` per sublayer on an element of the input `run`, so that one session and one copy of
 * the weights serve the full model and every draft.
 *
 * Inputs (S new tokens, L layers; the others as in attention.ts): `token_ids` [S] int64; `rotary_positions`
 * [S, H + 2 KV] int64; `attention_bias`, and `windowed_attention_bias` where only some layers have a window; `score_padding`
 * [KV, e, R, padding], zeros; `column_counts` [3] int64 = (P, t + S, padding); `logit_rows` [Q] int64, the tokens whose logits
 * are wanted; `run` [2 L] bool (2 l: attention of layer l, 2 l + 1: its MLP); `past_k.l`, `past_v.l`, `tail_v.l`.
 * Outputs: `logits` [Q, vocabulary]; `new_kv` [2 S * attention sublayers that ran, KV, D]: k then v of each layer; then, gated,
 * the hidden states of hidden-states.ts, else {@link mostProbable}.
 *
 * @param gated false leaves the gates out, for decoding that skips nothing: a gate costs 5 to 10 microseconds.
 */
export function buildModel(config: ModelConfig, stored: StoredModel, gated: boolean): Uint8Array {
  const { layers, kvHeads: KV, headDim: D, heads: H } = config;
  const shared = new Initializers();
  const nodes = new Nodes('');
  const half = rotaryDimensions(config) / 2;
  for (const { name, rows, cos, sin } of stored.ropeTables) {
    shared.external(`${name}_cos`, elementType.float, [rows, half], cos);
    shared.external(`${name}_sin`, elementType.float, [rows, half], sin);
  }
  /** The hidden state after a sublayer. */
  const sum = (into: Nodes, x: string, update: string, outNorm: Float32Array | null) => {
    const normed = outNorm
      ? addNorm(into, shared, config, update, outNorm, 'out_normed', 'out_norm')
      : update;
    const scaled = addScale(into, shared, normed, config.residualScale, 'out_scaled');
    return into.add('Add', 'sum', [x, scaled]);
  };

  const { embeddingScale } = config;
  const rowsLabel = embeddingScale === 1 ? embeddedState : 'embedding_rows';
  const embedded = addRows(nodes, shared, stored.embedding, 'token_ids', 'embedding', rowsLabel);
  let hidden = addScale(nodes, shared, embedded, embeddingScale, embeddedState);
  const zeros = config.norms === 'after' ? null : nodes.add('Sub', noUpdate, [hidden, hidden]);
  /** The norm before a sublayer, where the model has one. */
  const norm = (into: Nodes, x: string, weight: Float32Array | null) => {
    if (weight === null || zeros === null) return x;
    const name = shared.inline(`${into.scope}norm`, elementType.float, [weight.length], weight);
    return into.add('SkipSimplifiedLayerNormalization', 'normed', [x, zeros, name], {
      epsilon: { float: config.rmsNormEps },
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
    const afterAttention = [sum(attention, before, output, layer.attention.outNorm), k, v];
    const gate = (
      index: number,
      then: Nodes,
      outputs: string[],
      otherwise: Nodes,
      passed: string[],
    ) => {
      const [sum, ...others] = outputs;
      if (!gated) {
        for (const node of then.list)
          node.output = node.output.map((name) => (name === sum ? stateAfter(index) : name));
        nodes.list.push(...then.list);
        return [stateAfter(index), ...others];
      }
      return nodes.addMany(
        'If',
        `if.${index}`,
        [runs[index]!],
        [stateAfter(index), ...others.map((name) => `${name}.gated`)],
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
    const normed = norm(mlp, middle, layer.mlp.norm);
    const update = addMlp(mlp, shared, config, layer.mlp, normed);
    const afterMlp = [sum(mlp, middle, update, layer.mlp.outNorm)];
    const noMlp = new Nodes(`layer${l}.no_mlp.`);
    hidden = gate(2 * l + 1, mlp, afterMlp, noMlp, [noMlp.add('Identity', 'sum', [middle])])[0]!;
  }
  const newKv = nodes.add('Concat', 'new_kv', newRows, { axis: { int: 0 } });
  const wanted = nodes.add('Gather', 'wanted', [hidden, 'logit_rows'], { axis: { int: 0 } });
  const product = addLinear(
    nodes,
    shared,
    stored.head,
    addNorm(nodes, shared, config, wanted, stored.finalNorm, 'final', 'norm'),
    'logits',
  );
  // No node reads these here: small-head.ts makes a draft's head of the former, four-bits.ts its products of the latter.
  if (stored.headRows?.form === 'blocks') blockTensors(shared, stored.headRows);
  if (gated) for (const matrix of stored.draftMatrices) blockTensors(shared, matrix);
  const logits = addSoftCap(nodes, shared, product, config.logitSoftCap, 'capped_logits');

  if (!gated) addMostProbable(nodes, logits);

  const rows = 'rows';
  const [e, c] = [keyParts(config), valueParts(config)];
  const int64 = elementType.int64;
  const inputs = [
    valueInfo('token_ids', int64, ['tokens']),
    valueInfo(attentionInputs.rotary, int64, ['tokens', H + 2 * KV]),
    valueInfo(attentionInputs.bias, elementType.float, [1, 1, rows, 'columns']),
    ...(hasMixedWindows(config)
      ? [valueInfo(attentionInputs.windowedBias, elementType.float, [1, 1, rows, 'columns'])]
      : []),
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
      ...(gated
        ? stateOutputs(config)
        : [valueInfo(mostProbable, elementType.int32, ['wanted_rows'])]),
    ],
  });
  if (!gated) fuseResidualNorms(graph);
  return modelBytes(graph);
}
