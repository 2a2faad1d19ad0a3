# SPDX-License-Identifier: MIT
"""The toy data sets, and a training program in PyTorch that prints how the density fares, with any method of methods/:

    python3 tests/golden/toy_game.py --iterations 5000 --hinge 1 --penalty-weight 0.001
    python3 tests/golden/toy_game.py --method meg --iterations 5000

An independent witness of the C++ program: everything is autograd, in float64 unless asked otherwise, and nothing is fast.
What an iteration computes stands at the head of each file of methods/.
"""
from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, fields

try:
    import torch
except ImportError:
    sys.exit("toy_game: PyTorch is missing: install it with `python3 -m pip install torch`")
from methods import MODULES, make_learner
from networks import NoisyGenerator, make_networks

# ---------------------------------------------------------------------------------------------------- toy data

SCALE = 2.828
SIGMA = 0.05 / SCALE
MODES = torch.tensor([[2.0 * i, 2.0 * j] for i in range(-2, 3) for j in range(-2, 3)], dtype=torch.float64) / SCALE


def toy_batch(name: str, batch: int, random: torch.Generator, dtype=torch.float64):
    """B x 2 points of 25gaussians (the modes in turn), swiss_roll or two_moons."""
    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    def uniform(n):
        return torch.rand(n, generator=random, dtype=torch.float64)

    if name == "25gaussians":
        x = MODES[torch.arange(batch) % 25] + SIGMA * normal(batch, 2)
    elif name == "swiss_roll":
        t = 1.5 * math.pi * (1 + 2 * uniform(batch))
        x = (torch.stack([t * t.cos(), t * t.sin()], 1) + normal(batch, 2)) / 5
    elif name == "two_moons":
        t = math.pi * uniform(batch)
        upper = (torch.arange(batch) % 2 == 0)[:, None]
        x = torch.where(upper, torch.stack([t.cos(), t.sin()], 1), torch.stack([1 - t.cos(), 0.5 - t.sin()], 1))
        x = x + 0.1 * normal(batch, 2)
    else:
        raise ValueError(f"data set {name}: use 25gaussians, swiss_roll or two_moons")
    return x.to(dtype)


def main() -> None:
    from score_density import score  # the scores need only torch

    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--method", choices=tuple(MODULES), default="ebm_bb")
    module = MODULES[first.parse_known_args()[0].method]
    parser = argparse.ArgumentParser(parents=[first],
                                     description="train the toy game in PyTorch and print its scores as JSON lines")
    for field in fields(module.Config):
        if field.name != "method":
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    parser.add_argument("--dataset", default="25gaussians")
    parser.add_argument("--iterations", type=int, default=5000)
    parser.add_argument("--eval-every", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--latent", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--grid", type=int, default=800)
    parser.add_argument("--float32", action="store_true", help="float32 in place of float64")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_default_dtype(torch.float32 if args.float32 else torch.float64)
    torch.manual_seed(args.seed)
    random = torch.Generator().manual_seed(args.seed)
    config = module.Config(**{f.name: getattr(args, f.name) for f in fields(module.Config)})
    networks = make_networks(config, args.latent, 2, args.hidden)
    learners = {name: make_learner(config, name, network) for name, network in networks.items()}
    generator = networks["generator"]
    mean_generator = generator.g if isinstance(generator, NoisyGenerator) else generator
    print(json.dumps(asdict(config)), flush=True)
    start = time.perf_counter()
    for iteration in range(1, args.iterations + 1):
        x = torch.cat([toy_batch(args.dataset, args.batch, random, torch.get_default_dtype())
                       for _ in range(config.energy_steps)])
        results, _, _ = module.iterate(config, learners, module.draw(config, x, args.latent, random), iteration - 1)
        if iteration % args.eval_every == 0 or iteration == args.iterations:
            print(json.dumps({"iteration": iteration, "seconds": round(time.perf_counter() - start, 1),
                              **{n: round(float(v), 4) for n, v in results.items() if v.ndim == 0},
                              **score(networks["energy"], mean_generator, args.dataset, grid=args.grid)}), flush=True)


if __name__ == "__main__":
    main()
