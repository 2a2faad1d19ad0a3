# SPDX-License-Identifier: MIT
"""The networks of DCGAN's and SNGAN's own public code in PyTorch, for images of 32 x 32 (`--networks own`): StudioGAN's
deep_conv.py, and sngan_projection's dis_models/snresnet_32.py and gen_models/resnet_32.py without classes. Names count
every module, activations too. The spectral norms of SNGAN's energy come with the state (networks.py).
"""
from __future__ import annotations

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


def own_network(state: dict, kind: str, method: str) -> nn.Module:
    """The network of this method's own code, as wide as the state's arrays."""
    if kind == "energy" and method == "dcgan":
        return deep_conv_energy(state["main.0.weight"].shape[0])
    if kind == "energy":
        return sngan_energy(state["main.0.left.0.weight"].shape[0])
    latent = state["main.0.weight"].shape[1]
    if method == "dcgan":
        return deep_conv_generator(latent, state["main.11.weight"].shape[1])
    return sngan_generator(latent, state["main.7.weight"].shape[1])
