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
    o: 'self_attn.o_proj',
    mlpNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
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
    o: 'attn_output',
    mlpNorm: 'ffn_norm',
    gate: 'ffn_gate',
    up: 'ffn_up',
    down: 'ffn_down',
  },
};
