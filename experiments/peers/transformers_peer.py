"""Hugging Face transformers as a peer: `python transformers_peer.py FOLDER THREADS`. Options of a request: those of `generate`."""
import sys

from answer import answer


def load():
    import torch
    import transformers
    from transformers.generation.streamers import BaseStreamer

    folder, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    class Arrivals(BaseStreamer):
        def __init__(self, arrived):
            self.arrived, self.is_prompt = arrived, True

        def put(self, value):
            if not self.is_prompt:
                self.arrived(value.flatten().tolist())
            self.is_prompt = False

        def end(self):
            pass

    def generate(request, arrived):
        prompt = torch.tensor([request["prompt"]])
        with torch.inference_mode():
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=request["max_new_tokens"],
                eos_token_id=request["eos"],
                pad_token_id=request["eos"][0],
                do_sample=False,
                streamer=Arrivals(arrived),
                **request["options"],
            )

    return f"transformers {transformers.__version__}, torch {torch.__version__}", generate


answer(load)
