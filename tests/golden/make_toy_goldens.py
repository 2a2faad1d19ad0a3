# SPDX-License-Identifier: MIT
"""Makes tests/golden/toy_*.h5: three consecutive training iterations of each case, computed in float64.

    python3 tests/golden/make_toy_goldens.py [--out tests/golden] [CASE ...]

A file has the groups iteration-1, -2, -3, each laid out like an iteration dump (iteration_dump.py, docs/formats.md):
inputs/ and before/ are float32 and exactly what was used (the state is rounded to float32 where an iteration starts),
after/, gradients/ and results/ are float64. Text attributes are fixed-length strings. Attributes, besides a dump's own
(method, preset, lower_bound, upper_bound, lobpcg_iterations, penalty_weight, penalty_normaliser, hinge, entropy_weight,
entropy_z, lr_energy, lr_generator, adam_beta1, adam_beta2, adam_epsilon):
    case, iteration            the file's name, 1 to 3
    batch, latent_dim, data_dim, hidden
    slq_pairs                  Lanczos pairs of lower_bound `slq`
    generator_output           `linear`, or `tanh` when the generator ends with one (it has no parameters to show)
    bn_epsilon, bn_momentum    of every batch norm
    nearest_kink               smallest |PReLU input| over the largest: far above float32 rounding, so that every
                               program is on the same side of each kink
    hinge_term                 value of the hinge term in loss_energy (0: inactive, no penalty gradient)
Conventions that the numbers fix:
    penalty        mean_i residual_i^2 / n_i, or mean_i ||grad E||^2: before weight, 1/2 and hinge
    entropy        d log_s1, 1/2 log det J^T J, or the Gauss rule's value, per sample, of the energy step's z; absent
                   when nothing in the iteration needs it. entropy_generator: of z_generator, where it has its own
    v, log_s1      for lower_bound s1 and lobpcg alone; the sign of s1's v is free, lobpcg's is v0's (c0 >= 0)
    a              z + grad_z entropy
    gradients      of loss_energy in E's parameters before its step, of loss_generator in G's parameters
    step           Adam's count; iteration-1 starts at 0 with zero moments, except in the case toy_lobpcg_wide
The gradient of the energy's last bias is 0 (mean 1 - mean 1). In float32 it is rounding noise that Adam turns into
a step of up to lr * noise / (noise + adam_epsilon): a test allows for that, as replay.py does.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path

try:
    import torch
except ImportError:
    sys.exit("make_toy_goldens: PyTorch is missing: install it with `python3 -m pip install torch`")
import h5py
import numpy as np

import iteration_dump as dump
from replay import KinkWatch
from toy_game import Config, draw_inputs, iterate, make_energy, make_generator, toy_batch

BATCH = 11
# Rates far above the paper's, and different, so that a step is large beside rounding and a swap shows.
BASE = Config(lr_energy=4e-3, lr_generator=2e-3)


def case(latent_dim: int = 2, data_dim: int = 2, hidden: int = 17, warm: int = 0, first_seed: int = 1, **changes):
    """warm: iterations made before the first one that is kept. first_seed: the first that is tried."""
    return replace(BASE, **changes), latent_dim, data_dim, hidden, warm, first_seed


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
}


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


def attempt(name: str, seed: int):
    """[(attributes, sections)] of three iterations."""
    config, latent_dim, data_dim, hidden, warm, _ = CASES[name]
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    networks = {"energy": shaken(make_energy(config, data_dim, hidden), random),
                "generator": shaken(make_generator(config, latent_dim, data_dim, hidden), random)}
    entries = None
    iterations = []
    for count in range(1 - warm, 4):
        if entries is None:
            entries = {f"{kind}/{n}": v for kind in dump.KINDS for n, v in dump.state_of(networks[kind]).items()}
            for kind in dump.KINDS:
                entries[f"adam/{kind}/step"] = np.int64(0)
                for n, p in networks[kind].named_parameters():
                    for moment in ("exp_avg", "exp_avg_sq"):
                        entries[f"adam/{kind}/{moment}/{n}"] = np.zeros(p.shape)
        before = dump.rounded({n: v.numpy() if isinstance(v, torch.Tensor) else v for n, v in entries.items()})
        networks, adams = dump.load_state(config, before)
        inputs = {n: v.float() for n, v in draw_inputs(config, data(data_dim, random), latent_dim, random).items()}
        kinks = KinkWatch(networks)
        results, gradients = iterate(config, networks["energy"], networks["generator"], adams["energy"],
                                     adams["generator"], {n: v.double() for n, v in inputs.items()})
        entries = dump.state_entries(config, networks, adams)
        factor = 0.5 if config.upper_bound == "bidirectional" else 1.0
        attributes = {**asdict(config), "case": name, "iteration": np.int64(count), "batch": np.int64(BATCH),
                      "latent_dim": np.int64(latent_dim), "data_dim": np.int64(data_dim), "hidden": np.int64(hidden),
                      "nearest_kink": kinks.nearest,
                      "hinge_term": max(0.0, factor * config.penalty_weight * float(results["penalty"]) - config.hinge)}
        if count >= 1:
            iterations.append((attributes, {"inputs": {n: v.numpy() for n, v in inputs.items()}, "before": before,
                                            "after": entries,
                                            "gradients": {n: g.numpy() for n, g in gradients.items()},
                                            "results": {n: v.numpy() for n, v in results.items()}}))
    return iterations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for name in args.cases:
        first_seed = CASES[name][-1]
        for seed in range(first_seed, first_seed + 200):  # the first seed whose every PReLU input is clear of the kink
            iterations = attempt(name, 1000 * (1 + list(CASES).index(name)) + seed)
            if min(attributes["nearest_kink"] for attributes, _ in iterations) > 3e-5:
                break
        with h5py.File(args.out / f"{name}.h5", "w", libver=("v110", "v110")) as file:
            for attributes, sections in iterations:
                dump.write(file, f"iteration-{attributes['iteration']}", attributes, sections)
        print(f"{name}: seed {seed}, {(args.out / f'{name}.h5').stat().st_size / 1024:.0f} KiB; " + "; ".join(
            f"penalty {float(s['results']['penalty']):.3g} hinge term {a['hinge_term']:.3g} "
            f"loss {float(s['results']['loss_energy']):.3g} {float(s['results']['loss_generator']):.3g}"
            for a, s in iterations))


if __name__ == "__main__":
    main()
