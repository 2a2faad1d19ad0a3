# SPDX-License-Identifier: MIT
"""Makes tests/golden/inception/inception.h5: resized images, and features and logits of Inception, by PyTorch,
torch-fidelity, clean-fid and Pillow.

    python3 tests/golden/make_inception_goldens.py [--out tests/golden/inception/inception.h5]

The weights are no trained ones: each is a function of its name and its place, which tests/evaluate/inception_case.h has
too, so that none is stored. The networks are torch-fidelity's, in float64 on inputs in float32.

  resize/NAME            images (uint8, N x H x W x C) and what `tf`, `legacy_torch` and `clean` make of them at `size` x
                         `size` (float32, N x size x size x 3); of `sampled`, every 23rd line and 19th column
  narrow                 a network of 1/16 of the channels, on images of 139 x 139 made by `tf`: features, logits, logits
                         without the bias, and what some layers and each block give for the first image: its means over
                         the pixels and its means over the channels
  full                   the whole network, on images of 299 x 299 made by `tf`
"""
import argparse
import math
import tempfile
import types

import cleanfid.resize
import h5py
import numpy as np
import torch
import torch_fidelity.feature_extractor_inceptionv3 as fidelity
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

STAGES = ["Conv2d_4a_3x3", "Mixed_5b", "Mixed_6a", "Mixed_6b", "Mixed_7a", "Mixed_7b", "Mixed_7c"]
NARROWER = 16


def uniform(name, count):
    """Numbers in [-1, 1), a function of the name and the index: FNV-1a of the name in the high half, SplitMix64's
    finaliser, its upper 24 bits."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    with np.errstate(over="ignore"):
        x = np.uint64(seed << 32) + np.arange(count, dtype=np.uint64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def filled(name, shape):
    """Weights from U(-a, a) with a = sqrt(6 / inputs), so that activations keep their size; batch norms near the
    identity."""
    u = uniform(name, math.prod(shape)).reshape(shape)
    if name.endswith("bn.weight") or name.endswith("running_var"):
        u = 1 + u / 2
    elif len(shape) > 1:
        u = u * math.sqrt(6 / math.prod(shape[1:]))
    else:
        u = u / 5
    return u.astype(np.float32)


def state_dict(network):
    return {name: torch.tensor(7) if value.dim() == 0 else torch.from_numpy(filled(name, tuple(value.shape)))
            for name, value in network.state_dict().items()}


class Unfilled(fidelity.FeatureExtractorInceptionV3):
    """Before its weights are read from a file."""

    def load_state_dict(self, *_):
        return super().load_state_dict(state_dict(self))


def make(narrower):
    """torch-fidelity's network in float64, which takes images that are resized already."""
    narrow = lambda channels: channels if channels == 3 else channels // narrower
    layers = {name: getattr(torch.nn, name) for name in dir(torch.nn)}
    layers["Conv2d"] = lambda inputs, outputs, **rest: torch.nn.Conv2d(narrow(inputs), narrow(outputs), **rest)
    layers["BatchNorm2d"] = lambda channels, **rest: torch.nn.BatchNorm2d(narrow(channels), **rest)
    layers["Linear"] = lambda inputs, outputs: torch.nn.Linear(narrow(inputs), outputs)
    fidelity.nn = types.SimpleNamespace(**layers)
    with tempfile.NamedTemporaryFile() as empty:
        torch.save({}, empty.name)
        return Unfilled("inception", ["2048", "logits_unbiased", "logits"], empty.name).double()


def evaluate(network, x):
    """Of images x (float32, N x H x W x 3)."""
    outputs = {}
    for name in STAGES:
        getattr(network, name).register_forward_hook(lambda module, inputs, y, name=name: outputs.update({name: y}))
    fidelity.interpolate_bilinear_2d_like_tensorflow1x = lambda bytes, size, align_corners: (
        torch.from_numpy(x).permute(0, 3, 1, 2).double() * 128 + 128)
    features, unbiased, logits = network(torch.zeros(len(x), 3, 2, 2, dtype=torch.uint8))
    return {"features": features.numpy(), "logits": logits.numpy(), "logits_unbiased": unbiased.numpy()}, outputs


def tf(images, size):
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    x = interpolate_bilinear_2d_like_tensorflow1x(x, size=(size, size), align_corners=False)
    return ((x - 128) / 128).permute(0, 2, 3, 1).numpy()


def legacy_torch(images, size):
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    x = torch.nn.functional.interpolate(x, size=(size, size), mode="bilinear", align_corners=False)
    return (2 * x - 1).permute(0, 2, 3, 1).numpy()


def clean(images, size):
    resize = cleanfid.resize.make_resizer("PIL", False, "bicubic", (size, size))
    return (np.stack([resize(image) for image in images]) - 128) / 128


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="tests/golden/inception/inception.h5")
    options = parser.parse_args()
    rng = np.random.default_rng(5)

    def images(count, height, width, channels):
        """Each of a colour of its own, with noise, so that no two have the same features."""
        colours = rng.integers(256, size=(count, 1, 1, channels))
        noise = rng.integers(-90, 91, size=(count, height, width, channels))
        return np.clip(colours + noise, 0, 255).astype(np.uint8)

    with h5py.File(options.out, "w") as file:
        for name, shape, size in [("larger", (2, 11, 9, 3), 13), ("smaller", (2, 37, 29, 3), 13), ("grey", (3, 8, 9, 1), 13),
                                  ("mixed", (1, 5, 40, 3), 13), ("same", (1, 13, 13, 3), 13), ("sampled", (1, 32, 32, 3), 299),
                                  ("pixel", (1, 1, 1, 3), 5)]:
            x = images(*shape)
            rgb = x.repeat(3 // shape[3], axis=3)
            step = (slice(None), slice(None, None, 23), slice(None, None, 19)) if name == "sampled" else slice(None)
            file[f"resize/{name}/images"] = x
            file[f"resize/{name}/size"] = np.int64(size)
            for way in tf, legacy_torch, clean:
                file[f"resize/{name}/{way.__name__}"] = way(rgb, size)[step].astype(np.float32)

        narrow = make(NARROWER)
        pictures = images(3, 20, 23, 3)
        results, outputs = evaluate(narrow, tf(pictures, 139))
        file["narrow/images"] = pictures
        for name, value in results.items():
            file[f"narrow/{name}"] = value.astype(np.float32)
        for name in STAGES:
            y = outputs[name][0].numpy().astype(np.float32)
            file[f"narrow/stages/{name}/of_channels"] = y.mean((1, 2))
            file[f"narrow/stages/{name}/of_pixels"] = y.mean(0).flatten()

        full = make(1)
        pictures = images(2, 32, 32, 3)
        results, outputs = evaluate(full, tf(pictures, 299))
        file["full/images"] = pictures
        for name in "features", "logits_unbiased":
            file[f"full/{name}"] = results[name].astype(np.float32)
        for name in STAGES:
            print(name, tuple(outputs[name].shape), "standard deviation", outputs[name].std().item())
        print("features", results["features"].std(), "logits", results["logits"].std())


if __name__ == "__main__":
    main()
