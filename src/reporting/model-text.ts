import { precisions } from '../graph/quantise.js';
import { formatBytes } from './format.js';
import type { ModelDocument } from './model-document.js';
import { table } from './table.js';

/** A model's architecture and sizes, for a terminal. */
export function modelText(model: ModelDocument): string {
  const sizes = precisions.flatMap((precision) => {
    const bytes = model.bytes[precision];
    return bytes === null ? [] : [`${precision} ${formatBytes(bytes)}`];
  });
  const rows: [string, string][] = [
    ['files', model.directory],
    ['architecture', model.architecture],
    [
      'layers',
      `${model.layers}, so ${model.sublayers} sublayers that a draft can skip (attention and MLP)`,
    ],
    ['hidden size', `${model.hidden_size}, MLP ${model.intermediate_size}`],
    ['heads', `${model.heads} of ${model.head_dim}, ${model.kv_heads} for keys and values`],
    [
      'vocabulary',
      `${model.vocab_size}, embedding ${model.tied_embeddings ? 'shared with' : 'apart from'} the head`,
    ],
    [
      'context',
      `${model.context_length} tokens${model.sliding_window ? `, window ${model.sliding_window}` : ''}`,
    ],
    ['parameters', `${(model.parameters / 1e6).toFixed(1)} million`],
    ['stored', `${formatBytes(model.stored_bytes)} of ${model.stored_dtypes.join(', ')}`],
    ['compiled', sizes.join(', ')],
    ['cache of a full context', formatBytes(model.kv_cache_bytes)],
    ['tokenizer', model.tokenizer ? 'yes' : 'none: prompts are token ids (--prompt-ids)'],
    ['chat template', model.chat_template ? 'yes: --chat applies it' : 'none'],
  ];
  return table(
    [
      { key: 'what', title: 'model' },
      { key: 'value', title: model.model },
    ],
    rows.map(([what, value]) => ({ what, value })),
  );
}
