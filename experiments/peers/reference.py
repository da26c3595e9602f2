"""
The code that the authors of "Draft & Verify" published (dilab-zju/self-speculative-decoding) as a peer, run as it is:
`python reference.py CODE PACKAGES FOLDER THREADS`, where PACKAGES has the libraries of its time. Options of a request:
`skip_attention` and `skip_mlp` for its self-speculative decoding, none for its autoregressive.
"""
import sys

from answer import answer


class Vocabulary:
    """All that the code wants of a tokenizer; the libraries of its time cannot read this model's."""

    eos_token_id = None

    def decode(self, ids, **_):
        return ""


def load():
    code, packages, folder, threads = sys.argv[1:]
    sys.path[:0] = [code, packages]
    import torch
    import transformers
    from decoding import infer_input_ids
    from modeling_llama import LlamaForCausalLM

    torch.set_num_threads(int(threads))
    model = LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
    waiting = []

    def after_pass(_model, _inputs, out):
        if waiting:
            waiting.pop()([out.logits[0, -1].argmax().item()])

    # It tells nothing before the end, but its first pass is the prefill, which gives the first token.
    model.register_forward_hook(after_pass)

    def generate(request, arrived):
        options, most = request["options"], request["max_new_tokens"]
        vocabulary = Vocabulary()
        [vocabulary.eos_token_id] = request["eos"]
        is_draft = "skip_mlp" in options
        if is_draft:
            model.set_skip_layers(options["skip_attention"], options["skip_mlp"])

        waiting[:] = [arrived]
        out = infer_input_ids(
            model,
            vocabulary,
            torch.tensor([request["prompt"]]),
            generate_fn="essg" if is_draft else "base",
            max_new_tokens=most,
            early_stop=True,
        )
        arrived(out["generate_ids"][0, 1:].tolist())

    return f"transformers {transformers.__version__}, torch {torch.__version__}", generate


answer(load)
