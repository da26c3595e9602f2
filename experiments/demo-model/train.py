"""Trains the bundled model on a CPU: deepens a checkpoint and trains on, with a second loss that makes it tolerate skipping.

    python3 train.py --data ENCODED --start STARTER --out OUT

Every other step adds KL(full pass || pass with a random skip mask), the full pass taken as given, to the cross-entropy of the
full pass and, --pull times, KL the other way, the skipping pass taken as given; from the part --own-from of the time on, every
--own-every'th step does so on the model's own text, too, and makes its loops unlikely (own_text.py). STARTER with half of the
layers is deepened, one with all of them is trained on. The learning rate falls to zero by the clock; OUT/state.pt is written
every few minutes and, when it is there, training goes on from it. At the end OUT has the model in the Hugging Face layout and
training.json, which tells of the runs before, too.
"""
import argparse, json, math, os, time
import numpy as np, torch
import cpu
from model import copy_tokenizer, grow, read_hf, write_hf
from optimiser import Muon
from own_text import greedy, unlikelihood

KINDS = {'stories': 0.22, 'help': 0.25, 'code': 0.31, 'math': 0.22}
LAYERS = 24
# A batch of the model's own text: rows, and new tokens of each.
OWN_ROWS, OWN_TOKENS = 32, 64
# Tokens in a window from that part of the time on.
LENGTHS = ((0.0, 256), (0.4, 512), (0.85, 1024))


def skip_propensity(layers):
    """How readily a sublayer is skipped in training: never in the first and last layer; new layers before old ones, and of
    the old ones every second before the others, so that the model grows a core that its sparse drafts rely on."""
    p = np.where(np.arange(layers) % 2 == 1, 1.0, np.where(np.arange(layers) % 4 == 2, 0.8, 0.45))
    p[[0, -1]] = 0
    return np.repeat(p, 2)


class Windows:
    """Windows of the training text, by kind."""

    def __init__(self, folder, rng):
        self.rng, self.ids, self.starts = rng, {}, {}
        for kind in KINDS:
            ids = np.fromfile(os.path.join(folder, f'{kind}.train.u16'), np.uint16)
            self.ids[kind], self.starts[kind] = ids, np.flatnonzero(ids == 0)

    def draw(self, rows, t, from_start):
        """Windows [rows, t]; that share of them begins where a document does."""
        out = np.empty((rows, t), np.int64)
        for row, kind in enumerate(self.rng.choice(list(KINDS), rows, p=list(KINDS.values()))):
            ids = self.ids[kind]
            at = self.rng.integers(len(ids) - t)
            if self.rng.random() < from_start:
                starts = self.starts[kind]
                at = min(starts[np.searchsorted(starts, at, 'right') - 1], len(ids) - t)
            out[row] = ids[at:at + t]
        return torch.from_numpy(out)

    def batch(self, rows, t):
        x = self.draw(rows, t + 1, 0.5)
        return x[:, :-1].contiguous(), x[:, 1:].contiguous()


def earlier_runs(start):
    """What training.json says of the runs of this script that led to the checkpoint."""
    path = os.path.join(start, 'training.json')
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return json.load(f).get('runs', [])


def main():
    p = argparse.ArgumentParser()
    for name, default in dict(data='', start='', out='', minutes=88.0, lr=7e-4, warmup=40, batch=4096, seed=0,
                              threads=2, kl=1.0, pull=0.5, loops=0.5, own_from=0.6, own_every=6, reach_low=0.5, reach_high=1.25).items():
        p.add_argument('--' + name.replace('_', '-'), type=type(default), default=default)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    rng = np.random.default_rng(a.seed)
    windows = Windows(a.data, rng)
    model = grow(*read_hf(a.start), LAYERS, LENGTHS[-1][1])
    matrices = [q for n, q in model.named_parameters() if q.dim() == 2 and 'embed' not in n]
    others = [q for n, q in model.named_parameters() if q.dim() < 2 or 'embed' in n]
    optimisers = [Muon(matrices, a.lr), torch.optim.AdamW(others, a.lr, (0.9, 0.95), weight_decay=0.0)]
    propensity = skip_propensity(model.config['num_hidden_layers'])
    state = dict(step=0, tokens=0, seconds=0.0)
    path = os.path.join(a.out, 'state.pt')
    os.makedirs(a.out, exist_ok=True)
    if os.path.exists(path):
        saved = torch.load(path)
        model.load_state_dict(saved['model'])
        for o, s in zip(optimisers, saved['optimisers']):
            o.load_state_dict(s)
        state = saved['state']
        rng.bit_generator.state = saved['rng']

    def save():
        torch.save(dict(model=model.state_dict(), optimisers=[o.state_dict() for o in optimisers], state=state,
                        rng=rng.bit_generator.state), path + '.tmp')
        os.replace(path + '.tmp', path)

    def random_mask():
        return (rng.random(len(propensity)) < np.minimum(1, propensity * rng.uniform(a.reach_low, a.reach_high))).tolist()

    def consistency(full, draft):
        """KL to the draft, share of equal choices, and the loss that draws the draft to the full pass and, less, it to the draft
        (Liang et al. 2021, "R-Drop"): what only the whole depth can say is for a good part learned by heart."""
        kl, agree = cpu.Divergence.apply(full.detach(), draft)
        back, _ = cpu.Divergence.apply(draft.detach(), full)
        return float(kl), agree, a.kl * kl + a.pull * back

    last_save, started, before = time.time(), time.time(), state['seconds']
    average = {}
    while True:
        state['seconds'] = before + time.time() - started
        done = state['seconds'] / (a.minutes * 60)
        if done >= 1:
            break
        rate = a.lr * min(1, (state['step'] + 1) / a.warmup, max(0.0, (1 - done) / 0.85))
        for o in optimisers:
            for g in o.param_groups:
                g['lr'] = rate
        t = [length for since, length in LENGTHS if done >= since][-1]
        skip = random_mask() if state['step'] % 2 == 1 else None
        sums = {}
        made = cpu.weights(model)
        x, y = windows.batch(a.batch // t, t)
        logits = cpu.forward(model, made, x)
        loss = cpu.CrossEntropy.apply(logits, y.flatten())
        sums['ce'] = float(loss)
        if skip is not None:
            sums['kl'], sums['agree'], both = consistency(logits, cpu.forward(model, made, x, skip))
            loss = loss + both
        loss.backward(retain_graph=True)
        if done >= a.own_from and state['step'] % a.own_every == 0:
            text = greedy(model, made, windows.draw(OWN_ROWS, int(rng.integers(24, 81)), 0.5), OWN_TOKENS)
            x = text[:, :-1].contiguous()
            logits = cpu.forward(model, made, x)
            loops, sums['loops'] = unlikelihood(logits.view(*x.shape, -1), text, OWN_TOKENS)
            _, sums['own_agree'], loss = consistency(logits, cpu.forward(model, made, x, random_mask()))
            if loops is not None:
                loss = loss + a.loops * loops
            loss.backward(retain_graph=True)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in optimisers:
            o.step()
            o.zero_grad(set_to_none=True)
        state['step'] += 1
        state['tokens'] += y.numel()
        for k, v in sums.items():
            v = float(v)
            average[k] = v if k not in average else 0.95 * average[k] + 0.05 * v
        if state['step'] % 20 == 0 or state['step'] < 4:
            figures = ' '.join(f'{k} {v:.3f}' for k, v in average.items())
            speed = state['tokens'] / state['seconds'] if state['seconds'] > 1 else 0
            print(f"step {state['step']} {state['seconds'] / 60:.1f} min {state['tokens'] / 1e6:.2f}M tokens {speed:.0f}/s "
                  f"lr {rate:.1e} T {t} {figures}", flush=True)
        if time.time() - last_save > 240:
            save()
            last_save = time.time()
    save()
    write_hf(model, a.out)
    copy_tokenizer(a.start, a.out)
    run = {**state, 'arguments': {k: v for k, v in vars(a).items() if k not in ('data', 'start', 'out')}}
    with open(os.path.join(a.out, 'training.json'), 'w') as f:
        json.dump({'runs': [*earlier_runs(a.start), run]}, f, indent=1)


if __name__ == '__main__':
    main()
