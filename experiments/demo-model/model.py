"""The Llama architecture in plain torch (1.13 to 2.x), with sublayers that can be skipped, and its Hugging Face files."""
import json, math, os, shutil, struct
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F


class _RmsNorm(torch.autograd.Function):
    """x / rms(x) * w in one node: on a CPU the many small operators of the plain form cost more than the matrix products."""

    @staticmethod
    def forward(ctx, x, w, eps):
        r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x, w, r)
        return x * r * w

    @staticmethod
    def backward(ctx, g):
        x, w, r = ctx.saved_tensors
        n = x * r
        gw = g * w
        return r * (gw - n * (gw * n).mean(-1, keepdim=True)), (g * n).sum((0, 1)), None


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        return _RmsNorm.apply(x, self.weight, self.eps)


def rope_tables(head_dim, length, theta):
    inverse = 1.0 / theta ** (torch.arange(0, head_dim, 2).float() / head_dim)
    angle = torch.outer(torch.arange(length).float(), inverse)
    return torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, self.h, self.kv, self.hd = c['hidden_size'], c['num_attention_heads'], c['num_key_value_heads'], c['head_dim']
        self.q_proj = nn.Linear(d, self.h * self.hd, bias=False)
        self.k_proj = nn.Linear(d, self.kv * self.hd, bias=False)
        self.v_proj = nn.Linear(d, self.kv * self.hd, bias=False)
        self.o_proj = nn.Linear(self.h * self.hd, d, bias=False)

    def forward(self, x, cos, sin, causal):
        b, t, _ = x.shape
        q, k, v = (p(x).view(b, t, n, self.hd).transpose(1, 2)
                   for p, n in ((self.q_proj, self.h), (self.k_proj, self.kv), (self.v_proj, self.kv)))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        # The query heads of one key head stand under each other, so that keys and values are not repeated.
        g = self.h // self.kv
        q = q.reshape(b, self.kv, g * t, self.hd)
        scores = torch.matmul(q, k.transpose(-1, -2)).view(b, self.kv, g, t, t) * self.hd ** -0.5
        weights = F.softmax(scores.float() + causal, -1).type_as(v).view(b, self.kv, g * t, t)
        o = torch.matmul(weights, v).view(b, self.h, t, self.hd)
        return self.o_proj(o.transpose(1, 2).reshape(b, t, self.h * self.hd))


class Mlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, f = c['hidden_size'], c['intermediate_size']
        self.gate_proj, self.up_proj = nn.Linear(d, f, bias=False), nn.Linear(d, f, bias=False)
        self.down_proj = nn.Linear(f, d, bias=False)

    def forward(self, x):
        gate = self.gate_proj(x)
        # SiLU written out: torch's own is not vectorised for bfloat16 on a CPU.
        return self.down_proj(gate * torch.sigmoid(gate) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c['hidden_size'], c['rms_norm_eps'])
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c['hidden_size'], c['rms_norm_eps'])
        self.mlp = Mlp(c)


class Llama(nn.Module):
    """skip: 2L booleans, attention and MLP of each layer in turn; a true one's sublayer passes the hidden state on."""

    def __init__(self, c):
        super().__init__()
        self.config = c
        self.embed_tokens = nn.Embedding(c['vocab_size'], c['hidden_size'])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c['num_hidden_layers']))
        self.norm = RMSNorm(c['hidden_size'], c['rms_norm_eps'])
        cos, sin = rope_tables(c['head_dim'], c['max_position_embeddings'], c['rope_theta'])
        self.register_buffer('cos', cos, False)
        self.register_buffer('sin', sin, False)

    def forward(self, ids, skip=None):
        t = ids.shape[1]
        x, cos, sin = self.embed_tokens(ids), self.cos[:t], self.sin[:t]
        causal = torch.full((t, t), -1e9).triu(1)
        for i, layer in enumerate(self.layers):
            if skip is None or not skip[2 * i]:
                x = x + layer.self_attn(layer.input_layernorm(x), cos, sin, causal)
            if skip is None or not skip[2 * i + 1]:
                x = x + layer.mlp(layer.post_attention_layernorm(x))
        return F.linear(self.norm(x), self.embed_tokens.weight)


def read_hf(folder):
    """Configuration and tensors (float32, without the prefix 'model.') of a folder in the Hugging Face layout."""
    with open(os.path.join(folder, 'config.json')) as f:
        config = json.load(f)
    index = os.path.join(folder, 'model.safetensors.index.json')
    names = ['model.safetensors']
    if os.path.exists(index):
        with open(index) as f:
            names = sorted(set(json.load(f)['weight_map'].values()))
    tensors = {}
    for name in names:
        with open(os.path.join(folder, name), 'rb') as f:
            size, = struct.unpack('<Q', f.read(8))
            header = json.loads(f.read(size))
            data = f.read()
        for key, t in header.items():
            if key != '__metadata__':
                a = np.frombuffer(data[slice(*t['data_offsets'])], {'F16': np.float16, 'F32': np.float32}[t['dtype']])
                tensors[key.removeprefix('model.')] = torch.from_numpy(a.astype(np.float32).reshape(t['shape']))
    return config, tensors


def write_hf(model, folder, shard_bytes=15 * 2**20):
    """Writes config.json and fp16 shards of at most shard_bytes with their index."""
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith('model') and '.safetensors' in name:
            os.remove(os.path.join(folder, name))
    tensors = [('model.' + k, np.ascontiguousarray(v.detach().float().numpy().astype(np.float16)))
               for k, v in model.state_dict().items() if k not in ('cos', 'sin')]
    shards, size = [[]], 0
    for key, a in tensors:
        if shards[-1] and size + a.nbytes > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append((key, a))
        size += a.nbytes
    weight_map = {}
    for i, shard in enumerate(shards):
        name = f'model-{i + 1:05d}-of-{len(shards):05d}.safetensors'
        header, offset = {'__metadata__': {'format': 'pt'}}, 0
        for key, a in shard:
            header[key] = {'dtype': 'F16', 'shape': list(a.shape), 'data_offsets': [offset, offset + a.nbytes]}
            offset += a.nbytes
            weight_map[key] = name
        text = json.dumps(header).encode()
        text += b' ' * (-len(text) % 8)
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(struct.pack('<Q', len(text)) + text)
            for _, a in shard:
                f.write(a.tobytes())
    with open(os.path.join(folder, 'model.safetensors.index.json'), 'w') as f:
        json.dump({'metadata': {'total_size': sum(a.nbytes for _, a in tensors)}, 'weight_map': weight_map}, f, indent=1)
    with open(os.path.join(folder, 'config.json'), 'w') as f:
        json.dump(model.config, f, indent=1)


def copy_tokenizer(start, folder):
    for name in ('tokenizer.json', 'tokenizer_config.json'):
        shutil.copy(os.path.join(start, name), folder)


def grow(config, tensors, layers, context):
    """The model of a checkpoint, for a longer context, with as many layers: itself, or, where it has half of them, after each
    one a copy of it with o_proj and down_proj at zero, so that the function stays."""
    had = config['num_hidden_layers']
    assert layers in (had, 2 * had)
    config = {**config, 'num_hidden_layers': layers, 'max_position_embeddings': context}
    model, state = Llama(config), {}
    if layers == had:
        model.load_state_dict(tensors)
        return model
    for key, t in tensors.items():
        if key.startswith('layers.'):
            _, i, rest = key.split('.', 2)
            state[f'layers.{2 * int(i)}.{rest}'] = t
            state[f'layers.{2 * int(i) + 1}.{rest}'] = torch.zeros_like(t) if 'o_proj' in rest or 'down_proj' in rest else t.clone()
        else:
            state[key] = t
    model.load_state_dict(state)
    return model
