# SPDX-License-Identifier: MIT
"""The networks of the methods in PyTorch: those of Table 6 made anew, and any from its state: which layers it has is told
from names and shapes alone.

    energy       main.N (preset `code`: and l), with NAME.weight_u where NAME's weight has a spectral norm
    generator    main.N; VERA's: g.main.N (own: g.N) and logsigma
    statistics   MEG's T(x, z) = head([trunk(x), z]): trunk.N, head.N
    posterior    VERA's logsigma (d)
Spectral norm, in each training forward, W the weight as out x rest, u the buffer (in eval mode u stays):
    v = W^T u / (|W^T u| + 1e-12),  u = W v / (|W v| + 1e-12),  sigma = u^T W v with u, v fixed,  the layer has W / sigma
"""
from __future__ import annotations

import math
import re

import torch
from torch import nn
from torch.nn.functional import linear

from image_networks import SLOPE, convolutional_network, convolutional_statistics, is_convolutional
from methods.common import Config
from own_networks import own_network


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


class NoisyGenerator(nn.Module):
    """g(h) + sigma eps."""

    def __init__(self, g: nn.Module, logsigma: float = math.log(0.01)):
        super().__init__()
        self.g, self.logsigma = g, nn.Parameter(torch.tensor(logsigma))

    def forward(self, h, noise):
        return self.g(h) + self.logsigma.exp() * noise


class Posterior(nn.Module):
    def __init__(self, latent_dim: int, logsigma: float = math.log(0.1)):
        super().__init__()
        self.logsigma = nn.Parameter(torch.full((latent_dim,), logsigma))


class Statistics(nn.Module):
    def __init__(self, trunk: nn.Sequential, head: nn.Sequential):
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, x, z):
        return self.head(torch.cat([self.trunk(x), z], 1)).squeeze(1)


# ---------------------------------------------------------------------------------------------- spectral norm


def normalised(layer):
    """The weight over its largest singular value; in train mode u moves on."""
    W = layer.weight.flatten(1)
    u = layer.weight_u
    with torch.no_grad():
        v = W.T @ u
        v = v / (v.norm() + 1e-12)
        if layer.training:
            u = W @ v
            u = u / (u.norm() + 1e-12)
            layer.weight_u = u
    return layer.weight / (u @ (W @ v))


class SpectralLinear(nn.Linear):
    def forward(self, x):
        return linear(x, normalised(self), self.bias)


class SpectralConv2d(nn.Conv2d):
    def forward(self, x):
        return self._conv_forward(x, normalised(self), self.bias)


def with_spectral_norm(network: nn.Module, u: dict) -> nn.Module:
    """u: {layer: its vector}."""
    for name, vector in u.items():
        layer = network.get_submodule(name)
        layer.__class__ = {nn.Linear: SpectralLinear, nn.Conv2d: SpectralConv2d}[type(layer)]
        layer.register_buffer("weight_u", vector.clone())
    return network


# ---------------------------------------------------------------------------------------------------- Table 6


def make_energy(config: Config, data_dim: int, hidden: int) -> Energy:
    energy_output = getattr(config, "energy_output", "linear")
    main = nn.Sequential(nn.Linear(data_dim, hidden), nn.PReLU(), nn.Linear(hidden, hidden), nn.PReLU(),
                         nn.Linear(hidden, 1), *([nn.Softplus()] if energy_output == "softplus" else []))
    energy = Energy(main, config.preset == "code")
    if config.method == "sngan":
        u = {f"main.{n}": torch.randn(main[n].out_features, dtype=torch.get_default_dtype()) for n in (0, 2, 4)}
        with_hinge(with_spectral_norm(energy, u))
    return energy


def make_generator(config: Config, latent_dim: int, data_dim: int, hidden: int) -> nn.Module:
    def norm():
        return nn.BatchNorm1d(hidden, eps=config.bn_epsilon, momentum=config.bn_momentum)

    main = [nn.Linear(latent_dim, hidden), nn.PReLU(), norm(), nn.Linear(hidden, hidden), nn.PReLU(), norm(),
            nn.Linear(hidden, data_dim)]
    if config.generator_output == "tanh":
        main.append(nn.Tanh())
    generator = Generator(nn.Sequential(*main))
    return NoisyGenerator(generator) if config.method == "vera" else generator


def make_statistics(latent_dim: int, data_dim: int, hidden: int, features: int) -> Statistics:
    return Statistics(nn.Sequential(nn.Linear(data_dim, hidden), nn.PReLU(), nn.Linear(hidden, features)),
                      nn.Sequential(nn.Linear(features + latent_dim, hidden), nn.PReLU(), nn.Linear(hidden, 1)))


def make_networks(config: Config, latent_dim: int, data_dim: int, hidden: int) -> dict:
    """All learners' networks by name."""
    networks = {"energy": make_energy(config, data_dim, hidden),
                "generator": make_generator(config, latent_dim, data_dim, hidden)}
    if config.method == "meg":
        networks["statistics"] = make_statistics(latent_dim, data_dim, hidden, hidden // 2)
    if config.method == "vera":
        networks["posterior"] = Posterior(latent_dim)
    return networks


def with_hinge(energy: nn.Module) -> nn.Module:
    """The ReLU of SNGAN's loss, where those who look for kinks find it."""
    energy.hinge = nn.ReLU()
    return energy


# --------------------------------------------------------------------------------------------------- from a state


def sequence_of(state: dict, config: Config, prefix: str, where: str) -> nn.Sequential:
    """The layers prefix.N; a number without parameters between two others is a leaky ReLU."""
    groups: dict[int, dict] = {}
    for name, value in state.items():
        match = re.fullmatch(rf"{prefix}\.(\d+)\.(\w+)", name)
        if match:
            groups.setdefault(int(match[1]), {})[match[2]] = value
    if not groups:
        raise ValueError(f"{where}: no {prefix}.N.*")
    layers = []
    for index in range(max(groups) + 1):
        group = groups.get(index)
        if group is None and prefix == "head" and index > 0:
            layers.append(nn.LeakyReLU(SLOPE))
        elif group is None:
            raise ValueError(f"{where}/{prefix}.{index} has no parameters: which layer it is cannot be told from the names")
        elif "running_mean" in group:
            layers.append(nn.BatchNorm1d(len(group["weight"]), eps=config.bn_epsilon, momentum=config.bn_momentum))
        elif group["weight"].ndim == 2:
            rows, columns = group["weight"].shape
            layers.append(nn.Linear(columns, rows, bias="bias" in group))
        elif group["weight"].numel() == 1 and "bias" not in group:
            layers.append(nn.PReLU())
        else:
            raise ValueError(f"{where}/{prefix}.{index}: weight {tuple(group['weight'].shape)} is of no layer known here")
    return nn.Sequential(*layers)


def layers_from(state: dict, config: Config, kind: str) -> nn.Module:
    """The network with these names, its numbers still to come."""
    if kind == "posterior":
        return Posterior(len(state["logsigma"]))
    if kind == "generator" and "logsigma" in state:
        return NoisyGenerator(layers_from({n[2:]: v for n, v in state.items() if n.startswith("g.")}, config, kind))
    if getattr(config, "networks", "shared") == "own":
        return own_network(state, kind, config.method)
    if kind == "statistics":
        trunk = (convolutional_statistics(state) if is_convolutional(state)
                 else sequence_of(state, config, "trunk", kind))
        return Statistics(trunk, sequence_of(state, config, "head", kind))
    if is_convolutional(state):
        return convolutional_network(state, kind)
    main = sequence_of(state, config, "main", kind)
    if kind == "energy":
        if getattr(config, "energy_output", "linear") == "softplus":
            main.append(nn.Softplus())
        return Energy(main, "l.weight" in state)
    if config.generator_output == "tanh":
        main.append(nn.Tanh())
    return Generator(main)


def network_from_state(state: dict, config: Config, kind: str) -> nn.Module:
    """The network whose state_dict is `state`."""
    state = {n: torch.as_tensor(v) for n, v in state.items()}
    u = {n.removesuffix(".weight_u"): v for n, v in state.items() if n.endswith(".weight_u")}
    plain = {n: v for n, v in state.items() if not n.endswith(".weight_u")}
    network = layers_from(plain, config, kind)
    if kind == "energy" and config.method == "sngan":
        with_hinge(network)
    missing, unknown = network.load_state_dict(plain, strict=False)
    wrong = unknown + [name for name in missing if not name.endswith("num_batches_tracked")]
    if wrong:
        raise ValueError(f"{kind}: this is a network of no table: {', '.join(wrong)} missing or too much")
    return with_spectral_norm(network, u)
