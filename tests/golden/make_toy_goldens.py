# SPDX-License-Identifier: MIT
"""Makes tests/golden/*.h5: three consecutive training iterations of each case of toy_cases.py, computed in float64.

    python3 tests/golden/make_toy_goldens.py [--out tests/golden] [CASE ...]

What an iteration computes, in which order, stands at the head of each file of methods/. A file has the groups iteration-1,
-2, -3, each laid out like an iteration dump (iteration_dump.py, docs/formats.md): inputs/ and before/ are float32 and exactly
what was used (the state is rounded to float32 where an iteration starts), after/, gradients/ and results/ are float64. Text
attributes are fixed-length strings, numbers int64 or float64. Attributes, besides a dump's own:
    case, iteration            the file's name, 1 to 3; the rate of iteration N is that of t = N - 1
    batch, latent_dim, data_dim, hidden
    slq_pairs                  Lanczos pairs of lower_bound `slq`
    generator_output           `linear`, or `tanh` when the generator ends with one (it has no parameters to show)
    bn_epsilon, bn_momentum    of every batch norm
    nearest_kink               smallest |input of a PReLU, or of SNGAN's hinge| over the largest: far above float32
                               rounding, so that every program is on the same side of each kink
    hinge_term                 value of the hinge term in loss_energy (0: inactive, no penalty gradient); ebm_bb, ebm_0gp,
                               wgan_0gp alone
A dump's own are: method, preset, lr_energy, lr_generator, adam_beta1, adam_beta2, adam_epsilon, and
    energy_steps, generator_steps, lr_schedule, lr_horizon, warm_up, ema, clip_gradient_norm    (methods/common.py)
                               0 stands for: no horizon, warm-up, average, clipping; the files toy_* are without them
    ebm_bb, ebm_0gp, wgan_0gp  lower_bound, upper_bound, lobpcg_iterations, slq_pairs, penalty_weight,
                               penalty_normaliser, hinge, entropy_weight, entropy_z
    meg                        penalty_weight, information_weight, lr_statistics
    vera                       penalty_weight, entropy_weight, importance_samples, lr_posterior, sigma_min, sigma_max
Networks: E and G of Table 6 with data_dim D, latent_dim d, hidden h; MEG's T has trunk = Linear(D, h) PReLU Linear(h, h // 2),
head = Linear(h // 2 + d, h) PReLU Linear(h, 1); SNGAN's E a spectral norm in each of its three Linear layers.
Conventions that the numbers fix:
    steps          with N energy steps the rows of x, z (v0, alpha, noise) are N * batch, step k has rows k * batch to
                   (k + 1) * batch - 1; likewise z_generator (v0_generator, pairing) with N generator steps. All steps of
                   an iteration have one rate. results/ and gradients/ are those of the last step
    penalty        mean_i residual_i^2 / n_i, or mean_i ||grad E||^2: before weight, 1/2 and hinge
    entropy        d log_s1, 1/2 log det J^T J, or the Gauss rule's value, per sample, of the energy step's z; absent
                   when nothing in the iteration needs it. entropy_generator: of z_generator, where it has its own.
                   VERA: mean <c, x~>
    v, log_s1      for lower_bound s1 and lobpcg alone; the sign of s1's v is free, lobpcg's is v0's (c0 >= 0)
    a              z + grad_z entropy
    energy_generator   per sample, of the generator step; directional: per sample, <grad E, J v0>, or ||grad E||^2 of the
                   zero-centred penalties. (The files toy_* have neither, but for the former's directional.)
    gradients      of loss_energy in E's parameters before its step, of loss_generator in G's and T's parameters, of
                   loss_posterior in posterior/logsigma: before any clipping
    step           Adam's count; iteration-1 starts at 0 with zero moments, except in the case toy_lobpcg_wide
    ema/           one average a learner, initial values at first. Running statistics are copied at its learner's step:
                   forward passes after it do not show
    weight_u       energy/main.N.weight_u, u of a spectral norm (networks.py); it is not learned. SNGAN moves each u by
                   E(x), E(x~) of each energy step and by E(x~2) of the generator step, in this order
    sigma          VERA: that which made x~, before its step and clamp
    running statistics of the generator move once with each batch that goes through it in train mode: x~ of each energy
                   step, x~2 of each generator step; VERA: x~ of each energy step, the K importance batches, the posterior's
Where the loss has mean E(x) - mean E(x~), the gradient of the energy's last bias is 0, and so is that of a hidden one with
as many data as samples above its kink; that of a generator's hidden bias, where all samples lie on one side. In float32 such a
gradient is rounding noise that Adam turns into a step of up to lr * noise / (noise + adam_epsilon): with adam_epsilon 1e-3
next to nothing. The files toy_* have smaller ones, and a test allows for that, as replay.py does; dcgan_* and sngan_* have
too, but no gradient below 1e-5 of its network's largest.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

try:
    import torch
except ImportError:
    sys.exit("make_toy_goldens: PyTorch is missing: install it with `python3 -m pip install torch`")
import h5py
import numpy as np

import iteration_dump as dump
from methods import module_of, state_of
from networks import make_networks
from replay import KinkWatch
from toy_cases import BATCH, CASES
from toy_game import toy_batch

# What the files toy_* hold, which are older than the other constants.
TOY_CONSTANTS = ("method", "preset", "lower_bound", "upper_bound", "lobpcg_iterations", "slq_pairs", "penalty_weight",
                 "penalty_normaliser", "hinge", "entropy_weight", "entropy_z", "lr_energy", "lr_generator", "adam_beta1",
                 "adam_beta2", "adam_epsilon", "generator_output", "bn_epsilon", "bn_momentum")


def data(dim: int, random: torch.Generator):
    x = toy_batch("25gaussians", BATCH, random)
    if dim == 2:
        return x
    return torch.tanh(torch.cat([x, torch.randn(BATCH, dim - 2, generator=random)], 1))


def shaken(network, random: torch.Generator):
    """Slopes, scales and running statistics away from their initial 0.25, 1 and 0, so that none can be forgotten."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.PReLU):
                layer.weight.uniform_(0.1, 0.6, generator=random)
            if isinstance(layer, torch.nn.Linear):
                layer.weight.mul_(1.6)
            if isinstance(layer, torch.nn.BatchNorm1d):
                for tensor in (layer.weight, layer.running_var):
                    tensor.uniform_(0.6, 1.5, generator=random)
                for tensor in (layer.bias, layer.running_mean):
                    tensor.uniform_(-0.3, 0.3, generator=random)
    return network


@torch.no_grad()
def centred(main: torch.nn.Sequential, x):
    """main(x), once the bias before each PReLU has been set so that half of x lie on either side of its kink. Where all
    do on one side, the gradient of a bias cancels, and Adam makes steps of the rounding noise."""
    for layer, following in zip(main, [*main[1:], None]):
        if isinstance(following, torch.nn.PReLU):
            values, half = layer(x).sort(0)[0], x.shape[0] // 2
            layer.bias -= (values[half - 1] + values[half]) / 2
        if isinstance(layer, torch.nn.BatchNorm1d):
            x = torch.nn.functional.batch_norm(x, None, None, layer.weight, layer.bias, training=True)
        else:
            x = layer(x)
    return x


def first_state(case, random: torch.Generator, with_centres: bool) -> dict:
    """{path: value} before the first iteration."""
    networks = {n: shaken(network, random) for n, network in
                make_networks(case.config, case.latent_dim, case.data_dim, case.hidden).items()}
    if with_centres:
        generator = getattr(networks["generator"], "g", networks["generator"])
        samples = centred(generator.main, torch.randn(64, case.latent_dim, generator=random))
        points = torch.cat([data(case.data_dim, random), samples[:BATCH]])
        if case.config.method in ("dcgan", "sngan"):  # those of the others cancel wherever as many x as x~ are on one side
            centred(networks["energy"].eval().main, points)
        if "statistics" in networks:
            centred(networks["statistics"].trunk, points)
    entries = {f"{learner}/{n}": v for learner, network in networks.items() for n, v in state_of(network).items()}
    with torch.no_grad():
        for name, value in case.start.items():
            if entries[name].ndim == 1 and len(entries[name]) > 1:  # one each, so that none can stand for another
                entries[name].copy_(value + 0.1 * torch.randn(len(entries[name]), generator=random))
            else:
                entries[name].fill_(value)
    for learner, network in networks.items():
        entries[f"adam/{learner}/step"] = np.int64(0)
        for n, p in network.named_parameters():
            for moment in ("exp_avg", "exp_avg_sq"):
                entries[f"adam/{learner}/{moment}/{n}"] = np.zeros(p.shape)
    if case.config.ema > 0:
        for learner, network in networks.items():
            entries.update({f"ema/{learner}/{n}": v for n, v in state_of(network).items()})
    return {n: v.numpy() if isinstance(v, torch.Tensor) else v for n, v in entries.items()}


def kept_results(name: str, config, results: dict) -> dict:
    if name.startswith("toy_"):
        left_out = {"energy_generator"} | ({"directional"} if config.upper_bound != "bidirectional" else set())
        results = {n: v for n, v in results.items() if n not in left_out}
    return {n: v.numpy() for n, v in results.items()}


def attempt(name: str, seed: int):
    """[(attributes, sections)] of three iterations, and the smallest share that a gradient has of its network's largest."""
    case = CASES[name]
    config = case.config
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    entries = first_state(case, random, with_centres=not name.startswith("toy_"))
    iterations, smallest = [], 1.0
    for count in range(1 - case.warm, 4):
        before = dump.rounded(entries)
        learners = dump.load_state(config, before)
        x = torch.cat([data(case.data_dim, random) for _ in range(config.energy_steps)])
        draws = module_of(config.method).draw(config, x, case.latent_dim, random)
        inputs = {n: v.float() for n, v in draws.items()}
        kinks = KinkWatch(learners)
        results, gradients, _ = module_of(config.method).iterate(
            config, learners, {n: v.double() for n, v in inputs.items()}, count - 1)
        entries = dump.state_entries(learners)
        smallest = min(smallest, *(share for learner in learners.values() for share in learner.smallest.values()))
        constants = asdict(config)
        if name.startswith("toy_"):
            constants = {n: constants[n] for n in TOY_CONSTANTS}
        attributes = {**constants, "case": name, "iteration": np.int64(count), "batch": np.int64(BATCH),
                      "latent_dim": np.int64(case.latent_dim), "data_dim": np.int64(case.data_dim),
                      "hidden": np.int64(case.hidden), "nearest_kink": kinks.nearest}
        if hasattr(config, "hinge_term"):
            attributes["hinge_term"] = float(config.hinge_term(float(results["penalty"])))
        if count >= 1:
            iterations.append((attributes, {"inputs": {n: v.numpy() for n, v in inputs.items()}, "before": before,
                                            "after": entries,
                                            "gradients": {n: g.numpy() for n, g in gradients.items()},
                                            "results": kept_results(name, config, results)}))
    return iterations, smallest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for name in args.cases:
        first_seed = CASES[name].first_seed
        for seed in range(first_seed, first_seed + 200):  # the first seed whose every PReLU input is clear of the kink
            iterations, smallest = attempt(name, 1000 * (1 + list(CASES).index(name)) + seed)
            noise_counts = CASES[name].config.adam_epsilon < 1e-4 and not name.startswith("toy_")
            if (min(attributes["nearest_kink"] for attributes, _ in iterations) > 3e-5
                    and (smallest > 1e-5 or not noise_counts)):  # and whose gradients are clear of rounding noise
                break
        else:
            sys.exit(f"{name}: no seed of 200 is clear of all kinks and of cancelling gradients")
        with h5py.File(args.out / f"{name}.h5", "w", libver=("v110", "v110")) as file:
            for attributes, sections in iterations:
                dump.write(file, f"iteration-{attributes['iteration']}", attributes, sections)
        print(f"{name}: seed {seed}, {(args.out / f'{name}.h5').stat().st_size / 1024:.0f} KiB; " + "; ".join(
            " ".join(f"{n} {float(v):.3g}" for n, v in sections["results"].items() if v.ndim == 0)
            + f" hinge term {attributes.get('hinge_term', 0):.3g}" for attributes, sections in iterations))


if __name__ == "__main__":
    main()
