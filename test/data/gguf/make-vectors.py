"""Writes vectors.json: random blocks of each GGUF type and what the Python package gguf makes of them.

    pip install gguf numpy && python3 test/data/gguf/make-vectors.py
"""

import base64
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGML_QUANT_SIZES
from gguf.quants import dequantize

BLOCKS = 3
# Bytes of a block that hold float16 scales, by type.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
# A common scale, a negative one, and a subnormal.
VALUES = [0.0123, -1.75, 3e-7]

rng = np.random.default_rng(0)
vectors = {}
for name in ["F16", "BF16", *SCALES]:
    kind = Type[name]
    _, size = GGML_QUANT_SIZES[kind]
    if name in SCALES:
        data = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
        for at in SCALES[name]:
            for block in range(BLOCKS):
                value = np.array([VALUES[(block + at) % 3]], dtype=np.float16)
                data[block, at : at + 2] = value.view(np.uint8)
    elif name == "F16":
        values = np.array([0, -0.0, 1, -2.5, 65504, 6e-8, 1e-5, 0.333], np.float16)
        data = values.view(np.uint8).reshape(1, -1)
    else:
        values = np.array([0, 1, -2.5, 3e38, 1e-38, 0.333], np.float32)
        data = (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).reshape(1, -1)
    values = dequantize(data.reshape(-1), kind).astype(np.float32)
    encode = lambda array: base64.b64encode(array.tobytes()).decode()
    vectors[name] = {"bytes": encode(data), "values": encode(values)}

file = Path(__file__).with_name("vectors.json")
file.write_text(json.dumps(vectors, indent=2) + "\n")
