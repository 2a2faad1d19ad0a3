# SPDX-License-Identifier: MIT
"""One training iteration in PyTorch, as the formulas read: of the toy experiment, or of any dump that replay.py is given.

An independent witness of the C++ program: everything is autograd on a dense Jacobian, in float64 unless asked
otherwise, and nothing is fast. B samples, d latent, D data; J = dG/dz (B x D x d) with batch norm on its running
statistics; s1 the smallest singular value of J.

Energy step (parameters of E):
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
    G(z_generator) uses batch statistics and updates the running statistics a second time.
    entropy_z 'energy': entropy of the energy step's z, J from the statistics after the FIRST update;
    entropy_z 'generator': entropy of z_generator, J from the statistics after the SECOND update.
entropy_i (up to the entropy of N(0, I)), and what is held fixed in its gradient:
    s1, lobpcg, authors   d log ||J v||, v a unit vector, fixed      logdet   1/2 log det J^T J, exact
    slq          Gauss rule of n Lanczos pairs started at v0; gradient that of u^T J v with u, v fixed

Run as a program it trains on a toy data set and prints how the density fares:
    python3 tests/golden/toy_game.py --iterations 5000 --hinge 1 --penalty-weight 0.001
"""
from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
from dataclasses import asdict, dataclass, fields

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit("toy_game: PyTorch is missing: install it with `python3 -m pip install torch`")
from generator_jacobian import apply, authors_iteration, jacobian, lobpcg, slq
from image_networks import convolutional_network, is_convolutional


@dataclass
class Config:
    """The constants of a run, under the names they have as attributes of an iteration dump."""

    method: str = "ebm_bb"
    preset: str = "paper"
    lower_bound: str = "s1"  # s1, lobpcg, authors (LOBPCG with their direction), logdet, slq, none
    upper_bound: str = "bidirectional"  # bidirectional, gp_real, gp_fake, gp_interpolated
    lobpcg_iterations: int = 2
    slq_pairs: int = 2
    penalty_weight: float = 0.001
    penalty_normaliser: str = "d"  # none, d, v, v2
    hinge: float = 1.0
    entropy_weight: float = 1.0
    entropy_z: str = "generator"  # energy, generator
    lr_energy: float = 2e-4
    lr_generator: float = 2e-4
    adam_beta1: float = 0.0
    adam_beta2: float = 0.9
    adam_epsilon: float = 1e-6
    generator_output: str = "linear"  # linear, tanh: what follows the generator's last linear layer
    bn_epsilon: float = 1e-5
    bn_momentum: float = 0.1

    def draws_v0(self) -> bool:
        on_energy_z = self.lower_bound in ("lobpcg", "authors", "slq") and self.entropy_z == "energy"
        return self.upper_bound == "bidirectional" or on_energy_z

    def draws_v0_generator(self) -> bool:
        return self.entropy_z == "generator" and self.lower_bound in ("lobpcg", "authors", "slq")


# ---------------------------------------------------------------------------------------------------- networks


class Energy(nn.Module):
    """main, and with the preset `code` one more 1 x 1 linear layer `l` without a bias."""

    def __init__(self, main: nn.Sequential, scaled: bool):
        super().__init__()
        self.main = main
        if scaled:
            self.l = nn.Linear(1, 1, bias=False)

    def forward(self, x):
        energy = self.main(x)
        return (self.l(energy) if hasattr(self, "l") else energy).squeeze(1)


class Generator(nn.Module):
    def __init__(self, main: nn.Sequential):
        super().__init__()
        self.main = main

    def forward(self, z):
        return self.main(z)


def make_energy(config: Config, data_dim: int, hidden: int) -> Energy:
    main = nn.Sequential(nn.Linear(data_dim, hidden), nn.PReLU(), nn.Linear(hidden, hidden), nn.PReLU(),
                         nn.Linear(hidden, 1))
    return Energy(main, config.preset == "code")


def make_generator(config: Config, latent_dim: int, data_dim: int, hidden: int) -> Generator:
    def norm():
        return nn.BatchNorm1d(hidden, eps=config.bn_epsilon, momentum=config.bn_momentum)

    main = [nn.Linear(latent_dim, hidden), nn.PReLU(), norm(), nn.Linear(hidden, hidden), nn.PReLU(), norm(),
            nn.Linear(hidden, data_dim)]
    if config.generator_output == "tanh":
        main.append(nn.Tanh())
    return Generator(nn.Sequential(*main))


def network_from_state(state: dict, config: Config, kind: str) -> nn.Module:
    """The network whose state_dict is `state`; the layers are told from the names and shapes alone."""
    if is_convolutional(state):
        return convolutional_network(state, kind)
    groups: dict[int, dict] = {}
    for name, value in state.items():
        match = re.fullmatch(r"main\.(\d+)\.(\w+)", name)
        if match:
            groups.setdefault(int(match[1]), {})[match[2]] = value
        elif name != "l.weight":
            raise ValueError(f"{kind}/{name}: only main.N.* and l.weight are known here")
    layers = []
    for index in range(max(groups) + 1):
        group = groups.get(index)
        if group is None:
            raise ValueError(f"{kind}/main.{index} has no parameters: which layer it is cannot be told from the names")
        if "running_mean" in group:
            layers.append(nn.BatchNorm1d(len(group["weight"]), eps=config.bn_epsilon, momentum=config.bn_momentum))
        elif group["weight"].ndim == 2:
            rows, columns = group["weight"].shape
            layers.append(nn.Linear(columns, rows, bias="bias" in group))
        elif group["weight"].numel() == 1 and "bias" not in group:
            layers.append(nn.PReLU())
        else:
            raise ValueError(f"{kind}/main.{index}: weight {tuple(group['weight'].shape)} is of no layer known here")
    if kind == "generator" and config.generator_output == "tanh":
        layers.append(nn.Tanh())
    main = nn.Sequential(*layers)
    network = Energy(main, "l.weight" in state) if kind == "energy" else Generator(main)
    network.load_state_dict({n: torch.as_tensor(v) for n, v in state.items()}, strict=False)
    return network


def state_of(network: nn.Module) -> dict:
    """Parameters and running statistics by name, without num_batches_tracked."""
    return {n: v for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}


def make_adam(config: Config, network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr, (config.adam_beta1, config.adam_beta2), config.adam_epsilon)


# ------------------------------------------------------------------------------------------------ lower bounds


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


# ------------------------------------------------------------------------------------------------ the iteration


def gradients_of(loss, network: nn.Module) -> dict:
    names, parameters = zip(*network.named_parameters())
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    return {n: torch.zeros_like(p) if g is None else g for n, p, g in zip(names, parameters, found)}


def take_step(adam: torch.optim.Adam, network: nn.Module, gradients: dict) -> None:
    for name, parameter in network.named_parameters():
        parameter.grad = gradients[name]
    adam.step()


def penalty_of(config: Config, energy, inputs: dict, x_fake, J, a):
    """(penalty, factor of it in the loss, directional derivatives where the bound has them)."""
    if config.upper_bound == "bidirectional":
        v0 = inputs["v0"]
        x = x_fake.detach().requires_grad_()
        gradient = torch.autograd.grad(energy(x).sum(), x, create_graph=True)[0]
        directional = (gradient * apply(J, v0)).sum(1)
        squared = (v0 ** 2).sum(1)
        n = {"none": torch.ones_like(squared), "d": torch.full_like(squared, v0.shape[1]),
             "v": squared.sqrt(), "v2": squared}[config.penalty_normaliser]
        return ((directional - (a * v0).sum(1)) ** 2 / n).mean(), 0.5, directional
    if config.upper_bound == "gp_real":
        x = inputs["x"]
    elif config.upper_bound == "gp_fake":
        x = x_fake
    elif config.upper_bound == "gp_interpolated":
        alpha = inputs["alpha"][:, None]
        x = alpha * inputs["x"] + (1 - alpha) * x_fake
    else:
        raise ValueError(f"upper_bound {config.upper_bound}: use bidirectional, gp_real, gp_fake or gp_interpolated")
    x = x.detach().requires_grad_()
    gradient = torch.autograd.grad(energy(x).sum(), x, create_graph=True)[0]
    return (gradient ** 2).sum(1).mean(), 1.0, None


def iterate(config: Config, energy, generator, adam_energy, adam_generator, inputs: dict):
    """One iteration in place. Returns (results, gradients), both as flat dictionaries under the dump's names."""
    results = {}
    has_entropy = config.lower_bound != "none"

    # Energy step
    generator.train()
    with torch.no_grad():
        x_fake = generator(inputs["z"])
    generator.eval()
    J = entropy = a = None
    z = inputs["z"].detach().requires_grad_()
    if config.upper_bound == "bidirectional" or (has_entropy and config.entropy_z == "energy"):
        J = jacobian(generator, z)
        entropy, named = entropy_of(config, J, inputs.get("v0"), inputs.get("p0"))
        results.update(named, entropy=entropy.detach())
    if config.upper_bound == "bidirectional":
        slope = torch.autograd.grad(entropy.sum(), z, retain_graph=True, allow_unused=True)[0]
        a = z.detach() if slope is None else z.detach() + slope
        results["a"] = a
    entropy_gradients = None
    if has_entropy and config.entropy_z == "energy":  # now: the statistics under this J change below
        results["entropy_mean"] = entropy.detach().mean()
        entropy_gradients = gradients_of(-config.entropy_weight * entropy.mean(), generator)

    energy_real, energy_fake = energy(inputs["x"]), energy(x_fake)
    penalty, factor, directional = penalty_of(config, energy, inputs, x_fake, None if J is None else J.detach(), a)
    hinged = torch.relu(factor * config.penalty_weight * penalty - config.hinge)
    loss_energy = energy_real.mean() - energy_fake.mean() + hinged
    if directional is not None:
        results["directional"] = directional.detach()
    results.update(energy_real=energy_real.detach(), energy_fake=energy_fake.detach(), penalty=penalty.detach(),
                   loss_energy=loss_energy.detach())
    energy_gradients = gradients_of(loss_energy, energy)
    take_step(adam_energy, energy, energy_gradients)

    # Generator step
    generator.train()
    loss_generator = energy(generator(inputs["z_generator"])).mean()
    generator_gradients = gradients_of(loss_generator, generator)
    loss_generator = loss_generator.detach()
    generator.eval()
    if has_entropy and config.entropy_z == "generator":
        z = inputs["z_generator"].detach().requires_grad_()
        entropy, named = entropy_of(config, jacobian(generator, z), inputs.get("v0_generator"),
                                    inputs.get("p0_generator"))
        results.update({f"{name}_generator": value for name, value in named.items()})
        results["entropy_generator"] = entropy.detach()
        results["entropy_mean"] = entropy.detach().mean()
        entropy_gradients = gradients_of(-config.entropy_weight * entropy.mean(), generator)
    if entropy_gradients is not None:
        loss_generator = loss_generator - config.entropy_weight * results["entropy_mean"]
        generator_gradients = {n: g + entropy_gradients[n] for n, g in generator_gradients.items()}
    results.pop("entropy_mean", None)
    results["loss_generator"] = loss_generator
    take_step(adam_generator, generator, generator_gradients)

    gradients = {f"energy/{n}": g for n, g in energy_gradients.items()}
    gradients.update({f"generator/{n}": g for n, g in generator_gradients.items()})
    return results, gradients


def draw_inputs(config: Config, x, latent_dim: int, random: torch.Generator) -> dict:
    def normal():
        return torch.randn(x.shape[0], latent_dim, generator=random, dtype=x.dtype)

    inputs = {"x": x, "z": normal(), "z_generator": normal()}
    if config.draws_v0():
        inputs["v0"] = normal()
    if config.draws_v0_generator():
        inputs["v0_generator"] = normal()
    if config.upper_bound == "gp_interpolated":
        inputs["alpha"] = torch.rand(x.shape[0], generator=random, dtype=x.dtype)
    return inputs


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

    parser = argparse.ArgumentParser(description="train the toy game in PyTorch and print its scores as JSON lines")
    for field in fields(Config):
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
    config = Config(**{f.name: getattr(args, f.name) for f in fields(Config)})
    energy = make_energy(config, 2, args.hidden)
    generator = make_generator(config, args.latent, 2, args.hidden)
    adams = make_adam(config, energy, config.lr_energy), make_adam(config, generator, config.lr_generator)
    print(json.dumps(asdict(config)), flush=True)
    start = time.perf_counter()
    for iteration in range(1, args.iterations + 1):
        x = toy_batch(args.dataset, args.batch, random, torch.get_default_dtype())
        results, _ = iterate(config, energy, generator, *adams, draw_inputs(config, x, args.latent, random))
        if iteration % args.eval_every == 0 or iteration == args.iterations:
            print(json.dumps({"iteration": iteration, "seconds": round(time.perf_counter() - start, 1),
                              **{n: round(float(results[n]), 4) for n in ("penalty", "loss_energy", "loss_generator")},
                              **score(energy, generator, args.dataset, grid=args.grid)}), flush=True)


if __name__ == "__main__":
    main()
