# SPDX-License-Identifier: MIT
"""MEG (Kumar et al. 2019): the generator's entropy through the mutual information of x~ and z, which a third network
T(x, z) estimates by telling pairs from shuffled ones. x~ = G(z), x~2 = G(z_generator), both with batch statistics.

Energy step (parameters of E; x~ fixed; then the same again for each further step, with its own x and z):
    penalty = mean ||grad_x E(x)||^2, by a forward pass of its own after those of E(x) and E(x~)
    L_E = mean E(x) - mean E(x~) + penalty_weight * penalty; with penalty_norm `channel` over the number of pixels
Generator step (parameters of G and of T, with the energy just updated; one backward pass, then both step):
    z2 = z_generator,  z2_perm = z2[argsort(pairing)], the smallest first
    BCE = mean over 2B rows of BCEWithLogits(T([x~2; x~2], [z2; z2_perm]), [1; 0])
    L_G = mean E(x~2) + information_weight * BCE; x~2 is not detached
T's gradient is that of L_G, with the weight.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from .common import Config as CommonConfig
from .common import gradients_of, named, normal, part, samples_of, squared_gradient

METHODS = ("meg",)
RATES = {"energy": "lr_energy", "generator": "lr_generator", "statistics": "lr_statistics"}


@dataclass
class Config(CommonConfig):
    method: str = "meg"
    penalty_weight: float = 0.1
    information_weight: float = 1.0
    lr_statistics: float = 2e-4
    penalty_norm: str = "flat"
    energy_output: str = "linear"  # softplus: the toy energy ends with one
    pixels: int = 1  # of an image

    def weight(self) -> float:
        return self.penalty_weight / (self.pixels if self.penalty_norm == "channel" else 1)


def needed(_config: Config) -> set:
    return {"x", "z", "z_generator", "pairing"}


def iterate(config: Config, learners: dict, inputs: dict, t: int):
    """One iteration in place; returns as gan.iterate does."""
    energy, generator, statistics = (learners[n].network for n in ("energy", "generator", "statistics"))
    results, gradients = {}, {}
    for step in range(config.energy_steps):
        rows = part(inputs, step, config.energy_steps, ("x", "z"))
        x_fake = samples_of(generator, rows["z"])
        energy_real, energy_fake = energy(rows["x"]), energy(x_fake)
        squared = squared_gradient(energy, rows["x"])
        penalty = squared.mean()
        loss = energy_real.mean() - energy_fake.mean() + config.weight() * penalty
        found = gradients_of(loss, energy)
        learners["energy"].step(found, t)
        gradients.update(named("energy", found))
        results.update(energy_real=energy_real.detach(), energy_fake=energy_fake.detach(), penalty=penalty.detach(),
                       directional=squared.detach(), loss_energy=loss.detach())
    for step in range(config.generator_steps):
        rows = part(inputs, step, config.generator_steps, ("z_generator", "pairing"))
        z = rows["z_generator"]
        generator.train()
        x = generator(z)
        energy_generator = energy(x)
        shuffled = z[torch.argsort(rows["pairing"].reshape(-1))]
        logits = statistics(torch.cat([x, x]), torch.cat([z, shuffled]))
        labels = torch.cat([torch.ones(z.shape[0]), torch.zeros(z.shape[0])]).to(logits)
        information = binary_cross_entropy_with_logits(logits, labels)
        loss = energy_generator.mean() + config.information_weight * information
        found = {n: gradients_of(loss, learners[n].network, keep=True) for n in ("generator", "statistics")}
        for name in found:
            learners[name].step(found[name], t)
            gradients.update(named(name, found[name]))
        results.update(energy_generator=energy_generator.detach(), loss_generator=loss.detach(),
                       loss_statistics=information.detach())
    return results, gradients, {}


def draw(config: Config, x, latent_dim: int, random) -> dict:
    rows = x.shape[0] // config.energy_steps * config.generator_steps
    return {"x": x, "z": normal(x.shape[0], latent_dim, x, random), "z_generator": normal(rows, latent_dim, x, random),
            "pairing": torch.rand(rows, generator=random, dtype=x.dtype)}
