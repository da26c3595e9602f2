"""
Makes the files that the peers read of one GGUF file, in the formats that each is fastest with:
`python convert.py FILE.gguf PREPARED` writes PREPARED/hf (fp32), PREPARED/q8_0.gguf and PREPARED/onnx (int8).
"""
import json
import pathlib
import shutil
import subprocess
import sys

import onnx
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

MOSTLY_Q8_0 = 7


def to_hugging_face(source, out):
    """Dequantises to fp32, in a config that libraries old and new read."""
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    config = model.config.to_dict()
    theta = (config.pop("rope_parameters", None) or {}).get("rope_theta", config.get("rope_theta"))
    for field in ("quantization_config", "_name_or_path", "dtype"):
        config.pop(field, None)
    config.update(architectures=["LlamaForCausalLM"], rope_theta=theta, rope_scaling=None, torch_dtype="float32")
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if config.get("tie_word_embeddings"):
        weights.pop("lm_head.weight", None)
    out.mkdir(parents=True, exist_ok=True)
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(config, indent=1))
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(out)


def to_q8_0(source, out):
    """The same file with all matrices in Q8_0."""
    reader = GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = GGUFWriter(out, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        value = MOSTLY_Q8_0 if field.name == "general.file_type" else field.contents()
        kind = field.types[0]
        writer.add_key_value(
            field.name, value, kind, field.types[-1] if kind == GGUFValueType.ARRAY else None
        )
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype("float32")
        if len(tensor.shape) == 1:
            writer.add_tensor(tensor.name, values)
            continue
        kind = GGMLQuantizationType.Q8_0
        values = values.reshape(tensor.shape.tolist()[::-1])
        writer.add_tensor(tensor.name, quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def to_onnx(folder, out):
    """onnxruntime-genai's graph in int8, in the folders and with the fixed shapes that transformers.js expects."""
    made = out.with_name("onnx-made")
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-m", "unnamed", "-i", folder, "-o", made]
    options = ["--extra_options", "accuracy_level=4", "block_size=32"]
    built = subprocess.run(
        [*command, "-p", "int8", "-e", "cpu", "-c", made / "cache", *options],
        capture_output=True,
        text=True,
    )
    if built.returncode != 0:
        sys.exit(built.stderr[-2000:])
    graph = onnx.load(made / "model.onnx")
    config = json.loads((folder / "config.json").read_text())
    size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    for value in [*graph.graph.input, *graph.graph.output]:
        dimensions = value.type.tensor_type.shape.dim
        if len(dimensions) == 4:
            dimensions[3].dim_value = size
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(graph, out / "onnx" / "model.onnx")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, out / name)
    shutil.rmtree(made)


def main():
    source, prepared = (pathlib.Path(path) for path in sys.argv[1:])
    steps = [
        ("hf", lambda out: to_hugging_face(source, out)),
        ("q8_0.gguf", lambda out: to_q8_0(source, out)),
        ("onnx", lambda out: to_onnx(prepared / "hf", out)),
    ]
    for name, make in steps:
        out = prepared / name
        if out.exists():
            print(f"{name} is there already", file=sys.stderr)
            continue
        print(f"making {name}", file=sys.stderr)
        # Under its own name only once it is whole.
        unfinished = prepared / f"unfinished-{name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        make(unfinished)
        unfinished.rename(out)


main()
