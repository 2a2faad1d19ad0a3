# SPDX-License-Identifier: MIT
"""The cases of make_toy_goldens.py by the name of their file."""
from __future__ import annotations

import math
from dataclasses import dataclass, field

from methods import Config, ebm, gan, meg, vera

BATCH = 11


@dataclass
class Case:
    """warm: iterations made before the first one that is kept. first_seed: the first that is tried. start: {LEARNER/NAME:
    value} of parameters that get a value of their own at the start."""

    config: Config
    latent_dim: int = 2
    data_dim: int = 2
    hidden: int = 17
    warm: int = 0
    first_seed: int = 1
    start: dict = field(default_factory=dict)


def case(kind=ebm.Config, latent_dim=2, data_dim=2, hidden=17, warm=0, first_seed=1, start=None, **constants) -> Case:
    """Rates far above the paper's, and different, so that a step is large beside rounding and a swap shows."""
    config = kind(**{"lr_energy": 4e-3, "lr_generator": 2e-3, **constants})
    return Case(config, latent_dim, data_dim, hidden, warm, first_seed, start or {})


CASES = {
    "toy_lobpcg_code": case(preset="code", lower_bound="lobpcg", lobpcg_iterations=2, penalty_normaliser="none",
                            penalty_weight=3.0, hinge=1.0, entropy_z="energy", entropy_weight=0.7),
    "toy_s1_paper": case(lower_bound="s1", penalty_normaliser="d", penalty_weight=4.0, hinge=0.5),
    "toy_s1_inactive": case(hidden=9, lower_bound="s1", penalty_normaliser="d", penalty_weight=0.5, hinge=1.0,
                            adam_beta1=0.5, adam_beta2=0.999, adam_epsilon=1e-8),
    "toy_logdet": case(hidden=9, lower_bound="logdet", penalty_normaliser="v2", penalty_weight=6.0, hinge=0.25),
    "toy_slq": case(hidden=9, lower_bound="slq", slq_pairs=2, penalty_normaliser="v", penalty_weight=4.0, hinge=0.0),
    "toy_ebm_0gp": case(method="ebm_0gp", lower_bound="s1", upper_bound="gp_real", penalty_weight=20.0, hinge=0.0,
                        penalty_normaliser="none", entropy_weight=0.7),
    "toy_wgan_0gp": case(method="wgan_0gp", lower_bound="none", upper_bound="gp_interpolated", penalty_weight=30.0,
                         hinge=0.0, penalty_normaliser="none", entropy_weight=0.0),
    # Before seed 48 a hidden unit has all data and samples on one side: the gradient of its bias
    # cancels, and Adam makes steps of the rounding noise.
    "toy_gp_fake": case(hidden=9, first_seed=48, method="ebm_0gp", preset="code", lower_bound="lobpcg",
                        upper_bound="gp_fake", penalty_weight=20.0, hinge=0.1, penalty_normaliser="none",
                        entropy_z="energy"),
    "toy_tanh_lobpcg": case(data_dim=3, hidden=9, lower_bound="lobpcg", lobpcg_iterations=1, penalty_weight=4.0,
                            hinge=0.1, generator_output="tanh"),
    "toy_tanh_logdet": case(data_dim=3, hidden=9, preset="code", lower_bound="logdet", penalty_normaliser="none",
                            penalty_weight=3.0, hinge=0.1, entropy_z="energy", generator_output="tanh"),
    "toy_tanh_slq": case(latent_dim=4, data_dim=5, hidden=9, lower_bound="slq", slq_pairs=2, penalty_weight=4.0,
                         hinge=0.1, generator_output="tanh"),
    "toy_lobpcg_wide": case(latent_dim=6, data_dim=7, hidden=9, warm=2, lower_bound="lobpcg", lobpcg_iterations=2,
                            penalty_weight=4.0, hinge=0.1, generator_output="tanh"),
    # From here on adam_epsilon is 1e-3 where gradients may cancel, see make_toy_goldens.py.
    "dcgan_toy": case(gan.Config, latent_dim=3, data_dim=4, hidden=13, method="dcgan", generator_output="tanh",
                      energy_steps=2, adam_beta1=0.5, adam_beta2=0.999),
    # The last bias sets E(x) about -1, where relu(1 + E(x)) has its kink: some samples on either side.
    "sngan_toy": case(gan.Config, latent_dim=3, data_dim=4, hidden=13, method="sngan", energy_steps=3,
                      lr_schedule="linear", lr_horizon=5, start={"energy/main.4.bias": -1.0}),
    "meg_toy": case(meg.Config, latent_dim=3, data_dim=4, hidden=11, penalty_weight=0.3, information_weight=1.7,
                    lr_statistics=3e-3, adam_beta1=0.5, adam_epsilon=1e-3),
    "meg_steps": case(meg.Config, data_dim=3, hidden=9, energy_steps=2, generator_steps=2, penalty_weight=0.3,
                      information_weight=0.6, lr_statistics=3e-3, adam_epsilon=1e-3),
    # sigma 0.2 beside samples a few tenths apart: several importance samples have a say.
    "vera_toy": case(vera.Config, latent_dim=3, data_dim=4, hidden=11, importance_samples=3, penalty_weight=0.4,
                     entropy_weight=0.6, lr_posterior=5e-3, sigma_max=0.5, adam_epsilon=1e-3,
                     start={"generator/logsigma": math.log(0.2), "posterior/logsigma": math.log(0.15)}),
    # The entropy term pushes logsigma up beyond sigma_max at each step.
    "vera_clamp": case(vera.Config, latent_dim=2, data_dim=5, hidden=9, importance_samples=3, penalty_weight=0.4,
                       entropy_weight=0.9, lr_posterior=5e-3, sigma_max=0.2, generator_output="tanh", energy_steps=2,
                       adam_epsilon=1e-3,
                       start={"generator/logsigma": math.log(0.2) - 1e-3, "posterior/logsigma": math.log(0.15)}),
    "options_clip_ema": case(method="ebm_0gp", data_dim=3, hidden=9, lower_bound="s1", upper_bound="gp_real",
                             penalty_weight=20.0, hinge=0.0, penalty_normaliser="none", entropy_weight=0.7,
                             clip_gradient_norm=0.4, ema=0.9, adam_epsilon=1e-3),
    "options_warm_up_cosine": case(method="wgan_0gp", hidden=9, lower_bound="none", upper_bound="gp_interpolated",
                                   penalty_weight=30.0, hinge=0.0, penalty_normaliser="none", entropy_weight=0.0,
                                   warm_up=2, lr_schedule="cosine", lr_horizon=4, adam_epsilon=1e-3),
    "options_steps": case(method="ebm_0gp", latent_dim=3, data_dim=4, hidden=9, lower_bound="slq", slq_pairs=2,
                          upper_bound="gp_real", penalty_weight=20.0, hinge=0.0, penalty_normaliser="none",
                          entropy_weight=0.7, energy_steps=2, generator_steps=2, adam_epsilon=1e-3),
    "options_steps_alpha": case(method="wgan_0gp", hidden=9, lower_bound="none", upper_bound="gp_interpolated",
                                penalty_weight=30.0, hinge=0.0, penalty_normaliser="none", entropy_weight=0.0,
                                energy_steps=3, adam_epsilon=1e-3),
    "options_decay_steps": case(method="wgan_0gp", hidden=9, lower_bound="none", upper_bound="gp_interpolated",
                                penalty_weight=30.0, hinge=0.0, penalty_normaliser="none", entropy_weight=0.0,
                                weight_decay=0.3, lr_schedule="steps", lr_horizon=4, lr_first_step=0.25,
                                lr_second_step=0.5, adam_epsilon=1e-3),
    "meg_softplus": case(meg.Config, data_dim=2, hidden=9, energy_output="softplus", penalty_weight=0.3,
                         information_weight=0.6, lr_statistics=3e-3, adam_epsilon=1e-3),
}
