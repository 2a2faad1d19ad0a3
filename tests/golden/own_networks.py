# SPDX-License-Identifier: MIT
"""The networks of the methods' own public code in PyTorch (`--networks own`):
    DCGAN   StudioGAN's deep_conv.py, images of 32 x 32
    SNGAN   sngan_projection's dis_models/snresnet_32.py and gen_models/resnet_32.py without classes, images of 32 x 32
    MEG     networks/toy.py for points, networks/mnist.py for images of 28 x 28
    VERA    models/mlp.py for points, models/dcgan.py for images of 32 x 32 and 64 x 64
Names count every module, activations too. The spectral norms of SNGAN's energy come with the state (networks.py).
"""
from __future__ import annotations

import torch
from torch import nn

from image_networks import ImageEnergy, ImageGenerator, Residual, SpatialSum, conv3, dcgan_generator

DEEP_CONV_EPS = 1e-4
CHAINER_EPS = 2e-5  # Chainer's default


def deep_conv_energy(c: int) -> ImageEnergy:
    rows = [(3, 1, 3, c), (4, 2, c, c), (3, 1, c, 2 * c), (4, 2, 2 * c, 2 * c), (3, 1, 2 * c, 4 * c),
            (4, 2, 4 * c, 4 * c), (3, 1, 4 * c, 8 * c)]
    main = [m for kernel, stride, i, o in rows
            for m in (nn.Conv2d(i, o, kernel, stride, 1), nn.BatchNorm2d(o, eps=DEEP_CONV_EPS), nn.ReLU())]
    return ImageEnergy(nn.Sequential(*main, SpatialSum()), 8 * c, 32)


def deep_conv_generator(latent: int, c: int) -> ImageGenerator:
    """Table 8's but for eps."""
    return dcgan_generator(latent, c, DEEP_CONV_EPS)


def convolved(i: int, o: int) -> list:
    return [nn.ReLU(), conv3(i, o), nn.ReLU(), conv3(o, o)]


def sngan_energy(c: int) -> ImageEnergy:
    def pool():
        return nn.AvgPool2d(2)

    first = Residual([conv3(3, c), nn.ReLU(), conv3(c, c), pool()], [pool(), nn.Conv2d(3, c, 1)])
    second = Residual([*convolved(c, c), pool()], [nn.Conv2d(c, c, 1), pool()])
    main = nn.Sequential(first, second, Residual(convolved(c, c), []), Residual(convolved(c, c), []), nn.ReLU(),
                         SpatialSum())
    energy = ImageEnergy(main, c, 32)
    energy.expand = nn.Linear(c, 1, bias=False)
    return energy


def sngan_generator(latent: int, c: int) -> ImageGenerator:
    def norm():
        return nn.BatchNorm2d(c, eps=CHAINER_EPS)

    def doubling():
        return Residual([norm(), nn.ReLU(), nn.Upsample(scale_factor=2), conv3(c, c), norm(), nn.ReLU(), conv3(c, c)],
                        [nn.Upsample(scale_factor=2), nn.Conv2d(c, c, 1)])

    return ImageGenerator(nn.Sequential(nn.Linear(latent, 16 * c), nn.Unflatten(1, (c, 4, 4)),
                                        doubling(), doubling(), doubling(), norm(), nn.ReLU(), conv3(c, 3), nn.Tanh()))


# ------------------------------------------------------------------------------------------------------------- MEG


def leaky_mlp(inputs: int, hidden: int, outputs: int, slope: float) -> nn.Sequential:
    layers = []
    for i in (inputs, hidden, hidden):
        layers += [nn.Linear(i, hidden), nn.LeakyReLU(slope)]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


class MegMlp(nn.Module):
    """Of x, or of x beside z."""

    def __init__(self, inputs: int, hidden: int, outputs: int, slope: float):
        super().__init__()
        self.main = leaky_mlp(inputs, hidden, outputs, slope)

    def forward(self, *inputs):
        y = self.main(torch.cat(inputs, 1))
        return y.squeeze(1) if y.shape[1] == 1 else y


class MegDigits(nn.Module):
    """Convolutions of a digit, and a Linear named `expand` to `outputs` numbers."""

    def __init__(self, channels: int, width: int, outputs: int):
        super().__init__()
        rows, i = [], channels
        for o in (width // 8, width // 4, width // 2, width):
            rows += [nn.Conv2d(i, o, 5, 2, 2), nn.LeakyReLU(0.2)]
            i = o
        self.main, self.expand, self.channels = nn.Sequential(*rows), nn.Linear(4 * width, outputs), channels

    def forward(self, x):
        y = self.expand(self.main(x.unflatten(1, (self.channels, 28, 28))).flatten(1))
        return y.squeeze(1) if y.shape[1] == 1 else y


class MegDigitGenerator(nn.Module):
    def __init__(self, latent: int, channels: int, width: int):
        super().__init__()
        self.expand, self.width = nn.Linear(latent, 4 * width), width
        rows, i = [], width
        for o, padding in ((width // 2, 1), (width // 4, 0), (width // 8, 1), (channels, 1)):
            rows += [nn.BatchNorm2d(i), nn.ReLU(), nn.ConvTranspose2d(i, o, 5, 2, 2, output_padding=padding)]
            i = o
        self.main = nn.Sequential(*rows, nn.Tanh())

    def forward(self, z):
        return self.main(self.expand(z).unflatten(1, (self.width, 2, 2))).flatten(1)


class MegDigitStatistics(nn.Module):
    def __init__(self, latent: int, channels: int, width: int):
        super().__init__()
        self.trunk = MegDigits(channels, width, latent)
        self.head = nn.Sequential(nn.Linear(2 * latent, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, x, z):
        return self.head(torch.cat([self.trunk(x).reshape(z.shape), z], 1)).squeeze(1)


def meg_network(state: dict, kind: str) -> nn.Module:
    if "expand.weight" not in state and "trunk.expand.weight" not in state:
        hidden, inputs = state["main.0.weight"].shape
        return MegMlp(inputs, hidden, state["main.6.weight"].shape[0], 0.0 if kind == "generator" else 0.2)
    if kind == "generator":
        return MegDigitGenerator(state["expand.weight"].shape[1], state["main.11.weight"].shape[1],
                                 len(state["main.0.weight"]))
    if kind == "energy":
        return MegDigits(state["main.0.weight"].shape[1], state["main.6.weight"].shape[0], 1)
    return MegDigitStatistics(state["trunk.expand.weight"].shape[0], state["trunk.main.0.weight"].shape[1],
                              state["trunk.main.6.weight"].shape[0])


# ------------------------------------------------------------------------------------------------------------ VERA


class VeraEnergy(nn.Sequential):
    def __init__(self, *rows, side: int = 0):
        super().__init__(*rows)
        self.side = side

    def forward(self, x):
        return super().forward(x.unflatten(1, (3, self.side, self.side)) if self.side else x).reshape(-1)


class VeraGenerator(nn.Sequential):
    def forward(self, z):
        return super().forward(z[:, :, None, None] if isinstance(self[0], nn.ConvTranspose2d) else z).flatten(1)


def vera_energy(c: int, kernel: int) -> VeraEnergy:
    rows, i = [], 3
    for o in (c, 2 * c, 4 * c, 8 * c):
        rows += [nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)]
        i = o
    return VeraEnergy(*rows, nn.Conv2d(i, 1, kernel, bias=False), side=16 * kernel)


def vera_generator(latent: int, c: int, kernel: int) -> VeraGenerator:
    rows = [nn.ConvTranspose2d(latent, 8 * c, kernel, bias=False), nn.BatchNorm2d(8 * c), nn.ReLU()]
    for o in (4 * c, 2 * c, c):
        rows += [nn.ConvTranspose2d(2 * o, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU()]
    return VeraGenerator(*rows, nn.ConvTranspose2d(c, 3, 4, 2, 1), nn.Tanh())


def vera_network(state: dict, kind: str) -> nn.Module:
    first = state["0.weight"]
    if first.ndim == 2 and kind == "energy":
        h = first.shape[0]
        return VeraEnergy(nn.Linear(2, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, 1))
    if first.ndim == 2:
        h, latent = first.shape
        return VeraGenerator(nn.Linear(latent, h, bias=False), nn.BatchNorm1d(h), nn.ReLU(),
                             nn.Linear(h, h, bias=False), nn.BatchNorm1d(h), nn.ReLU(), nn.Linear(h, 2))
    if kind == "energy":
        return vera_energy(first.shape[0], state["8.weight"].shape[2])
    return vera_generator(first.shape[0], first.shape[1] // 8, first.shape[2])


def own_network(state: dict, kind: str, method: str) -> nn.Module:
    """The network of this method's own code, as wide as the state's arrays."""
    if method == "meg":
        return meg_network(state, kind)
    if method == "vera":
        return vera_network(state, kind)
    if kind == "energy" and method == "dcgan":
        return deep_conv_energy(state["main.0.weight"].shape[0])
    if kind == "energy":
        return sngan_energy(state["main.0.left.0.weight"].shape[0])
    latent = state["main.0.weight"].shape[1]
    if method == "dcgan":
        return deep_conv_generator(latent, state["main.11.weight"].shape[1])
    return sngan_generator(latent, state["main.7.weight"].shape[1])
