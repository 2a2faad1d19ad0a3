# SPDX-License-Identifier: MIT
"""Milliseconds per iteration of the toy experiment in PyTorch, for comparison with this project's program.

--method meg, vera, dcgan or sngan: methods.py, with the networks of Table 6. ebm_bb, the default, is the published algorithm,
written the way a practised PyTorch user would: float32, batch 200, two hidden layers of 100, Adam(0, 0.9) at 2e-4, penalty
weight 0.001, hinge 1, entropy weight 1, one energy and one generator update an iteration, fresh 25-Gaussians data each
iteration. The smallest singular value s1 of the generator's Jacobian J:
    --lower-bound exact    J by forward accumulation through the layers (d = 2 columns carried beside the values, as the
                           authors' layer library does), then torch.linalg.svd: the authors' toy script
    --lower-bound lobpcg   the authors' image script: J v by double backward, J^T u by backward, a Rayleigh-Ritz step on
                           the SVD basis of {v, r, p}, --lobpcg-iterations of them
    --jacobian backward    for `exact`: the columns of J by double backward instead (slower)
Nothing is slowed down: samples are detached in the energy step, no graph is kept that is not used, Adam is the fused
one, gradients are asked for the network being updated only. --as-published leaves all that out: backward() through
everything that hangs together, wasted gradients zeroed later, Adam's plain loop, as the public script does.

    python3 bench/pytorch/toy.py [--threads 2] [--device cuda] [--iterations 400]

Prints one JSON object: ms_per_iteration is the median over chunks of 20 iterations.
"""
from __future__ import annotations

import argparse
import json
import statistics
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit("bench/pytorch/toy.py: PyTorch is missing: install it with `python3 -m pip install torch`")

import methods

LATENT, DATA = 2, 2
PENALTY_WEIGHT, HINGE, ENTROPY_WEIGHT = 0.001, 1.0, 1.0


class Generator(nn.Sequential):
    def __init__(self, hidden: int):
        super().__init__(nn.Linear(LATENT, hidden), nn.PReLU(), nn.BatchNorm1d(hidden), nn.Linear(hidden, hidden),
                         nn.PReLU(), nn.BatchNorm1d(hidden), nn.Linear(hidden, DATA))

    def jacobian(self, z):
        """J (B x D x d) with the running statistics: the columns of J travel along with the values."""
        J = None
        for layer in self:
            if isinstance(layer, nn.Linear):
                J = layer.weight.expand(z.shape[0], -1, -1) if J is None else layer.weight @ J
                z = layer(z)
            elif isinstance(layer, nn.PReLU):
                J = torch.where(z > 0, 1.0, layer.weight).unsqueeze(2) * J
                z = layer(z)
            else:
                scale = layer.weight * torch.rsqrt(layer.running_var + layer.eps)
                J = scale[:, None] * J
                z = (z - layer.running_mean) * scale + layer.bias
        return J


def make_energy(hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(DATA, hidden), nn.PReLU(), nn.Linear(hidden, hidden), nn.PReLU(),
                         nn.Linear(hidden, 1), nn.Linear(1, 1, bias=False))


def make_statistics(hidden: int) -> methods.Statistics:
    return methods.Statistics(nn.Sequential(nn.Linear(DATA, hidden), nn.PReLU(), nn.Linear(hidden, hidden)),
                              nn.Sequential(nn.Linear(hidden + LATENT, hidden), nn.PReLU(), nn.Linear(hidden, 1)))


def data_of(batch: int):
    """Draws a batch of the 25 Gaussians."""
    side = torch.arange(-2, 3, dtype=torch.float32) * 2 / 2.828
    centres = torch.cartesian_prod(side, side)[torch.arange(batch) % 25]
    return lambda: centres + 0.05 / 2.828 * torch.randn(batch, DATA)


def make_method(args):
    if args.method == "ebm_bb":
        return EbmBb(args)
    energy = make_energy(args.hidden)[:-1].append(nn.Flatten(0))  # without the preset `code`'s last layer
    statistics = [make_statistics(args.hidden)] if args.method == "meg" else []
    return methods.METHODS[args.method](args, energy, Generator(args.hidden), LATENT, data_of(args.batch), *statistics)


def jacobian_backward(generator, z):
    y = generator(z)
    weights = torch.ones_like(y, requires_grad=True)
    u = torch.autograd.grad(y, z, weights, create_graph=True)[0]
    return torch.stack([torch.autograd.grad(u[:, j].sum(), weights, create_graph=True)[0] for j in range(LATENT)], 2)


class Exact:
    """log s1 and J v0 from the whole Jacobian."""

    def __init__(self, generator, by: str):
        self.generator, self.by = generator, by

    def __call__(self, z, _v0):
        J = self.generator.jacobian(z) if self.by == "forward" else jacobian_backward(self.generator, z)
        return torch.linalg.svd(J, full_matrices=False)[1][:, -1].log(), lambda v: (J @ v.unsqueeze(2)).squeeze(2)


class Lobpcg:
    """log s1 and J v0 from Jacobian products alone, as the authors' image script has them."""

    def __init__(self, generator, iterations: int):
        self.generator, self.iterations = generator, iterations

    def __call__(self, z, v0):
        y = self.generator(z)
        weights = torch.ones_like(y, requires_grad=True)
        u = torch.autograd.grad(y, z, weights, create_graph=True)[0]

        def forward_product(v, graph):
            return torch.autograd.grad(u, weights, v, create_graph=graph, retain_graph=True)[0]

        def backward_product(w):
            return torch.autograd.grad(y, z, w, retain_graph=True)[0]

        v, p = v0, torch.randn_like(v0)
        Jv = forward_product(v, graph=self.iterations == 0)
        mu = Jv.norm(dim=1) / v.norm(dim=1)
        for k in range(self.iterations):
            with torch.no_grad():
                r = backward_product(Jv.detach()) - mu.detach().square()[:, None] * v
                r = torch.nan_to_num(r / r.mean(1, keepdim=True), 0, 0, 0)  # r = 0 where v has converged
                basis = torch.linalg.svd(torch.stack([v, r, p], 2), full_matrices=False)[0]
            columns = [forward_product(basis[:, :, j], graph=False) for j in range(basis.shape[2])]
            w = torch.linalg.svd(torch.stack(columns, 2), full_matrices=False)[2][:, -1, :, None]
            p = (basis[:, :, 1:] @ w[:, 1:]).squeeze(2)
            v = (basis @ w).squeeze(2)
            Jv = forward_product(v, graph=k + 1 == self.iterations)
            mu = Jv.norm(dim=1) / v.norm(dim=1)
        return mu.log(), lambda vector: forward_product(vector, graph=False)


class EbmBb:
    def __init__(self, args):
        self.batch, self.as_published = args.batch, args.as_published
        self.energy, self.generator = make_energy(args.hidden), Generator(args.hidden)
        self.log_s1 = (Exact(self.generator, args.jacobian) if args.lower_bound == "exact"
                       else Lobpcg(self.generator, args.lobpcg_iterations))
        self.adams = [torch.optim.Adam(n.parameters(), 2e-4, (0.0, 0.9), 1e-6, fused=args.adam == "fused" and not args.as_published,
                                       foreach=args.adam == "foreach" and not args.as_published) for n in (self.energy, self.generator)]
        self.data = data_of(args.batch)

    def update(self, adam, loss, network):
        if self.as_published:
            adam.zero_grad()
            loss.backward()
        else:
            found = torch.autograd.grad(loss, tuple(network.parameters()))
            for parameter, gradient in zip(network.parameters(), found):
                parameter.grad = gradient
        adam.step()

    def energy_step(self):
        x = self.data()
        z = torch.randn(self.batch, LATENT, requires_grad=True)
        v0 = torch.randn(self.batch, LATENT)
        self.generator.train()
        with torch.set_grad_enabled(self.as_published):
            fake = self.generator(z)
        if not self.as_published:
            fake.requires_grad_()
        energy_real, energy_fake = self.energy(x), self.energy(fake)
        slope = torch.autograd.grad(energy_fake.sum(), fake, create_graph=True)[0]
        self.generator.eval()
        log_s1, product = self.log_s1(z, v0)
        minus_log_density = z.square().sum() / 2 + LATENT * log_s1.sum()
        a = torch.autograd.grad(minus_log_density, z, retain_graph=True, create_graph=self.as_published)[0].detach()
        residual = (slope * product(v0).detach()).sum(1) - (a * v0).sum(1)
        penalty = residual.square().mean() / 2
        loss = (energy_real - energy_fake).mean() + torch.relu(PENALTY_WEIGHT * penalty - HINGE)
        self.update(self.adams[0], loss, self.energy)
        return loss.detach()

    def generator_step(self):
        z = torch.randn(self.batch, LATENT, requires_grad=True)
        self.generator.train()
        fooled = self.energy(self.generator(z)).mean()
        self.generator.eval()
        log_s1, _ = self.log_s1(z, torch.randn(self.batch, LATENT))
        loss = fooled - ENTROPY_WEIGHT * LATENT * log_s1.mean()
        self.update(self.adams[1], loss, self.generator)
        return loss.detach()

    def iterate(self):
        return self.energy_step(), self.generator_step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    methods.add_arguments(parser)
    parser.add_argument("--lower-bound", choices=("exact", "lobpcg"), default="exact")
    parser.add_argument("--jacobian", choices=("forward", "backward"), default="forward")
    parser.add_argument("--lobpcg-iterations", type=int, default=2)
    parser.add_argument("--as-published", action="store_true")
    parser.add_argument("--adam", choices=("fused", "foreach", "loop"), default="fused")
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=400)
    parser.add_argument("--warm-up", type=int, default=50)
    parser.add_argument("--chunk", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_default_device(args.device)
    on_gpu = torch.device(args.device).type == "cuda"
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    method = make_method(args)
    for _ in range(args.warm_up):
        losses = method.iterate()
    if on_gpu:
        torch.cuda.synchronize()
    times = []
    for _ in range(max(1, args.iterations // args.chunk)):
        start = time.perf_counter()
        for _ in range(args.chunk):
            losses = method.iterate()
        if on_gpu:
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / args.chunk * 1e3)
    print(json.dumps({"ms_per_iteration": round(statistics.median(times), 4), "fastest_chunk": round(min(times), 4),
                      "slowest_chunk": round(max(times), 4), "method": args.method, "lower_bound": args.lower_bound,
                      "jacobian": args.jacobian, "as_published": args.as_published, "adam": args.adam, "batch": args.batch, "hidden": args.hidden,
                      "device": args.device, "threads": torch.get_num_threads(), "torch": torch.__version__,
                      "loss_energy": float(losses[0]), "loss_generator": float(losses[1])}))


if __name__ == "__main__":
    main()
