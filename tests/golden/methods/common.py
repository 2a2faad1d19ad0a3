# SPDX-License-Identifier: MIT
"""What every method shares: its constants, and a learner: a network, its Adam, its rate, its average.

    rate       lr * min(1, (t + 1) / warm_up) * f(t),  t = 0, 1, ... the iteration, the same for all steps within it
               f = 1 (constant), max(0, 1 - t / horizon) (linear), (1 + cos(pi min(1, t / horizon))) / 2 (cosine),
               lr_step_factor for each of lr_first_step, lr_second_step that t / horizon has reached (steps)
    decay      weight_decay * value is added to each gradient, after clipping (Adam's L2)
    clip       gradients of one learner times min(1, clip / (norm + 1e-6)), norm that of all of them together
    average    decay * average + (1 - decay) * value after each step of the learner; its running statistics, and a
               spectral norm's u, are copied then. It starts at the initial values.
0 stands for: no warm-up, no clipping, no average.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    """The constants of a run, under the names they have as attributes of an iteration dump."""

    method: str = ""
    preset: str = "paper"
    lr_energy: float = 2e-4
    lr_generator: float = 2e-4
    adam_beta1: float = 0.0
    adam_beta2: float = 0.9
    adam_epsilon: float = 1e-6
    energy_steps: int = 1
    generator_steps: int = 1
    weight_decay: float = 0.0
    lr_schedule: str = "constant"  # constant, linear, cosine, steps
    lr_step_factor: float = 0.3
    lr_first_step: float = 0.8
    lr_second_step: float = 0.9
    networks: str = "shared"  # shared; own: those of the method's public code (own_networks.py)
    lr_horizon: int = 0
    warm_up: int = 0
    ema: float = 0.0
    clip_gradient_norm: float = 0.0
    generator_output: str = "linear"  # linear, tanh: what follows the generator's last linear layer
    bn_epsilon: float = 1e-5
    bn_momentum: float = 0.1


def rate_factor(config: Config, t: int) -> float:
    factor = min(1.0, (t + 1) / config.warm_up) if config.warm_up > 0 else 1.0
    if config.lr_schedule == "linear":
        return factor * max(0.0, 1 - t / config.lr_horizon)
    if config.lr_schedule == "cosine":
        return factor * (1 + math.cos(math.pi * min(1.0, t / config.lr_horizon))) / 2
    if config.lr_schedule == "steps":
        reached = sum(t / config.lr_horizon >= step for step in (config.lr_first_step, config.lr_second_step))
        return factor * config.lr_step_factor ** reached
    if config.lr_schedule != "constant":
        raise ValueError(f"lr_schedule {config.lr_schedule}: use constant, linear, cosine or steps")
    return factor


def state_of(network: nn.Module) -> dict:
    """Parameters, running statistics and u of spectral norms by name, without num_batches_tracked."""
    return {n: v for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}


class Learner:
    """limits: {parameter: (low, high)}, to which it is clamped after each step. disturb(gradient, the
    step's largest) is what a step uses in a gradient's place. smallest: {parameter: the smallest gradient over the step's largest}, over all steps."""

    def __init__(self, config: Config, network: nn.Module, lr: float, average: dict | None = None, limits=None):
        self.config, self.network, self.lr, self.limits = config, network, lr, limits or {}
        self.adam = torch.optim.Adam(network.parameters(), lr, (config.adam_beta1, config.adam_beta2),
                                     config.adam_epsilon, config.weight_decay)
        self.disturb, self.smallest = lambda gradient, _biggest: gradient, {}
        self.average = average
        if average is None and config.ema > 0:
            self.average = {n: v.detach().clone() for n, v in state_of(network).items()}

    def step(self, gradients: dict, t: int) -> None:
        biggest = max(float(g.detach().abs().max()) for g in gradients.values())
        used = {}
        for name, gradient in gradients.items():
            used[name] = self.disturb(gradient.detach(), biggest)
            share = float(gradient.detach().abs().min()) / biggest if biggest > 0 else 0.0
            self.smallest[name] = min(share, self.smallest.get(name, float("inf")))
        scale = 1.0
        if self.config.clip_gradient_norm > 0:
            norm = torch.stack([g.square().sum() for g in used.values()]).sum().sqrt()
            scale = torch.clamp(self.config.clip_gradient_norm / (norm + 1e-6), max=1.0)
        for name, parameter in self.network.named_parameters():
            parameter.grad = used[name] * scale
        self.adam.param_groups[0]["lr"] = self.lr * rate_factor(self.config, t)
        self.adam.step()
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                if name in self.limits:
                    parameter.clamp_(*self.limits[name])
                if self.average is not None:
                    self.average[name] = (self.config.ema * self.average[name]
                                          + (1 - self.config.ema) * parameter.detach())
            if self.average is not None:
                for name, value in state_of(self.network).items():
                    if name not in dict(self.network.named_parameters()):
                        self.average[name] = value.detach().clone()


def gradients_of(loss, network: nn.Module, keep: bool = False) -> dict:
    names, parameters = zip(*network.named_parameters())
    found = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=keep or None)
    return {n: torch.zeros_like(p) if g is None else g for n, p, g in zip(names, parameters, found)}


def named(learner: str, gradients: dict) -> dict:
    return {f"{learner}/{n}": g for n, g in gradients.items()}


def part(inputs: dict, step: int, steps: int, names) -> dict:
    """The rows of one of an iteration's steps."""
    found = {}
    for name in names:
        if name in inputs:
            rows = inputs[name].shape[0] // steps
            found[name] = inputs[name][step * rows:(step + 1) * rows]
    return found


def squared_gradient(energy: nn.Module, x):
    """||grad E||^2 per row of x, differentiable in the energy's parameters."""
    x = x.detach().requires_grad_()
    gradient = torch.autograd.grad(energy(x).sum(), x, create_graph=True)[0]
    return gradient.square().sum(1)


def samples_of(generator: nn.Module, z):
    """G(z) with batch statistics, which move the running ones once; no gradient."""
    generator.train()
    with torch.no_grad():
        return generator(z)


def normal(rows: int, columns: int, like, random: torch.Generator):
    return torch.randn(rows, columns, generator=random, dtype=like.dtype)
