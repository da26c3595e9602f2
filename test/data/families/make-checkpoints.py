"""
Makes a tiny model of random weights for each family: as transformers saves it, as a GGUF file, and what transformers computes
with it in float32.

    pip install torch transformers gguf && python3 test/data/families/make-checkpoints.py

Weights are stored in 16 bits and rounded to them before anything is computed, so that both files have the same ones.
"""

import json
import shutil
from pathlib import Path

import gguf
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

FOLDER = Path(__file__).parent
VOCABULARY = 128
HEAD_DIM = 16
HEADS = 4
KV_HEADS = 2
# Longer than every window and than a block of the engine, so that windows and rotations matter.
PROMPT = [(37 * i * i + 11 * i + 3) % VOCABULARY for i in range(44)]
NEW_TOKENS = 40

COMMON = dict(
    vocab_size=VOCABULARY,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=3,
    num_attention_heads=HEADS,
    num_key_value_heads=KV_HEADS,
    head_dim=HEAD_DIM,
    max_position_embeddings=256,
    rms_norm_eps=1e-6,
    tie_word_embeddings=True,
    bos_token_id=None,
    eos_token_id=127,
    pad_token_id=None,
)
WHOLE_HEADS = dict(num_attention_heads=2, num_key_value_heads=1, head_dim=None)
LLAMA_3 = dict(
    rope_type="llama3",
    rope_theta=10000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=64,
)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64)
LONG_ROPE = dict(
    rope_type="longrope",
    rope_theta=10000.0,
    short_factor=[1.0, 1.1, 1.25, 1.5, 1.8, 2.0],
    long_factor=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    original_max_position_embeddings=128,
    partial_rotary_factor=0.75,
)
SLIDING, FULL = "sliding_attention", "full_attention"

MODELS = {
    "llama": ("llama", dict(rope_parameters=LLAMA_3, attention_bias=True)),
    "llama-yarn": ("llama", dict(rope_parameters=YARN, tie_word_embeddings=False)),
    "mistral": ("mistral", dict(sliding_window=20)),
    "qwen2": (
        "qwen2",
        dict(**WHOLE_HEADS, use_sliding_window=True, sliding_window=24, max_window_layers=1),
    ),
    "qwen3": ("qwen3", dict(rope_theta=1000000.0)),
    "gemma": ("gemma", dict()),
    "gemma2": ("gemma2", dict(sliding_window=20, query_pre_attn_scalar=HEAD_DIM, num_hidden_layers=4)),
    "gemma3": (
        "gemma3_text",
        dict(sliding_window=20, query_pre_attn_scalar=HEAD_DIM, num_hidden_layers=6),
    ),
    "phi3": ("phi3", dict(**WHOLE_HEADS, sliding_window=40)),
    "phi3-longrope": (
        "phi3",
        dict(**WHOLE_HEADS, rope_parameters=LONG_ROPE, original_max_position_embeddings=128),
    ),
    "olmo2": ("olmo2", dict(tie_word_embeddings=False)),
    "granite": (
        "granite",
        dict(
            **WHOLE_HEADS,
            embedding_multiplier=3.0,
            attention_multiplier=0.125,
            residual_multiplier=0.5,
            logits_scaling=2.0,
        ),
    ),
    "smollm3": ("smollm3", dict(num_hidden_layers=4)),
}


def spread(model):
    """Random weights with which attention picks among positions, biases matter and the greedy text wanders."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" in name:
                mean = 0 if "gemma" in model.config.model_type else 1
                weight.normal_(mean, 0.2)
            elif name.endswith("bias"):
                weight.normal_(0, 0.5)
            elif "embed_tokens" in name:
                # Those that are multiplied are smaller, as real ones are.
                scaled = "gemma" in model.config.model_type
                weight.normal_(0, model.config.hidden_size**-0.5 if scaled else 1)
            else:
                weight.normal_(0, 2 / weight.shape[1] ** 0.5)
            weight.copy_(weight.half().float())
        if model.config.tie_word_embeddings:
            # With a norm of one sign a tied head would favour the token just read.
            sign = torch.where(torch.rand(model.config.hidden_size) < 0.5, -1.0, 1.0)
            norm = model.model.norm.weight
            offset = 1 if "gemma" in model.config.model_type else 0
            norm.copy_(((norm + offset) * sign - offset).half().float())


def golden_of(model):
    with torch.no_grad():
        ids = list(PROMPT)
        for _ in range(NEW_TOKENS):
            logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
            ids.append(int(logits.argmax()))
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
    rounded = lambda row: [round(value, 5) for value in row.tolist()]
    return {
        "prompt": PROMPT,
        "greedy": ids[len(PROMPT) :],
        "logits_of_prompt_end": rounded(logits[len(PROMPT) - 1]),
        "logits_of_last": rounded(logits[-1]),
    }


def interleaved(weight, heads):
    """Rows of q and k as llama.cpp's converter has them for Llama and its kind."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)


ARCHITECTURES = {"gemma3_text": gguf.MODEL_ARCH.GEMMA3, "mistral": gguf.MODEL_ARCH.LLAMA}


def write_gguf(model, file):
    """As llama.cpp's convert_hf_to_gguf.py would, without a tokeniser."""
    config = model.config
    kind = config.model_type
    arch = ARCHITECTURES.get(kind) or next(
        key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == kind
    )
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[arch])
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    rope = rope.get("full_attention", rope)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(rope["rope_theta"])
    if kind != "phi3":
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if kind not in ("gemma", "gemma2", "gemma3_text"):
        writer.add_rope_dimension_count(int(head_dim * rope.get("partial_rotary_factor", 1)))
    if kind in ("gemma2", "gemma3_text", "phi3"):
        writer.add_sliding_window(config.sliding_window or 0)
    if kind == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if kind == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope["rope_type"] == "longrope":
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        writer.add_rope_scaling_attn_factors(model.model.rotary_emb.attention_scaling)
        for name in ("short", "long"):
            factors = torch.tensor(rope[f"{name}_factor"], dtype=torch.float32)
            writer.add_tensor(f"rope_factors_{name}.weight", factors.numpy())
    if rope["rope_type"] == "llama3":
        plain = 1 / rope["rope_theta"] ** (torch.arange(0, head_dim, 2).float() / head_dim)
        factors = plain / model.model.rotary_emb.inv_freq
        writer.add_tensor("rope_freqs.weight", factors.numpy())

    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if kind in ("llama", "mistral", "granite", "smollm3"):
            if ".q_proj." in name:
                weight = interleaved(weight, config.num_attention_heads)
            if ".k_proj." in name:
                weight = interleaved(weight, config.num_key_value_heads)
        if "norm" in name and "gemma" in kind:
            weight = weight + 1
        weight = weight.contiguous()
        writer.add_tensor(stored, (weight if weight.dim() == 1 else weight.half()).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(name, seed):
    kind, options = MODELS[name]
    torch.manual_seed(seed)
    fields = {key: value for key, value in {**COMMON, **options}.items() if value is not None or key.endswith("_id")}
    config = AutoConfig.for_model(kind, attn_implementation="eager", **fields)
    model = AutoModelForCausalLM.from_config(config, torch_dtype=torch.float32).eval()
    spread(model)
    golden = golden_of(model)
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # A family that llama.cpp writes as Llama, without the window that Llama has not.
    if kind != "mistral" and not (kind == "qwen2" and config.use_sliding_window):
        write_gguf(model, folder / "model.gguf")
    model.half().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    print(name, len(set(golden["greedy"])), "different tokens of", NEW_TOKENS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for seed, model_name in enumerate(MODELS):
        make(model_name, seed)
