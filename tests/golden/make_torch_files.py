# SPDX-License-Identifier: MIT
"""Makes tests/golden/torch/*.pth: small files of torch.save, in its two formats, for src/data/torch_file.

    python3 tests/golden/make_torch_files.py [--out tests/golden/torch]

zip.pth and old.pth hold the same arrays, which tests/data/torch_file_test.cpp spells out. Each of the others has one
thing that no state_dict has.
"""
import argparse
import collections
import os
import pathlib

import torch


class Code:
    """Would run a command if it were unpickled by Python."""

    def __reduce__(self):
        return os.system, ("touch torch_file_was_run",)


def arrays():
    base = torch.arange(24, dtype=torch.float32) / 4 - 1
    network = torch.nn.Sequential(torch.nn.Linear(2, 1))
    return collections.OrderedDict([
        ("plain", base.view(2, 3, 4)),
        ("transposed", base.view(4, 6).t()),                # the same numbers as `plain`, in the file once
        ("every_other", base.view(4, 6)[1:, ::2]),
        ("repeated", torch.tensor([3.5]).expand(2, 2)),
        ("half", torch.tensor([1.5, -2, 65504, 2**-24, 0.1], dtype=torch.float16)),
        ("count", torch.tensor(-3)),
        ("large", torch.tensor([2**40, 5])),
        ("none", torch.zeros(0, 3)),
        ("parameter", torch.nn.Parameter(torch.tensor([[0.25, 4]]))),
        ("network.with_a_long_name.0.weight", network.state_dict()["0.weight"] * 0 + 2),
    ])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="tests/golden/torch", type=pathlib.Path)
    out = parser.parse_args().out
    save = lambda what, name, new: torch.save(what, out / name, _use_new_zipfile_serialization=new)
    save(arrays(), "zip.pth", True)
    save(arrays(), "old.pth", False)
    save({"code": Code()}, "code.pth", False)
    save({"double": torch.zeros(2, dtype=torch.float64)}, "double.pth", False)
    save([torch.zeros(2)], "list.pth", False)
    save({"epoch": 3, "state_dict": arrays()}, "checkpoint.pth", True)
    torch.save({"a": torch.zeros(2)}, out / "protocol.pth", pickle_protocol=4)


if __name__ == "__main__":
    main()
