"""
Makes tiny-qwen2: a Qwen2 model of random weights, as transformers saves it, and what transformers computes with it in float32.

    pip install torch transformers && python3 test/data/qwen2/make-checkpoint.py
"""

import json
from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

FOLDER = Path(__file__).parent / "tiny-qwen2"
PROMPT = [3, 77, 12, 101, 5, 44, 90, 7, 63, 21]
NEW_TOKENS = 48

torch.manual_seed(20)
torch.set_num_threads(1)
config = Qwen2Config(
    vocab_size=128,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    rope_theta=1000000.0,
    rms_norm_eps=1e-6,
    tie_word_embeddings=False,
    use_sliding_window=False,
    bos_token_id=None,
    eos_token_id=127,
    attn_implementation="eager",
)
model = Qwen2ForCausalLM(config).eval()
# Spread so that attention picks among positions, biases matter and the greedy text wanders.
with torch.no_grad():
    for name, weight in model.named_parameters():
        if name.endswith("norm.weight"):
            weight.normal_(1, 0.2)
        elif name.endswith("bias"):
            weight.normal_(0, 0.5)
        elif "embed_tokens" in name:
            weight.normal_(0, 1)
        else:
            weight.normal_(0, 2 / weight.shape[1] ** 0.5)
        # Rounded to what the file holds.
        weight.copy_(weight.to(torch.bfloat16).float())

with torch.no_grad():
    ids = list(PROMPT)
    for _ in range(NEW_TOKENS):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    logits = model(torch.tensor([ids])).logits[0]

model.to(torch.bfloat16).save_pretrained(FOLDER)
(FOLDER / "generation_config.json").unlink(missing_ok=True)
golden = {
    "prompt": PROMPT,
    "greedy": ids[len(PROMPT) :],
    "logits_of_prompt_end": logits[len(PROMPT) - 1].tolist(),
    "logits_of_last": logits[-1].tolist(),
}
(FOLDER / "golden.json").write_text(json.dumps(golden) + "\n")
