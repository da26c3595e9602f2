"""The model's training pass on a CPU: torch's matrix products in bfloat16 with fused kernels (kernels.c) between them.

The same function as Llama.forward under autocast, but for rounding; `python3 cpu.py` checks values and gradients against it.
"""
import ctypes, os, subprocess, tempfile
import torch

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'kernels.c')
BF16 = torch.bfloat16
PARTS = 16


def _library():
    path = os.path.join(tempfile.mkdtemp(), 'kernels.so')
    subprocess.run(['gcc', '-O3', '-march=native', '-mprefer-vector-width=512', '-ffast-math', '-fopenmp', '-shared', '-fPIC',
                    SOURCE, '-o', path, '-lm'], check=True)
    return ctypes.CDLL(path)


_kernels = None


def _call(name, *arguments):
    """Integers as C longs, floats as C floats, tensors (contiguous) as pointers, None as a null pointer."""
    global _kernels
    _kernels = _kernels or _library()
    converted = []
    for a in arguments:
        if isinstance(a, torch.Tensor):
            assert a.is_contiguous()
            converted.append(ctypes.c_void_p(a.data_ptr()))
        else:
            converted.append(ctypes.c_float(a) if isinstance(a, float) else None if a is None else ctypes.c_long(a))
    getattr(_kernels, name)(*converted)


class AddNorm(torch.autograd.Function):
    """(x [n, d] float, delta [n, d] bfloat16 or None, w [d]) to (x + delta, its norm in bfloat16)."""

    @staticmethod
    def forward(ctx, x, delta, w, eps):
        n, d = x.shape
        total, y, r = torch.empty_like(x), torch.empty(n, d, dtype=BF16), torch.empty(n)
        _call('add_norm', n, d, eps, x, delta, w, total, y, r)
        ctx.save_for_backward(total, w, r)
        ctx.has_delta = delta is not None
        return total, y

    @staticmethod
    def backward(ctx, gtotal, gy):
        total, w, r = ctx.saved_tensors
        n, d = total.shape
        gx, gw = torch.empty_like(total), torch.empty(PARTS, d)
        gdelta = torch.empty(n, d, dtype=BF16) if ctx.has_delta else None
        _call('add_norm_back', n, d, PARTS, total, w, r, gtotal.contiguous(), gy.contiguous(), gx, gdelta, gw)
        return gx, gdelta, gw.sum(0), None


class SwiGlu(torch.autograd.Function):
    """gate and up side by side [n, 2f] to silu(gate) * up [n, f]."""

    @staticmethod
    def forward(ctx, gu):
        n, f = gu.shape[0], gu.shape[1] // 2
        h = torch.empty(n, f, dtype=BF16)
        _call('swiglu', n, f, gu, h)
        ctx.save_for_backward(gu)
        return h

    @staticmethod
    def backward(ctx, gh):
        gu, = ctx.saved_tensors
        ggu = torch.empty_like(gu)
        _call('swiglu_back', gu.shape[0], gu.shape[1] // 2, gu, gh.contiguous(), ggu)
        return ggu


class Attend(torch.autograd.Function):
    """Queries, keys and values side by side [b t, (h + 2 kv) hd] to the heads' outputs [b t, h hd]."""

    @staticmethod
    def forward(ctx, qkv, b, kv, g, cos, sin):
        hd, t = cos.shape[1], qkv.shape[0] // b
        q, k, v = torch.empty(b * kv, g * t, hd, dtype=BF16), *(torch.empty(b * kv, t, hd, dtype=BF16) for _ in 'kv')
        _call('heads', b, t, kv, g, hd, 0, qkv, q, k, v, cos, sin)
        p = torch.bmm(q, k.transpose(1, 2))
        _call('causal_softmax', b * kv * g * t, t, hd ** -0.5, p)
        apart, o = torch.bmm(p, v), torch.empty(b * t, kv * g * hd, dtype=BF16)
        _call('merge', b, t, kv * g, hd, 1, o, apart)
        ctx.save_for_backward(q, k, v, p, cos, sin)
        ctx.shape = b, t, kv, g, hd
        return o

    @staticmethod
    def backward(ctx, go):
        q, k, v, p, cos, sin = ctx.saved_tensors
        b, t, kv, g, hd = ctx.shape
        apart = torch.empty_like(q)
        _call('merge', b, t, kv * g, hd, 0, go.contiguous(), apart)
        gv = torch.bmm(p.transpose(1, 2), apart)
        gs = torch.bmm(apart, v.transpose(1, 2))
        _call('causal_softmax_back', b * kv * g * t, t, hd ** -0.5, p, gs)
        gq, gk = torch.bmm(gs, k), torch.bmm(gs.transpose(1, 2), q)
        gqkv = torch.empty(b * t, (kv * g + 2 * kv) * hd, dtype=BF16)
        _call('heads', b, t, kv, g, hd, 1, gqkv, gq, gk.contiguous(), gv.contiguous(), cos, sin)
        return gqkv, None, None, None, None, None


class CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        n, v = logits.shape
        loss, grad = torch.empty(n), torch.empty_like(logits)
        _call('cross_entropy', n, v, logits, target, loss, grad)
        ctx.save_for_backward(grad)
        return loss.mean()

    @staticmethod
    def backward(ctx, g):
        return ctx.saved_tensors[0].mul_(g.to(BF16)), None


class Divergence(torch.autograd.Function):
    """(logits of the full pass, taken as given; logits of the draft) to (mean KL, share of equal largest logits)."""

    @staticmethod
    def forward(ctx, full, draft):
        n, v = draft.shape
        loss, grad, agree = torch.empty(n), torch.empty_like(draft), torch.empty(n)
        _call('divergence', n, v, full, draft, loss, grad, agree)
        ctx.save_for_backward(grad)
        agree = agree.mean()
        ctx.mark_non_differentiable(agree)
        return loss.mean(), agree

    @staticmethod
    def backward(ctx, g, _):
        return None, ctx.saved_tensors[0].mul_(g.to(BF16))


def weights(model):
    """The weights of the matrix products in bfloat16, those with one input in one matrix; to be made anew after a step."""
    layers = [(torch.cat([a.q_proj.weight, a.k_proj.weight, a.v_proj.weight]).to(BF16), a.o_proj.weight.to(BF16),
               torch.cat([m.gate_proj.weight, m.up_proj.weight]).to(BF16), m.down_proj.weight.to(BF16))
              for a, m in ((layer.self_attn, layer.mlp) for layer in model.layers)]
    return layers, model.embed_tokens.weight.to(BF16)


def forward(model, made, ids, skip=None):
    """Logits [b t, vocabulary] in bfloat16 of ids [b, t]; made: weights(model); skip as in Llama.forward."""
    c, (b, t) = model.config, ids.shape
    layers, head = made
    kv, eps = c['num_key_value_heads'], c['rms_norm_eps']
    g = c['num_attention_heads'] // kv
    cos, sin = model.cos[:t].contiguous(), model.sin[:t].contiguous()
    x, delta = model.embed_tokens(ids).view(b * t, -1), None
    for i, (layer, (qkv, o, gu, down)) in enumerate(zip(model.layers, layers)):
        if skip is None or not skip[2 * i]:
            x, y = AddNorm.apply(x, delta, layer.input_layernorm.weight, eps)
            delta = Attend.apply(y @ qkv.t(), b, kv, g, cos, sin) @ o.t()
        if skip is None or not skip[2 * i + 1]:
            x, y = AddNorm.apply(x, delta, layer.post_attention_layernorm.weight, eps)
            delta = SwiGlu.apply(y @ gu.t()) @ down.t()
    _, y = AddNorm.apply(x, delta, model.norm.weight, eps)
    return y @ head.t()


def _check():
    """Losses and gradients against the plain model in float32, and the speed of both."""
    import sys, time
    import torch.nn.functional as F
    from model import Llama, read_hf
    torch.manual_seed(0)
    config, tensors = read_hf(sys.argv[1])
    model = Llama(config)
    model.load_state_dict(tensors)
    ids = torch.randint(0, config['vocab_size'], (3, 129))
    x, y = ids[:, :-1], ids[:, 1:].reshape(-1)
    skip = (torch.rand(2 * config['num_hidden_layers']) < 0.5).tolist()

    def gradients(loss):
        model.zero_grad()
        loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    def plain(kind):
        full = model(x).flatten(0, 1)
        if kind == 'ce':
            return F.cross_entropy(full, y)
        draft = model(x, skip).flatten(0, 1)
        return F.kl_div(F.log_softmax(draft, -1), F.log_softmax(full.detach(), -1), reduction='batchmean', log_target=True)

    def fused(kind):
        made = weights(model)
        full = forward(model, made, x)
        return CrossEntropy.apply(full, y) if kind == 'ce' else Divergence.apply(full.detach(), forward(model, made, x, skip))[0]

    for kind in ('ce', 'kl'):
        a, b = plain(kind), fused(kind)
        ga, gb = gradients(a), gradients(b)
        assert ga.keys() == gb.keys()
        worst = max((float((ga[k] - gb[k]).norm() / ga[k].norm()), k) for k in ga)
        print(f'{kind}: loss {float(a):.4f} plain, {float(b):.4f} fused; largest difference of a gradient {worst[0]:.4f} ({worst[1]})')
        assert abs(float(a) - float(b)) < 0.01 * float(a) and worst[0] < 0.1
    ids = torch.randint(0, config['vocab_size'], (16, 257))
    x, y = ids[:, :-1], ids[:, 1:].reshape(-1)
    for name in ('plain', 'fused', 'plain', 'fused'):
        start = time.time()
        for _ in range(3):
            if name == 'fused':
                loss = fused('ce')
            else:
                with torch.autocast('cpu', BF16):
                    logits = model(x)
                loss = F.cross_entropy(logits.float().flatten(0, 1), y)
            loss.backward()
        print(f'{name}: {3 * y.numel() / (time.time() - start):.0f} tokens/s')


if __name__ == '__main__':
    _check()
