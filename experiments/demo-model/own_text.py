"""Training on the model's own greedy text: its loops are made unlikely, and its drafts learn what they will be asked to draft.

The first is the sequence-level unlikelihood of Welleck et al. 2020, section 5.2 (equation 5), on rows that loop only, so that
what repeats in good text too (names in code, placeholders in help pages) is left alone; the second is the on-policy data of
Zhou et al. 2024, "DistillSpec".
"""
import torch
import torch.nn.functional as F
from cpu import BF16
from model import rotate

RUN = 4
LOOP = 0.35


@torch.no_grad()
def greedy(model, made, ids, n):
    """ids [b, t] with n greedy tokens after them: one pass of many tokens, then n - 1 of one with cached keys and values."""
    c, (b, t) = model.config, ids.shape
    layers, head = made
    kv, h, hd = c['num_key_value_heads'], c['num_attention_heads'], c['head_dim']
    keys, values = (torch.zeros(len(layers), b, kv, t + n, hd, dtype=BF16) for _ in 'kv')
    out = [ids]
    for step in range(n):
        at, new = (0, t) if step == 0 else (t + step - 1, 1)
        end = at + new
        x, cos, sin = model.embed_tokens(out[-1]), model.cos[at:end], model.sin[at:end]
        for i, (layer, (qkv, o, gu, down)) in enumerate(zip(model.layers, layers)):
            y = F.linear(layer.input_layernorm(x).to(BF16), qkv).view(b, new, h + 2 * kv, hd).transpose(1, 2)
            q, k, v = y.split((h, kv, kv), 1)
            keys[i, :, :, at:end], values[i, :, :, at:end] = rotate(k.float(), cos, sin).to(BF16), v
            q = rotate(q.float(), cos, sin).to(BF16).reshape(b, kv, h // kv * new, hd)
            s = (q @ keys[i, :, :, :end].transpose(-1, -2)).view(b, kv, h // kv, new, end).float() * hd ** -0.5
            if new > 1:
                s = s + torch.full((new, new), -1e9).triu(1)
            p = s.softmax(-1).to(BF16).view(b, kv, h // kv * new, end)
            heads = (p @ values[i, :, :, :end]).view(b, h, new, hd).transpose(1, 2).reshape(b, new, h * hd)
            x = x + F.linear(heads, o).float()
            gate, up = F.linear(layer.post_attention_layernorm(x).to(BF16), gu).chunk(2, -1)
            x = x + F.linear(gate * torch.sigmoid(gate) * up, down).float()
        out.append(F.linear(model.norm(x[:, -1:]).to(BF16), head).argmax(-1))
    return torch.cat(out, 1)


def repeated(row):
    """Which tokens of a list end a run of RUN tokens that occurred in it before."""
    seen, marks = set(), []
    for i in range(len(row)):
        run = tuple(row[max(0, i - RUN + 1):i + 1])
        marks.append(len(run) == RUN and run in seen)
        seen.add(run)
    return marks


def unlikelihood(logits, text, n):
    """Mean of -log(1 - p) over the repeated tokens among the last n of the rows that loop, and the share of repeats in all rows.

    logits [b, t - 1, v] are of text[:, :-1]; the loss is None where no row loops.
    """
    marks = torch.tensor([repeated(row) for row in text[:, -n:].tolist()])
    share = marks[:, RUN - 1:].float().mean(1)
    rows, at = torch.nonzero(marks & (share > LOOP)[:, None], as_tuple=True)
    if len(rows) == 0:
        return None, float(share.mean())
    at = at + text.shape[1] - n
    p = logits[rows, at - 1].float().softmax(-1).gather(1, text[rows, at][:, None])
    return -torch.log1p(-p.clamp(max=1 - 1e-4)).mean(), float(share.mean())
