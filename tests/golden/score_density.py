# SPDX-License-Identifier: MIT
"""Scores toy runs from their checkpoints with PyTorch alone, one JSON line a run and a summary over runs:

    python3 tests/golden/score_density.py runs/seed1 runs/seed2 [--dataset 25gaussians] [--grid 1600]

Of the newest checkpoints/iteration-*.h5 (or a checkpoint named directly) it reads energy/main.* (and l.weight) and
generator/main.*, and prints, with p(x) = exp(-E(x)) / Z on [-4, 4]^2, Z by the midpoint rule on grid^2 points:
    log_z                 log Z
    mass_outside_3        share of p outside [-3, 3]^2 (no data set has points there worth naming)
    log_likelihood        mean log p of held-out points
    kl_data_model         KL(data || model) for 25gaussians, whose density is known (nats; 0 is perfect)
    kl_temperature_0.1    the same for exp(-0.1 E), the paper's picture
    best_temperature      the t of exp(-t E) that gives the least KL (or the best likelihood), and that KL
    generator_inside      share of the generator's samples in [-4, 4]^2
    modes                 of 25, with at least one sample within 4 sigma
    high_quality          share of samples within 4 sigma of some mode
    mode_kl               KL of the samples' nearest-mode histogram from the uniform one
"""
from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import sys
from pathlib import Path

try:
    import torch
except ImportError:
    sys.exit("score_density: PyTorch is missing: install it with `python3 -m pip install torch`")


@torch.no_grad()
def energies(energy, x, chunk: int = 65536):
    return torch.cat([energy(part) for part in x.split(chunk)]).double()


def data_log_density(x):
    """log density of the 25 Gaussians at x (N x 2)."""
    from toy_game import MODES, SIGMA

    squared = ((x[:, None, :] - MODES) ** 2).sum(2)
    return torch.logsumexp(-squared / (2 * SIGMA ** 2), 1) - math.log(25 * 2 * math.pi * SIGMA ** 2)


@torch.no_grad()
def score(energy, generator, dataset: str, grid: int = 1600, held_out: int = 20000, samples: int = 20000,
          seed: int = 12345) -> dict:
    from toy_game import MODES, SIGMA, toy_batch

    random = torch.Generator().manual_seed(seed)
    dtype = next(energy.parameters()).dtype
    latent = next(generator.parameters()).shape[1]
    was_training = generator.training
    generator.eval()
    energy.eval()  # a spectral norm's u stays where it is

    h = 8.0 / grid
    axis = (-4 + h * (torch.arange(grid, dtype=torch.float64) + 0.5)).to(dtype)
    points = torch.cartesian_prod(axis, axis)
    on_grid = -energies(energy, points)
    outside = (points.abs() > 3).any(1)
    x = toy_batch(dataset, held_out, random)
    on_data = -energies(energy, x.to(dtype))
    known = dataset == "25gaussians"
    data_entropy = data_log_density(x).mean().item() if known else 0.0

    def gap(t):  # KL(data || p_t), or minus the log-likelihood where the data's density is not known
        log_z = torch.logsumexp(t * on_grid, 0).item() + 2 * math.log(h)
        return data_entropy - (t * on_data.mean().item() - log_z), log_z

    (kl, log_z) = gap(1.0)
    low, high = math.log(1e-3), math.log(1e2)  # the gap is convex in t: golden-section search over log t
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(22):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if gap(math.exp(left))[0] < gap(math.exp(right))[0] else (left, high)
    best = math.exp((low + high) / 2)
    weight = torch.softmax(on_grid, 0)
    result = {"log_z": log_z, "mass_outside_3": weight[outside].sum().item(),
              "log_likelihood": data_entropy - kl, "log_likelihood_best": data_entropy - gap(best)[0],
              "best_temperature": best}
    if known:
        result.update({"kl_data_model": kl, "kl_temperature_0.1": gap(0.1)[0], "kl_best_temperature": gap(best)[0]})

    fake = generator(torch.randn(samples, latent, generator=random, dtype=torch.float64).to(dtype)).double()
    result["generator_inside"] = (fake.abs() <= 4).all(1).double().mean().item()
    if known:
        distance, nearest = (fake[:, None, :] - MODES).norm(dim=2).min(1)
        good = distance <= 4 * SIGMA
        share = torch.bincount(nearest, minlength=25).double() / samples
        result.update({"modes": int(nearest[good].unique().numel()), "high_quality": good.double().mean().item(),
                       "mode_kl": torch.special.xlogy(share, 25 * share).sum().item()})
    generator.train(was_training)
    energy.train()
    return {name: round(value, 5) for name, value in result.items()}


def newest_checkpoint(run: Path) -> Path:
    if run.is_file():
        return run
    found = [(int(m[1]), p) for p in (run / "checkpoints").glob("iteration-*.h5")
             if (m := re.fullmatch(r"iteration-(\d+)\.h5", p.name))]
    if not found:
        sys.exit(f"score_density: {run}: no checkpoints/iteration-*.h5 in it")
    return max(found)[1]


def dataset_of(run: Path) -> str | None:
    """The `dataset` of the run's config.toml, where it says so."""
    import tomllib

    def search(table):
        for key, value in table.items():
            if isinstance(value, dict) and (found := search(value)):
                return found
            if key == "dataset" and isinstance(value, str):
                return value
        return None

    path = (run if run.is_dir() else run.parent.parent) / "config.toml"
    return search(tomllib.loads(path.read_text())) if path.is_file() else None


def load_checkpoint(path: Path):
    """(energy, generator) of a checkpoint whose root, or one group below it, holds energy/NAME and generator/NAME."""
    try:
        import h5py
    except ImportError:
        sys.exit("score_density: h5py is missing: install it with `python3 -m pip install h5py`")
    from methods.ebm import Config
    from networks import network_from_state

    with h5py.File(path, "r") as file:
        places = [file] + [g for g in file.values() if isinstance(g, h5py.Group)]
        place = next((g for g in places if "energy/main.0.weight" in g), None)
        if place is None:
            sys.exit(f"score_density: {path}: no energy/main.0.weight in it")
        states = {kind: {name: torch.from_numpy(data[()]).float() for name, data in place[kind].items()
                         if isinstance(data, h5py.Dataset) and not name.endswith("num_batches_tracked")}
                  for kind in ("energy", "generator")}
    energy, generator = (network_from_state(states[kind], Config(), kind) for kind in ("energy", "generator"))
    return energy, getattr(generator, "g", generator)  # VERA's: without its noise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN_DIR")
    parser.add_argument("--dataset", help="in place of what the run's config.toml says")
    parser.add_argument("--grid", type=int, default=1600)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = []
    for run in args.runs:
        checkpoint = newest_checkpoint(run)
        dataset = args.dataset or dataset_of(run) or "25gaussians"
        rows.append(score(*load_checkpoint(checkpoint), dataset, args.grid))
        print(json.dumps({"run": str(run), "checkpoint": checkpoint.name, "dataset": dataset, **rows[-1]}), flush=True)
    if len(rows) > 1:
        for name in rows[0]:
            values = [row[name] for row in rows if name in row]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            print(f"{name:22s} mean {statistics.mean(values):10.4f}  sd {spread:8.4f}  "
                  f"worst-to-best {min(values):.4f} .. {max(values):.4f}")


if __name__ == "__main__":
    main()
