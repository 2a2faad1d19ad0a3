# SPDX-License-Identifier: MIT
"""EBM-BB, EBM-0GP and WGAN-0GP: a lower bound on the generator's entropy, a penalty of the energy's gradient.

B samples, d latent, D data; J = dG/dz (B x D x d) with batch norm on its running statistics; s1 the smallest singular
value of J.

Energy step (parameters of E; then the same again for each further step, with its own draws):
    x~ = G(z) with batch statistics (this updates the running statistics), then J at z with the running statistics
    L_E = mean E(x) - mean E(x~) + hinge term
    bidirectional    a = z + grad_z entropy(z),  residual_i = <grad_x E(x~_i), J_i v0_i> - <a_i, v0_i>
                     penalty = mean_i residual_i^2 / n_i,   n_i = 1, d, ||v0_i||, ||v0_i||^2 for none, d, v, v2
                     hinge term = [ w * penalty / 2 - zeta ]_+
    gp_real, gp_fake, gp_interpolated
                     penalty = mean_i ||grad_x E(x^_i)||^2,  x^ = x, x~, alpha x + (1 - alpha) x~
                     hinge term = [ w * penalty - zeta ]_+
Generator step (parameters of G, with the energy just updated):
    L_G = mean E(G(z_generator)) - entropy_weight * mean_i entropy_i
    G(z_generator) uses batch statistics and updates the running statistics once more.
    entropy_z 'energy': entropy of the (last) energy step's z, J from the statistics after that step's update; one generator
    step; 'generator': entropy of z_generator, J from the statistics after the update by G(z_generator).
entropy_i (up to the entropy of N(0, I)), and what is held fixed in its gradient:
    s1, lobpcg, authors   d log ||J v||, v a unit vector, fixed      logdet   1/2 log det J^T J, exact
    slq          Gauss rule of n Lanczos pairs started at v0; gradient that of u^T J v with u, v fixed
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from generator_jacobian import apply, authors_iteration, jacobian, lobpcg, slq

from .common import Config as CommonConfig
from .common import gradients_of, named, normal, part, samples_of

METHODS = ("ebm_bb", "ebm_0gp", "wgan_0gp")
RATES = {"energy": "lr_energy", "generator": "lr_generator"}


@dataclass
class Config(CommonConfig):
    method: str = "ebm_bb"
    lower_bound: str = "s1"  # s1, lobpcg, authors (LOBPCG with their direction), logdet, slq, none
    upper_bound: str = "bidirectional"  # bidirectional, gp_real, gp_fake, gp_interpolated
    lobpcg_iterations: int = 2
    slq_pairs: int = 2
    penalty_weight: float = 0.001
    penalty_normaliser: str = "d"  # none, d, v, v2
    hinge: float = 1.0
    entropy_weight: float = 1.0
    entropy_z: str = "generator"  # energy, generator

    def probes(self) -> bool:
        return self.lower_bound in ("lobpcg", "authors", "slq")

    def draws_v0(self) -> bool:
        return self.upper_bound == "bidirectional" or (self.probes() and self.entropy_z == "energy")

    def draws_v0_generator(self) -> bool:
        return self.probes() and self.entropy_z == "generator"

    def hinge_term(self, penalty):
        factor = 0.5 if self.upper_bound == "bidirectional" else 1.0
        return torch.relu(factor * self.penalty_weight * torch.as_tensor(penalty) - self.hinge)


def needed(config: Config) -> set:
    return {"x", "z", "z_generator", *(("v0",) if config.draws_v0() else ()),
            *(("v0_generator",) if config.draws_v0_generator() else ()),
            *(("alpha",) if config.upper_bound == "gp_interpolated" else ())}


def entropy_of(config: Config, J, v0, p0):
    """(entropy per sample with the gradient of the bound in use, {v, log_s1} where the bound has them)."""
    d = J.shape[2]
    fixed = J.detach()
    if config.lower_bound == "logdet":
        return 0.5 * torch.linalg.slogdet(J.transpose(1, 2) @ J)[1], {}
    if config.lower_bound == "slq":
        value, u, v = slq(fixed, v0, config.slq_pairs)
        surrogate = (u * apply(J, v)).sum(1)
        return value + surrogate - surrogate.detach(), {}
    if config.lower_bound == "s1":
        v = torch.linalg.svd(fixed)[2][:, -1, :]
    elif config.lower_bound == "lobpcg":
        v = lobpcg(fixed, v0, config.lobpcg_iterations)
    elif config.lower_bound == "authors":
        v = authors_iteration(fixed, v0, p0, config.lobpcg_iterations)
    else:
        raise ValueError(f"lower_bound {config.lower_bound} has no entropy: use s1, lobpcg, authors, logdet or slq")
    log_s1 = apply(J, v).norm(dim=1).log()
    return d * log_s1, {"v": v, "log_s1": log_s1.detach()}


def penalty_of(config: Config, energy, inputs: dict, x_fake, J, a):
    """(penalty, directional derivatives, or ||grad E||^2)."""
    if config.upper_bound == "bidirectional":
        v0 = inputs["v0"]
        x = x_fake.detach().requires_grad_()
        gradient = torch.autograd.grad(energy(x).sum(), x, create_graph=True)[0]
        directional = (gradient * apply(J, v0)).sum(1)
        squared = (v0 ** 2).sum(1)
        n = {"none": torch.ones_like(squared), "d": torch.full_like(squared, v0.shape[1]),
             "v": squared.sqrt(), "v2": squared}[config.penalty_normaliser]
        return ((directional - (a * v0).sum(1)) ** 2 / n).mean(), directional
    if config.upper_bound == "gp_real":
        x = inputs["x"]
    elif config.upper_bound == "gp_fake":
        x = x_fake
    elif config.upper_bound == "gp_interpolated":
        alpha = inputs["alpha"].reshape(-1, 1)
        x = alpha * inputs["x"] + (1 - alpha) * x_fake
    else:
        raise ValueError(f"upper_bound {config.upper_bound}: use bidirectional, gp_real, gp_fake or gp_interpolated")
    x = x.detach().requires_grad_()
    gradient = torch.autograd.grad(energy(x).sum(), x, create_graph=True)[0]
    squared = (gradient ** 2).sum(1)
    return squared.mean(), squared


def energy_step(config: Config, learners: dict, inputs: dict, t: int, results: dict, jacobians: dict):
    """Its gradients, and those of -entropy_weight * entropy in G's parameters where the energy step's z serve that."""
    energy, generator = learners["energy"].network, learners["generator"].network
    x_fake = samples_of(generator, inputs["z"])
    generator.eval()
    J = a = entropy_gradients = None
    for_generator = config.lower_bound != "none" and config.entropy_z == "energy"
    z = inputs["z"].detach().requires_grad_()
    if config.upper_bound == "bidirectional" or for_generator:
        J = jacobian(generator, z)
        a = z.detach()
    if J is not None and config.lower_bound != "none":
        entropy, found = entropy_of(config, J, inputs.get("v0"), inputs.get("p0"))
        jacobians["v"] = J.detach()
        results.update(found, entropy=entropy.detach())
        if config.upper_bound == "bidirectional":
            slope = torch.autograd.grad(entropy.sum(), z, retain_graph=True, allow_unused=True)[0]
            a = a if slope is None else a + slope
        if for_generator:  # now: the statistics under this J change below
            entropy_gradients = gradients_of(-config.entropy_weight * entropy.mean(), generator)
    if config.upper_bound == "bidirectional":
        results["a"] = a

    energy_real, energy_fake = energy(inputs["x"]), energy(x_fake)
    penalty, directional = penalty_of(config, energy, inputs, x_fake, None if J is None else J.detach(), a)
    loss = energy_real.mean() - energy_fake.mean() + config.hinge_term(penalty)
    results.update(directional=directional.detach(), energy_real=energy_real.detach(), energy_fake=energy_fake.detach(),
                   penalty=penalty.detach(), loss_energy=loss.detach())
    found = gradients_of(loss, energy)
    learners["energy"].step(found, t)
    return found, entropy_gradients


def generator_step(config: Config, learners: dict, inputs: dict, t: int, results: dict, jacobians: dict,
                   entropy_gradients):
    energy, generator = learners["energy"].network, learners["generator"].network
    generator.train()
    energy_generator = energy(generator(inputs["z_generator"]))
    gradients = gradients_of(energy_generator.mean(), generator)
    loss = energy_generator.detach().mean()
    generator.eval()
    if config.lower_bound != "none" and config.entropy_z == "generator":
        z = inputs["z_generator"].detach().requires_grad_()
        J = jacobian(generator, z)
        jacobians["v_generator"] = J.detach()
        entropy, found = entropy_of(config, J, inputs.get("v0_generator"), inputs.get("p0_generator"))
        results.update({f"{name}_generator": value for name, value in found.items()})
        results["entropy_generator"] = entropy.detach()
        entropy_gradients = gradients_of(-config.entropy_weight * entropy.mean(), generator)
    if entropy_gradients is not None:
        entropy = results["entropy_generator" if config.entropy_z == "generator" else "entropy"]
        loss = loss - config.entropy_weight * entropy.mean()
        gradients = {n: g + entropy_gradients[n] for n, g in gradients.items()}
    results.update(energy_generator=energy_generator.detach(), loss_generator=loss)
    learners["generator"].step(gradients, t)
    return gradients


def iterate(config: Config, learners: dict, inputs: dict, t: int):
    """One iteration in place; returns as gan.iterate does. notes: the Jacobians whose entropy was taken, by the name of the
    singular vector that belongs to them."""
    if config.entropy_z == "energy" and config.generator_steps != 1:
        raise ValueError("the entropy of the energy step's z belongs to one generator step")
    results, gradients, jacobians = {}, {}, {}
    entropy_gradients = None
    for step in range(config.energy_steps):
        rows = part(inputs, step, config.energy_steps, ("x", "z", "v0", "p0", "alpha"))
        found, entropy_gradients = energy_step(config, learners, rows, t, results, jacobians)
        gradients.update(named("energy", found))
    for step in range(config.generator_steps):
        rows = part(inputs, step, config.generator_steps, ("z_generator", "v0_generator", "p0_generator"))
        found = generator_step(config, learners, rows, t, results, jacobians, entropy_gradients)
        gradients.update(named("generator", found))
    return results, gradients, {"jacobians": jacobians}


def draw(config: Config, x, latent_dim: int, random) -> dict:
    rows = x.shape[0] // config.energy_steps * config.generator_steps
    inputs = {"x": x, "z": normal(x.shape[0], latent_dim, x, random), "z_generator": normal(rows, latent_dim, x, random)}
    if config.draws_v0():
        inputs["v0"] = normal(x.shape[0], latent_dim, x, random)
    if config.draws_v0_generator():
        inputs["v0_generator"] = normal(rows, latent_dim, x, random)
    if config.upper_bound == "gp_interpolated":
        inputs["alpha"] = torch.rand(x.shape[0], generator=random, dtype=x.dtype)
    return inputs
