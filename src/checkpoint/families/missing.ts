/** What the graph lacks for well-known families, by `model_type` or GGUF's `general.architecture`, to be told to whoever has one. */
const MISSING: Readonly<Record<string, string>> = {
  falcon: 'LayerNorm, and attention and MLP side by side',
  gemma3n: 'embeddings in every layer',
  gpt_oss: 'a mixture of experts',
  gpt2: 'LayerNorm, and positions that are added',
  gpt_neox: 'LayerNorm, and heads that are rotated in part',
  granitemoe: 'a mixture of experts',
  granitemoehybrid: 'state-space layers',
  mixtral: 'a mixture of experts',
  olmo: 'LayerNorm',
  phi: 'LayerNorm, and heads that are rotated in part',
  phimoe: 'a mixture of experts',
  qwen2_moe: 'a mixture of experts',
  qwen3_moe: 'a mixture of experts',
  starcoder2: 'LayerNorm, and an MLP without a gate',
};

/** Why a family is not supported, as a part of a sentence; '' for those that nothing is known of. */
export function whatIsMissing(name: string): string {
  return Object.hasOwn(MISSING, name) ? `, as it needs ${MISSING[name]}` : '';
}
