# SPDX-License-Identifier: MIT
"""DCGAN and SNGAN: the classifier of a GAN is D = -E. x~ = G(z) and x~2 = G(z_generator), both with batch statistics.

Energy step (parameters of E; x~ fixed; then the same again for each further step, with its own x and z):
    dcgan    L_E = mean softplus(E(x)) + mean softplus(-E(x~))
    sngan    L_E = mean relu(1 + E(x)) + mean relu(1 - E(x~))
Generator step (parameters of G, with the energy just updated):
    dcgan    L_G = mean softplus(E(x~2))
    sngan    L_G = mean E(x~2)
E(x), E(x~) and E(x~2) are training forwards in this order, each on its own: each moves the u of spectral norms once.
"""
from __future__ import annotations

from dataclasses import dataclass

from torch.nn.functional import softplus

from .common import Config as CommonConfig
from .common import gradients_of, named, normal, part, samples_of

METHODS = ("dcgan", "sngan")
RATES = {"energy": "lr_energy", "generator": "lr_generator"}


@dataclass
class Config(CommonConfig):
    method: str = "dcgan"


def needed(_config: Config) -> set:
    return {"x", "z", "z_generator"}


def iterate(config: Config, learners: dict, inputs: dict, t: int):
    """One iteration in place, the t-th from 0. Returns (results, gradients, notes): of its last steps under the dump's
    names, and what replay.py needs to know how exact float32 can be: nothing here."""
    energy, generator = learners["energy"].network, learners["generator"].network
    results, gradients = {}, {}
    for step in range(config.energy_steps):
        rows = part(inputs, step, config.energy_steps, ("x", "z"))
        x_fake = samples_of(generator, rows["z"])
        energy_real, energy_fake = energy(rows["x"]), energy(x_fake)
        if config.method == "dcgan":
            loss = softplus(energy_real).mean() + softplus(-energy_fake).mean()
        else:
            loss = energy.hinge(1 + energy_real).mean() + energy.hinge(1 - energy_fake).mean()
        found = gradients_of(loss, energy)
        learners["energy"].step(found, t)
        gradients.update(named("energy", found))
        results.update(energy_real=energy_real.detach(), energy_fake=energy_fake.detach(), loss_energy=loss.detach())
    for step in range(config.generator_steps):
        z = part(inputs, step, config.generator_steps, ("z_generator",))["z_generator"]
        generator.train()
        energy_generator = energy(generator(z))
        loss = (softplus(energy_generator) if config.method == "dcgan" else energy_generator).mean()
        found = gradients_of(loss, generator)
        learners["generator"].step(found, t)
        gradients.update(named("generator", found))
        results.update(energy_generator=energy_generator.detach(), loss_generator=loss.detach())
    return results, gradients, {}


def draw(config: Config, x, latent_dim: int, random) -> dict:
    batch = x.shape[0] // config.energy_steps
    return {"x": x, "z": normal(x.shape[0], latent_dim, x, random),
            "z_generator": normal(batch * config.generator_steps, latent_dim, x, random)}
