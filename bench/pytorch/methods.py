# SPDX-License-Identifier: MIT
"""An iteration of MEG, VERA, DCGAN and SNGAN in PyTorch, as a practised user would write it: nothing is computed twice, no
graph is kept that is not used, gradients are asked for what is updated alone, Adam is the fused one. toy.py and images.py
bring the networks and the data. E is an energy: the discriminator of a GAN is -E.

    dcgan, sngan   x and x~ go through E as one batch
    sngan          spectral norm by torch.nn.utils.parametrizations, one power iteration a forward pass
    meg            the gradient of E(x) in x comes from the pass that E(x) needs anyway; T's trunk sees x~ once
    vera           one pass of g for x~, whose graph serves the generator step; importance samples without a graph
Tests of what these compute: tests/golden/methods, which are plainer.
"""
from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

METHODS = ("meg", "vera", "dcgan", "sngan")
ENERGY_STEPS = {"meg": 5, "vera": 1, "dcgan": 2, "sngan": 5}
GENERATOR_BATCHES = {"sngan": 2}  # in batches of the energy step
# rate, betas, epsilon
ADAM = {"meg": (1e-4, (0.5, 0.9), 1e-8), "vera": (1e-4, (0.0, 0.9), 1e-8), "dcgan": (2e-4, (0.5, 0.999), 1e-6),
        "sngan": (2e-4, (0.0, 0.9), 1e-8)}
MEG_PENALTY, INFORMATION = 0.1, 1.0
VERA_PENALTY, ENTROPY, SIGMA_MIN, SIGMA_MAX = 0.1, 1e-4, 0.01, 0.3


def add_arguments(parser) -> None:
    parser.add_argument("--method", choices=("ebm_bb", *METHODS), default="ebm_bb")
    parser.add_argument("--energy-steps", type=int, default=0, help="an iteration; 0: meg 5, vera 1, dcgan 2, sngan 5")
    parser.add_argument("--importance-samples", type=int, default=20, help="of vera")


class Statistics(nn.Module):
    """MEG's T(x, z) = head([trunk(x), z])."""

    def __init__(self, trunk: nn.Module, head: nn.Module):
        super().__init__()
        self.trunk, self.head = trunk, head


class Base:
    def __init__(self, args, energy, generator, latent: int, data, statistics=None):
        """data(): the next batch of x."""
        self.batch, self.latent, self.data = args.batch, latent, data
        self.steps = args.energy_steps or ENERGY_STEPS[args.method]
        self.energy, self.generator, self.statistics = energy, generator.train(), statistics
        self.method, self.importance_samples = args.method, args.importance_samples
        self.energy_adam = self.adam(energy.parameters())
        self.prepare()

    def adam(self, parameters):
        rate, betas, epsilon = ADAM[self.method]
        return torch.optim.Adam(list(parameters), rate, betas, epsilon, fused=True)

    def normal(self, batches: int = 1):
        return torch.randn(batches * self.batch, self.latent)

    @staticmethod
    def update(adam, loss):
        """One step of `adam` down the gradients of the loss in its parameters."""
        parameters = adam.param_groups[0]["params"]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = gradient
        adam.step()
        return loss.detach()

    def fake(self):
        with torch.no_grad():
            return self.generator(self.normal())

    def iterate(self):
        for _ in range(self.steps):
            loss = self.energy_step()
        return loss, self.generator_step()


class Gan(Base):
    """DCGAN and SNGAN."""

    def prepare(self):
        if self.method == "sngan":
            for layer in self.energy.modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d)):
                    nn.utils.parametrizations.spectral_norm(layer)
            self.energy_adam = self.adam(self.energy.parameters())
        self.generator_adam = self.adam(self.generator.parameters())

    def energy_step(self):
        real, fake = self.energy(torch.cat([self.data(), self.fake()])).chunk(2)
        if self.method == "dcgan":
            return self.update(self.energy_adam, softplus(real).mean() + softplus(-fake).mean())
        return self.update(self.energy_adam, relu(1 + real).mean() + relu(1 - fake).mean())

    def generator_step(self):
        energies = self.energy(self.generator(self.normal(GENERATOR_BATCHES.get(self.method, 1))))
        return self.update(self.generator_adam, (softplus(energies) if self.method == "dcgan" else energies).mean())


def penalised(energy, x):
    """E(x), and mean ||grad E(x)||^2."""
    x = x.detach().requires_grad_()
    energies = energy(x)
    slope = torch.autograd.grad(energies.sum(), x, create_graph=True)[0]
    return energies, slope.flatten(1).square().sum(1).mean()


class Meg(Base):
    def prepare(self):
        self.generator_adam = self.adam([*self.generator.parameters(), *self.statistics.parameters()])
        self.labels = torch.cat([torch.ones(self.batch), torch.zeros(self.batch)])

    def energy_step(self):
        real, penalty = penalised(self.energy, self.data())
        return self.update(self.energy_adam, real.mean() - self.energy(self.fake()).mean() + MEG_PENALTY * penalty)

    def generator_step(self):
        z = self.normal()
        x = self.generator(z)
        features = self.statistics.trunk(x)
        shuffled = z[torch.randperm(self.batch)]
        pairs = torch.cat([torch.cat([features, features]), torch.cat([z, shuffled])], 1)
        information = binary_cross_entropy_with_logits(self.statistics.head(pairs).squeeze(1), self.labels)
        return self.update(self.generator_adam, self.energy(x).mean() + INFORMATION * information)


class Vera(Base):
    def prepare(self):
        self.logsigma = torch.full((), math.log(0.01)).requires_grad_()
        self.post_logsigma = torch.full((self.latent,), math.log(0.1)).requires_grad_()
        self.generator_adam = self.adam([*self.generator.parameters(), self.logsigma])
        self.posterior_adam = self.adam([self.post_logsigma])

    def energy_step(self):
        self.h = self.normal()
        mean = self.generator(self.h)
        self.x = mean + self.logsigma.exp() * torch.randn_like(mean)
        real, penalty = penalised(self.energy, self.data())
        fake = self.energy(self.x.detach())
        return self.update(self.energy_adam, real.mean() - fake.mean() + VERA_PENALTY / 2 * penalty)

    @torch.no_grad()
    def slope_of_entropy(self):
        """sum_k w_k (x~ - g(h_k)) / sigma^2. Of the log densities what all k have in common is left out."""
        precision, log_w, differences = torch.exp(-2 * self.logsigma), [], []
        for _ in range(self.importance_samples):
            eta = self.normal()
            h = self.h + self.post_logsigma.exp() * eta
            difference = self.x - self.generator(h)
            log_w.append((eta.square().sum(1) - h.square().sum(1) - precision * difference.flatten(1).square().sum(1)) / 2)
            differences.append(difference)
        w = torch.softmax(torch.stack(log_w), 0) * precision
        total = torch.zeros_like(self.x)
        for weight, difference in zip(w, differences):
            total.addcmul_(weight.view(-1, *[1] * (difference.ndim - 1)), difference)
        return total

    def generator_step(self):
        c = self.slope_of_entropy()
        loss = self.energy(self.x).mean() - ENTROPY * (c * self.x).sum() / self.batch
        loss = self.update(self.generator_adam, loss)
        with torch.no_grad():
            self.logsigma.clamp_(math.log(SIGMA_MIN), math.log(SIGMA_MAX))
        self.posterior_step(self.x.detach())
        del self.x
        return loss

    def posterior_step(self, x):
        h = self.h + self.post_logsigma.exp() * self.normal()
        squared = (x - self.generator(h)).flatten(1).square().sum(1)
        minus_joint = (squared * torch.exp(-2 * self.logsigma.detach()) + h.square().sum(1)).mean() / 2
        self.update(self.posterior_adam, minus_joint - self.post_logsigma.sum())


METHODS = {"meg": Meg, "vera": Vera, "dcgan": Gan, "sngan": Gan}
