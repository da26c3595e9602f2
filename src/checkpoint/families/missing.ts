/** What the graph lacks for well-known families, by `model_type` or GGUF's `general.architecture`, to be told to whoever has one. */
const MISSING: Readonly<Record<string, string>> = {
  falcon: 'LayerNorm, and attention and MLP side by side',
  gemma: 'an MLP gated by GELU, and scaled embeddings',
  gemma2: 'soft caps of logits, and norms after sublayers',
  gemma3: 'norms of queries and keys, and windows in some layers',
  gemma3_text: 'norms of queries and keys, and windows in some layers',
  gpt2: 'LayerNorm, and positions that are added',
  gpt_neox: 'LayerNorm, and heads that are rotated in part',
  mixtral: 'a mixture of experts',
  olmo2: 'norms of queries and keys, and norms after sublayers',
  phi: 'LayerNorm, and heads that are rotated in part',
  phi3: 'projections that are stored as one tensor',
  qwen2_moe: 'a mixture of experts',
  qwen3: 'norms of queries and keys',
  qwen3_moe: 'norms of queries and keys, and a mixture of experts',
  starcoder2: 'LayerNorm, and an MLP without a gate',
};

/** Why a family is not supported, as a part of a sentence; '' for those that nothing is known of. */
export function whatIsMissing(name: string): string {
  return Object.hasOwn(MISSING, name) ? `, as it needs ${MISSING[name]}` : '';
}
