# SPDX-License-Identifier: MIT
"""The networks of images with convolutions in PyTorch, row by row as Tables 8, 9 and 10 of the paper have them. (Those of
Table 7 are plain layers: networks.py tells them from their names.) Images come and go as flat vectors in PyTorch's order,
so that a Jacobian is a matrix.
"""
from __future__ import annotations

from torch import nn

SLOPE = 0.1


class ImageEnergy(nn.Module):
    def __init__(self, main: nn.Sequential, features: int, side: int):
        super().__init__()
        self.main, self.side = main, side
        self.expand = nn.Linear(features, 1)

    def forward(self, x):
        return self.expand(self.main(x.unflatten(1, (3, self.side, self.side)))).squeeze(1)


class ImageGenerator(nn.Module):
    def __init__(self, main: nn.Sequential):
        super().__init__()
        self.main = main

    def forward(self, z):
        return self.main(z).flatten(1)


class Residual(nn.Module):
    def __init__(self, left: list, right: list):
        super().__init__()
        self.left, self.right = nn.Sequential(*left), nn.Sequential(*right)

    def forward(self, x):
        return self.left(x) + self.right(x)


class SpatialSum(nn.Module):
    def forward(self, x):
        return x.sum((2, 3))


# ------------------------------------------------------------------------------------------------- Table 8, 32 x 32


def dcgan_rows(c: int) -> list:
    rows = [(3, 1, 3, c), (4, 2, c, c), (3, 1, c, 2 * c), (4, 2, 2 * c, 2 * c), (3, 1, 2 * c, 4 * c),
            (4, 2, 4 * c, 4 * c), (3, 1, 4 * c, 8 * c)]
    return [m for kernel, stride, i, o in rows for m in (nn.Conv2d(i, o, kernel, stride, 1), nn.LeakyReLU(SLOPE))]


def dcgan_energy(c: int) -> ImageEnergy:
    return ImageEnergy(nn.Sequential(*dcgan_rows(c), nn.Flatten()), 8 * c * 16, 32)


def dcgan_generator(latent: int, c: int, eps: float = 1e-5) -> ImageGenerator:
    main = [nn.Linear(latent, 8 * c * 16), nn.Unflatten(1, (8 * c, 4, 4))]
    for i, o in ((8 * c, 4 * c), (4 * c, 2 * c), (2 * c, c)):
        main += [nn.ConvTranspose2d(i, o, 4, 2, 1), nn.BatchNorm2d(o, eps=eps), nn.ReLU()]
    return ImageGenerator(nn.Sequential(*main, nn.Conv2d(c, 3, 3, 1, 1), nn.Tanh()))


# ------------------------------------------------------------------------------------------ Tables 9 and 10, 64 x 64


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-4)


def conv3(i: int, o: int) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, 1, 1)


def resnet_rows(c: int, with_batch_norm: bool) -> list:
    def kept(*rows):
        return [row for row in rows if with_batch_norm or not isinstance(row, nn.BatchNorm2d)]

    main = [Residual(kept(conv3(3, c), norm(c), nn.LeakyReLU(SLOPE), conv3(c, c), nn.AvgPool2d(2)),
                     kept(nn.AvgPool2d(2), norm(3), nn.Conv2d(3, c, 1)))]
    for i in (c, 2 * c, 4 * c, 8 * c):
        o, pool = 2 * i, [nn.AvgPool2d(2)] if i < 8 * c else []
        main.append(Residual(kept(norm(i), nn.LeakyReLU(SLOPE), conv3(i, o), norm(o), nn.LeakyReLU(SLOPE), conv3(o, o),
                                  *pool),
                             kept(norm(i), nn.Conv2d(i, o, 1), *pool)))
    return [*main, nn.LeakyReLU(SLOPE), SpatialSum()]


def resnet_energy(c: int, with_batch_norm: bool) -> ImageEnergy:
    return ImageEnergy(nn.Sequential(*resnet_rows(c, with_batch_norm)), 16 * c, 64)


def resnet_generator(latent: int, c: int) -> ImageGenerator:
    main = [nn.Linear(latent, 16 * c * 16), nn.Unflatten(1, (16 * c, 4, 4))]
    for i in (16 * c, 8 * c, 4 * c, 2 * c):
        o = i // 2
        main.append(Residual([norm(i), nn.ReLU(), nn.Upsample(scale_factor=2), conv3(i, o), norm(o), nn.ReLU(),
                              conv3(o, o)],
                             [nn.Upsample(scale_factor=2), nn.Conv2d(i, o, 1)]))
    return ImageGenerator(nn.Sequential(*main, norm(c), nn.ReLU(), conv3(c, 3), nn.Tanh()))


# ---------------------------------------------------------------------------------------------------------------------


def is_convolutional(state: dict) -> bool:
    return any(value.ndim == 4 for value in state.values())


def convolutional_network(state: dict, kind: str) -> nn.Module:
    """The network of Table 8, 9 or 10 with these names: which table, and how wide, is told from them and their shapes."""
    first = state["main.0.weight"] if "main.0.weight" in state else state["main.0.left.0.weight"]
    if kind == "energy" and "main.0.weight" in state:
        return dcgan_energy(first.shape[0])
    if kind == "energy":
        return resnet_energy(first.shape[0], any(name.endswith("running_mean") for name in state))
    if "main.11.weight" in state:
        return dcgan_generator(first.shape[1], state["main.11.weight"].shape[1])
    return resnet_generator(first.shape[1], state["main.8.weight"].shape[1])


def convolutional_statistics(state: dict) -> nn.Sequential:
    """The trunk of MEG's T on images: the energy's convolutions as trunk.N, then a Linear, the last trunk.N of all."""
    if "trunk.0.weight" in state:
        rows, side = dcgan_rows(state["trunk.0.weight"].shape[0]), 32
    else:
        rows, side = resnet_rows(state["trunk.0.left.0.weight"].shape[0],
                                 any(name.endswith("running_mean") for name in state)), 64
    last = max(int(name.split(".")[1]) for name in state if name.startswith("trunk."))
    outputs, inputs = state[f"trunk.{last}.weight"].shape
    trunk = nn.Sequential()
    trunk.add_module("image", nn.Unflatten(1, (3, side, side)))
    for index, row in enumerate(rows):
        trunk.add_module(str(index), row)
    trunk.add_module("flat", nn.Flatten())
    trunk.add_module(str(last), nn.Linear(inputs, outputs))
    return trunk
