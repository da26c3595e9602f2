import type { TensorNames } from './family.js';

/** What transformers calls the tensors of Llama, and of the families that follow it. */
export const huggingFaceNames: TensorNames = {
  embedding: 'model.embed_tokens',
  finalNorm: 'model.norm',
  head: 'lm_head',
  layer: 'model.layers.*.',
  parts: {
    attentionNorm: 'input_layernorm',
    q: 'self_attn.q_proj',
    k: 'self_attn.k_proj',
    v: 'self_attn.v_proj',
    qNorm: 'self_attn.q_norm',
    kNorm: 'self_attn.k_norm',
    o: 'self_attn.o_proj',
    mlpNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
};

/** Those of families with norms before and after sublayers. */
export const sandwichNames: TensorNames = {
  ...huggingFaceNames,
  parts: {
    ...huggingFaceNames.parts,
    attentionOutNorm: 'post_attention_layernorm',
    mlpNorm: 'pre_feedforward_layernorm',
    mlpOutNorm: 'post_feedforward_layernorm',
  },
};

/** What llama.cpp calls the same. */
export const llamaCppNames: TensorNames = {
  embedding: 'token_embd',
  finalNorm: 'output_norm',
  head: 'output',
  layer: 'blk.*.',
  parts: {
    attentionNorm: 'attn_norm',
    q: 'attn_q',
    k: 'attn_k',
    v: 'attn_v',
    qNorm: 'attn_q_norm',
    kNorm: 'attn_k_norm',
    o: 'attn_output',
    attentionOutNorm: 'post_attention_norm',
    mlpNorm: 'ffn_norm',
    gate: 'ffn_gate',
    up: 'ffn_up',
    down: 'ffn_down',
    mlpOutNorm: 'post_ffw_norm',
  },
};
