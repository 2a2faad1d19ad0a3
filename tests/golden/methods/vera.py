# SPDX-License-Identifier: MIT
"""VERA (Grathwohl et al. 2021): a generator with noise, x~ = g(h) + sigma eps, h = z, eps = noise, whose entropy gradient comes
from importance samples of p(h | x~). g runs with batch statistics everywhere; each time it runs, they move the running
ones once. The order within an iteration, and what each part uses:

Energy step (parameters of E; then the same again for each further step, with its own x, z and noise):
    x~ = g(h) + sigma eps, fixed
    penalty = mean ||grad_x E(x)||^2, by a forward pass of its own after those of E(x) and E(x~)
    L_E = mean E(x) - mean E(x~) + penalty_weight * penalty / 2
Generator step (parameters of g, and logsigma; with the energy just updated), on the same x~, g(h) not run again:
    h_k = h + post_sigma eta_k,  k = 1 .. K: rows k B .. (k + 1) B - 1 of `importance`; g(h_k) for one k after the other
    w = softmax over k of log N(x~; g(h_k), sigma^2 I) + log N(h_k; 0, I) - log N(h_k; h, post_sigma^2)
    c = sum_k w_k (x~ - g(h_k)) / sigma^2, fixed;  entropy = mean <c, x~>
    L_G = mean E(x~) - entropy_weight * entropy; sigma is that which made x~
    then logsigma is clamped to log sigma_min .. log sigma_max
Posterior step (post_logsigma alone):
    h' = h + post_sigma eta', eta' = the draw `posterior`;  g and sigma AFTER their step and clamp, h and x~ as above
    L_P = -mean [ log N(x~; g(h'), sigma^2 I) + log N(h'; 0, I) ] - H, the entropy of N(h, post_sigma^2 I)
log N and H are whole, with their constants. h and x~ of the last energy step serve the other two. One generator step.
effective_samples = mean 1 / sum_k w_k^2; sigma (results) is that which made x~.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .common import Config as CommonConfig
from .common import gradients_of, named, normal, part, squared_gradient

METHODS = ("vera",)
RATES = {"energy": "lr_energy", "generator": "lr_generator", "posterior": "lr_posterior"}


@dataclass
class Config(CommonConfig):
    method: str = "vera"
    penalty_weight: float = 0.1
    entropy_weight: float = 1.0
    importance_samples: int = 20
    lr_posterior: float = 2e-4
    sigma_min: float = 0.01
    sigma_max: float = 0.3

    def limits(self) -> dict:
        return {"generator": {"logsigma": (math.log(self.sigma_min), math.log(self.sigma_max))}}


def needed(_config: Config) -> set:
    return {"x", "z", "noise", "importance", "posterior"}


def log_normal(x, mean, log_scale):
    """log N(x; mean, exp(log_scale)^2) per row, constants included."""
    z = (x - mean) * torch.exp(-log_scale)
    return (-z.square() / 2 - log_scale - math.log(2 * math.pi) / 2).sum(-1)


def log_standard_normal(h):
    return log_normal(h, torch.zeros_like(h), torch.zeros((), dtype=h.dtype))


@torch.no_grad()
def entropy_slope(config: Config, generator, post_logsigma, h, x, importance):
    """(c, w (K x B))."""
    logsigma, spread = generator.logsigma.detach(), post_logsigma.detach()
    log_w, means = [], []
    for eta in importance.chunk(config.importance_samples):
        h_k = h + spread.exp() * eta
        means.append(generator.g(h_k))
        likelihood = log_normal(x, means[-1], logsigma)
        log_w.append(likelihood + log_standard_normal(h_k) - log_normal(h_k, h, spread))
    w = torch.softmax(torch.stack(log_w), 0)
    means = torch.stack(means)
    c = (w[:, :, None] * (x - means)).sum(0) * torch.exp(-2 * logsigma)
    return c, w


def iterate(config: Config, learners: dict, inputs: dict, t: int):
    """One iteration in place; returns as gan.iterate does."""
    if config.generator_steps != 1:
        raise ValueError("VERA's iteration has one generator step")
    energy, generator, posterior = (learners[n].network for n in ("energy", "generator", "posterior"))
    results, gradients = {}, {}
    generator.train()
    for step in range(config.energy_steps):
        rows = part(inputs, step, config.energy_steps, ("x", "z", "noise"))
        h = rows["z"]
        x_fake = generator(h, rows["noise"])
        energy_real, energy_fake = energy(rows["x"]), energy(x_fake.detach())
        squared = squared_gradient(energy, rows["x"])
        penalty = squared.mean()
        loss = energy_real.mean() - energy_fake.mean() + config.penalty_weight * penalty / 2
        found = gradients_of(loss, energy)
        learners["energy"].step(found, t)
        gradients.update(named("energy", found))
        results.update(energy_real=energy_real.detach(), energy_fake=energy_fake.detach(), penalty=penalty.detach(),
                       directional=squared.detach(), loss_energy=loss.detach())

    results["sigma"] = generator.logsigma.detach().exp()
    energy_generator = energy(x_fake)
    c, w = entropy_slope(config, generator, posterior.logsigma, h, x_fake.detach(), inputs["importance"])
    entropy = (c * x_fake).sum(1).mean()
    loss = energy_generator.mean() - config.entropy_weight * entropy
    found = gradients_of(loss, generator)
    learners["generator"].step(found, t)
    gradients.update(named("generator", found))
    results.update(energy_generator=energy_generator.detach(), entropy=entropy.detach(), loss_generator=loss.detach(),
                   effective_samples=(1 / w.square().sum(0)).mean())

    h_post = h + posterior.logsigma.exp() * inputs["posterior"]
    joint = log_normal(x_fake.detach(), generator.g(h_post), generator.logsigma.detach()) + log_standard_normal(h_post)
    loss = -joint.mean() - (posterior.logsigma + (1 + math.log(2 * math.pi)) / 2).sum()
    found = gradients_of(loss, posterior)
    learners["posterior"].step(found, t)
    gradients.update(named("posterior", found))
    results["loss_posterior"] = loss.detach()
    return results, gradients, {}


def draw(config: Config, x, latent_dim: int, random) -> dict:
    rows = x.shape[0]
    batch = rows // config.energy_steps
    return {"x": x, "z": normal(rows, latent_dim, x, random), "noise": normal(rows, x.shape[1], x, random),
            "importance": normal(config.importance_samples * batch, latent_dim, x, random),
            "posterior": normal(batch, latent_dim, x, random)}
