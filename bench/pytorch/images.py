# SPDX-License-Identifier: MIT
"""Milliseconds per iteration on images in PyTorch, for comparison with this project's program.

Batch 64, latent dimension 128, made-up images. The networks of Table 8 for images of 32 x 32, or with --networks stacked those
of Table 7 for images like StackedMNIST's, 28 x 28. --method meg, vera, dcgan or sngan: methods.py.
ebm_bb, the default, with K = 2 LOBPCG iterations and the constants of the authors' code, is two programs:

    --algorithm authors    the published one: samples stay attached, J v by double backward, in each LOBPCG iteration
                           three products for the basis and one more for the new v, the penalty by a second backward of E,
                           gradients of everything that hangs together
    --algorithm best       what PyTorch can do of this project's structure: J v and J p are combinations of products that
                           were computed (a product for p0, one for v0 and one an iteration), J v0 is free, E'(x; J v0) by
                           forward mode, one backward pass for both gradients of the entropy, none that is thrown away

    python3 bench/pytorch/images.py --algorithm best [--threads 2] [--device cuda] [--iterations 5]
    python3 bench/pytorch/images.py --method sngan [--energy-steps 5] ...

Prints one JSON object: ms_per_iteration is the median, cpu_ms_per_iteration that of all threads' time on a core,
peak_mib the most memory that the process has had.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.func import jvp
except ImportError:
    sys.exit("bench/pytorch/images.py: PyTorch is missing: install it with `python3 -m pip install torch`")

import methods

LATENT = 128
PENALTY_WEIGHT, HINGE, ENTROPY_WEIGHT = 0.001, 0.0, 1e-4


class Cifar10:
    """Table 8; `width`: channels of the narrowest convolution."""

    shape, width, rate, beta2 = (3, 32, 32), 64, 5e-5, 0.999

    @staticmethod
    def trunk(c: int, features: int) -> nn.Sequential:
        sizes = [(3, c, 3), (c, c, 4), (c, 2 * c, 3), (2 * c, 2 * c, 4), (2 * c, 4 * c, 3), (4 * c, 4 * c, 4), (4 * c, 8 * c, 3)]
        layers = []
        for inputs, outputs, kernel in sizes:
            layers += [nn.Conv2d(inputs, outputs, kernel, stride=1 if kernel == 3 else 2, padding=1), nn.LeakyReLU(0.1)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * c * 16, features))

    @staticmethod
    def generator(c: int) -> nn.Sequential:
        layers = [nn.Linear(LATENT, 8 * c * 16), nn.Unflatten(1, (8 * c, 4, 4))]
        for inputs, outputs in ((8 * c, 4 * c), (4 * c, 2 * c), (2 * c, c)):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers, nn.Conv2d(c, 3, 3, padding=1), nn.Tanh())


class Stacked:
    """Table 7 for three channels; `width`: of the widest layers."""

    shape, width, rate, beta2 = (3, 28, 28), 2000, 2e-4, 0.9

    @staticmethod
    def trunk(width: int, features: int) -> nn.Sequential:
        sizes = [math.prod(Stacked.shape), *(width // part for part in (1, 2, 4, 8, 8))]
        layers = [nn.Flatten()]
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Linear(inputs, outputs), nn.PReLU()]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], features))

    @staticmethod
    def generator(width: int) -> nn.Sequential:
        sizes = [LATENT, width // 4, width // 2, width]
        layers = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.PReLU()]
        return nn.Sequential(*layers, nn.Linear(width, math.prod(Stacked.shape)), nn.Tanh(), nn.Unflatten(1, Stacked.shape))


NETWORKS = {"cifar10": Cifar10, "stacked": Stacked}


def make_energy(args) -> nn.Sequential:
    return args.networks.trunk(args.width, 1).append(nn.Flatten(0))


def make_statistics(args) -> methods.Statistics:
    head = nn.Sequential(nn.Linear(2 * LATENT, 512), nn.LeakyReLU(0.1), nn.Linear(512, 1))
    return methods.Statistics(args.networks.trunk(args.width, LATENT), head)


def make_data(args) -> torch.Tensor:
    return torch.rand(args.batch, *args.networks.shape).mul(2).sub(1).contiguous(memory_format=args.memory_format)


def flat_norm(x):
    return x.flatten(1).norm(dim=1)


class Jacobian:
    """J = dG/dz with the running statistics at z; J v is the derivative of J^T w, which is linear in w, in direction v."""

    def __init__(self, generator, z):
        self.z, self.y = z, generator(z)
        self.w = torch.ones_like(self.y, requires_grad=True)
        self.jtw = torch.autograd.grad(self.y, z, self.w, create_graph=True)[0]

    def apply(self, v, graph: bool = False):
        return torch.autograd.grad(self.jtw, self.w, v, create_graph=graph, retain_graph=True)[0]

    def transposed(self, u):
        return torch.autograd.grad(self.y, self.z, u, retain_graph=True)[0]


def residual(jacobian, v, jv, mu):
    """J^T J v - mu^2 v over its mean, as the published code scales it; 0 where v has converged."""
    r = jacobian.transposed(jv) - mu.square()[:, None] * v
    return torch.nan_to_num(r / r.mean(1, keepdim=True), 0, 0, 0)


def smallest_right_vector(columns):
    """The smallest right singular vector of the matrices B x ... x 3."""
    return torch.linalg.svd(columns.flatten(1, -2), full_matrices=False)[2][:, -1]


class EbmBb:
    def __init__(self, args):
        self.batch, self.steps = args.batch, args.lobpcg_iterations
        self.energy = make_energy(args).to(memory_format=args.memory_format)
        self.generator = args.networks.generator(args.width).to(memory_format=args.memory_format)
        self.data = make_data(args)
        self.adams = [torch.optim.Adam(n.parameters(), args.networks.rate, (0.0, args.networks.beta2), 1e-6, fused=args.algorithm == "best")
                      for n in (self.energy, self.generator)]

    def normal(self, **options):
        return torch.randn(self.batch, LATENT, **options)

    def iterate(self):
        return self.energy_step(), self.generator_step()


class Authors(EbmBb):
    def lobpcg(self, jacobian, v0):
        v, p = v0, self.normal()
        jv = jacobian.apply(v, graph=True)
        mu = flat_norm(jv) / v.norm(dim=1)
        for _ in range(self.steps):
            r = residual(jacobian, v, jv.detach(), mu.detach())
            basis = torch.linalg.svd(torch.stack([v, r, p], 2), full_matrices=False)[0]
            images = torch.stack([jacobian.apply(basis[:, :, j]) for j in range(3)], -1)
            w = smallest_right_vector(images)[:, :, None]
            p = (basis[:, :, 1:] @ w[:, 1:]).squeeze(2)
            v = (basis @ w).squeeze(2)
            jv = jacobian.apply(v, graph=True)
            mu = flat_norm(jv) / v.norm(dim=1)
        return mu

    def energy_step(self):
        z, v0 = self.normal(requires_grad=True), self.normal()
        self.generator.train()
        fake = self.generator(z)
        energy_real, energy_fake = self.energy(self.data), self.energy(fake)
        slope = torch.autograd.grad(energy_fake.sum(), fake, create_graph=True)[0]
        self.generator.eval()
        jacobian = Jacobian(self.generator, z)
        entropy = LATENT * self.lobpcg(jacobian, v0).log()
        minus_log_density = z.square().sum() / 2 + entropy.sum()
        a = torch.autograd.grad(minus_log_density, z, create_graph=True)[0]
        target, jv0 = (a * v0).sum(1).detach(), jacobian.apply(v0).detach()
        penalty = ((slope * jv0).flatten(1).sum(1) - target).square().mean() / 2
        loss = (energy_real - energy_fake).mean() + torch.relu(PENALTY_WEIGHT * penalty - HINGE)
        self.adams[0].zero_grad()
        loss.backward(retain_graph=True)
        self.adams[0].step()
        self.entropy = entropy.mean()
        return loss.detach()

    def generator_step(self):
        self.generator.train()
        loss = self.energy(self.generator(self.normal())).mean() - ENTROPY_WEIGHT * self.entropy
        self.adams[1].zero_grad()
        loss.backward()
        self.adams[1].step()
        del self.entropy
        return loss.detach()


class Best(EbmBb):
    def lobpcg(self, jacobian, v0):
        """The vector v, and J v0."""
        norm = v0.norm(dim=1, keepdim=True)
        v, p = v0, self.normal()
        jv0 = jv = jacobian.apply(v)
        jp = jacobian.apply(p)
        mu = flat_norm(jv) / norm.squeeze(1)
        for _ in range(self.steps):
            r = residual(jacobian, v, jv, mu)
            vectors = torch.stack([v, r, p], 2)
            images = torch.stack([jv, jacobian.apply(r), jp], -1)
            basis, s, right = torch.linalg.svd(vectors, full_matrices=False)
            change = right.mT / s[:, None, :]  # vectors @ change = basis
            images = (images.flatten(1, -2) @ change)
            w = smallest_right_vector(images)[:, :, None]
            p, jp = (basis[:, :, 1:] @ w[:, 1:]).squeeze(2), (images[:, :, 1:] @ w[:, 1:]).view_as(jv)
            v, jv = (basis @ w).squeeze(2), (images @ w).view_as(jv)
            mu = flat_norm(jv) / v.norm(dim=1)
        return v, jv0

    def energy_step(self):
        z, v0 = self.normal(requires_grad=True), self.normal()
        self.generator.train()
        with torch.no_grad():
            fake = self.generator(z)
        self.generator.eval()
        jacobian = Jacobian(self.generator, z)
        v, jv0 = self.lobpcg(jacobian, v0)
        entropy = LATENT * (flat_norm(jacobian.apply(v, graph=True)) / v.norm(dim=1)).log()
        score, *self.entropy_gradient = torch.autograd.grad(entropy.sum(), (z, *self.generator.parameters()), allow_unused=True)
        self.entropy = entropy.detach().mean()
        del jacobian, entropy
        target = ((z.detach() + score) * v0).sum(1)
        energy_fake, slope = jvp(self.energy, (fake,), (jv0,))
        penalty = (slope - target).square().mean() / 2
        loss = (self.energy(self.data) - energy_fake).mean() + torch.relu(PENALTY_WEIGHT * penalty - HINGE)
        self.update(self.adams[0], self.energy, torch.autograd.grad(loss, tuple(self.energy.parameters())))
        return loss.detach()

    def generator_step(self):
        self.generator.train()
        fooled = self.energy(self.generator(self.normal())).mean()
        found = torch.autograd.grad(fooled, tuple(self.generator.parameters()))
        share = -ENTROPY_WEIGHT / self.batch
        self.update(self.adams[1], self.generator, [g if e is None else g.add_(e, alpha=share)
                                                    for g, e in zip(found, self.entropy_gradient)])
        return fooled.detach() - ENTROPY_WEIGHT * self.entropy

    @staticmethod
    def update(adam, network, gradients):
        for parameter, gradient in zip(network.parameters(), gradients):
            parameter.grad = gradient
        adam.step()


def make_method(args):
    if args.method == "ebm_bb":
        return (Authors if args.algorithm == "authors" else Best)(args)
    networks = [make_energy(args), args.networks.generator(args.width)]
    if args.method == "meg":
        networks.append(make_statistics(args))
    energy, generator, *statistics = (network.to(memory_format=args.memory_format) for network in networks)
    data = make_data(args)
    return methods.METHODS[args.method](args, energy, generator, LATENT, lambda: data, *statistics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    methods.add_arguments(parser)
    parser.add_argument("--algorithm", choices=("authors", "best"), default="authors", help="of ebm_bb")
    parser.add_argument("--channels-last", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--lobpcg-iterations", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--networks", choices=NETWORKS, default="cifar10")
    parser.add_argument("--width", type=int, default=0, help="channels of the narrowest convolution; stacked: of the widest layers")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    name, args.networks = args.networks, NETWORKS[args.networks]
    args.width = args.width or args.networks.width
    args.memory_format = torch.channels_last if args.channels_last else torch.contiguous_format
    torch.set_default_device(args.device)
    on_gpu = torch.device(args.device).type == "cuda"
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    method = make_method(args)
    times, cpu_times = [], []
    for _ in range(args.warm_up + args.iterations):
        start, cpu_start = time.perf_counter(), time.process_time()
        losses = method.iterate()
        if on_gpu:
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e3)
        cpu_times.append((time.process_time() - cpu_start) * 1e3)
    times, cpu_times = times[args.warm_up:], cpu_times[args.warm_up:]
    print(json.dumps({"ms_per_iteration": round(statistics.median(times), 1), "fastest": round(min(times), 1),
                      "slowest": round(max(times), 1), "cpu_ms_per_iteration": round(statistics.median(cpu_times), 1),
                      "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
                      "networks": name, "method": args.method, "algorithm": args.algorithm, "channels_last": args.channels_last,
                      "batch": args.batch,
                      "device": args.device, "threads": torch.get_num_threads(), "torch": torch.__version__,
                      "loss_energy": float(losses[0]), "loss_generator": float(losses[1])}))


if __name__ == "__main__":
    main()
