"""Muon (Jordan 2024) for matrices, AdamW for the rest; equal shapes are orthogonalised in one batched product."""
import torch


def orthogonalise(m, steps=5):
    """The nearest semi-orthogonal matrices to a batch [n, rows, columns], by a quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    flip = m.shape[1] > m.shape[2]
    x = m.transpose(1, 2) if flip else m
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16().contiguous()
    for _ in range(steps):
        s = x @ x.transpose(1, 2).contiguous()
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.transpose(1, 2) if flip else x).float()


class Muon(torch.optim.Optimizer):
    """Updates have the root mean square that AdamW's would have (factor 0.2 sqrt(max(rows, columns)), Liu et al. 2025)."""

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.1):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group['params']:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault('momentum', torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group['momentum'])
                shapes.setdefault(tuple(p.shape), []).append((p, p.grad.lerp(buffer, group['momentum'])))
            for shape, members in shapes.items():
                updates = orthogonalise(torch.stack([g for _, g in members]))
                for (p, _), update in zip(members, updates):
                    p.mul_(1 - group['lr'] * group['weight_decay'])
                    p.add_(update, alpha=-group['lr'] * 0.2 * max(shape) ** 0.5)
