# SPDX-License-Identifier: MIT
"""Replays dumped iterations with PyTorch's autograd in float64 and says how far each dump is off:

    python3 tests/golden/replay.py runs/NAME/iteration-100.h5 [...] [--tolerance 1e-4] [--verbose]
    python3 tests/golden/replay.py 'tests/golden/toy_slq.h5:/iteration-2'

Only before/, inputs/ and the attributes enter the computation; results/, gradients/ and after/ are then compared. For
each of the three it prints the worst deviation, as a share of what is allowed, and where it is; exit status 1 if one is
above 1 or NaN, or if a section had nothing to compare; 2 if a file cannot be replayed. Allowed are, whichever is more,
    - --tolerance times the array's largest number (in `after`: times its largest update; Adam's moments and a spectral
      norm's u: times their own largest): that of float32 sums over a batch;
    - what float32 costs this array (float32_noise.py): it is computed several times in float32 too, and may be off by a few
      times what these are off by. That covers what one bound for all arrays cannot, and no more of it than there is:
      inputs of (leaky) ReLUs that rounding takes over their kink, gradients that cancel (a bias before a batch norm), of
      which Adam makes steps of size lr, singular vectors with a small gap, the condition of J.
Singular vectors are compared up to their sign; `after` element by element, with one rounding of the value a step besides.
In lower precision than float32 (--precision tf32, bf16 on a GPU) a dump is held to a --tolerance of 1e-2 or so; what float32
costs counts for more in the same proportion.
Arrays that float32 leaves so little of that an error of 1 % would pass are named (`blunt`).
The attributes say what to compute, the names in before/ and their shapes which networks: methods/, networks.py.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import replace

try:
    import torch
except ImportError:
    sys.exit("replay: PyTorch is missing: install it with `python3 -m pip install torch`")
import h5py
import numpy as np

import iteration_dump as dump
from float32_noise import FACTOR, ROUNDING, computed, noise_of, same_sign
from methods import module_of

SECTIONS = ("results", "gradients", "after")
DEFAULT_TOLERANCE = 1e-4
BLUNT = 1e-2


class Worst:
    """The deviations of one section by name."""

    def __init__(self):
        self.seen = {}

    def add(self, name: str, deviation: float) -> None:
        self.seen[name] = float("inf") if deviation != deviation else float(deviation)

    def value(self) -> float:
        return max(self.seen.values(), default=0.0)

    def where(self) -> str:
        return max(self.seen, key=self.seen.get, default="nothing to compare")


class KinkWatch:
    """Records the input of a (leaky) ReLU nearest to its kink, over its layer's largest."""

    def __init__(self, learners: dict):
        self.nearest = float("inf")
        for learner in learners.values():
            for layer in learner.network.modules():
                if isinstance(layer, (torch.nn.PReLU, torch.nn.LeakyReLU, torch.nn.ReLU)):
                    layer.register_forward_hook(self.see)

    def see(self, _layer, inputs, _output):
        size = inputs[0].detach().abs()
        self.nearest = min(self.nearest, float(size.min() / size.max()))


def largest(value) -> float:
    return float(np.abs(value).max()) if np.size(value) else 0.0


def paired(found, expected, name: str):
    """Both in float64 and in the expected shape; (B,) and (B, 1) count as one shape."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if np.squeeze(found).shape != np.squeeze(expected).shape:
        raise ValueError(f"{name} is {found.shape}, expected {expected.shape}")
    return found.reshape(expected.shape), expected


def run(config, before: dict, inputs: dict, t: int):
    """The iteration in float64: ({'results': ..., 'gradients': ..., 'after': ...} as arrays, the nearest kink, the names of
    singular vectors)."""
    learners = dump.load_state(config, before)
    kinks = KinkWatch(learners)
    sections, notes = computed(config, learners, inputs, t)
    return sections, kinks.nearest, set(notes.get("jacobians", ()))


def reference_of(config, results: dict, name: str, found):
    """What to hold results/NAME against: of an array, that the file has as one number, the mean. The number `entropy` is of
    the samples whose entropy the generator's loss has."""
    if name == "entropy" and np.size(found) == 1 and getattr(config, "entropy_z", "energy") == "generator":
        name = "entropy_generator" if "entropy_generator" in results else name
    expected = results.get(name)
    return np.mean(expected) if expected is not None and np.size(found) == 1 else expected


def inputs_of(config, entries: dict) -> dict:
    inputs = {n: torch.as_tensor(np.asarray(v, np.float64)) for n, v in dump.section(entries, "inputs").items()}
    missing = module_of(config.method).needed(config) - set(inputs)
    if missing:
        raise ValueError(f"inputs/ lacks {', '.join(sorted(missing))}")
    for name in ("x", "noise"):
        if name in inputs:
            inputs[name] = inputs[name].flatten(1)
    return inputs


def config_of(attributes: dict, entries: dict):
    config = dump.config_from(attributes)
    if attributes.get("preconditioner", "none") != "none":
        raise ValueError("a preconditioned LOBPCG is not replayed here")
    if np.ndim(entries["inputs/x"]) == 4:  # images are in [-1, 1], and so are the generator's
        config = replace(config, generator_output="tanh")
        if hasattr(config, "pixels"):
            config = replace(config, pixels=int(np.prod(entries["inputs/x"].shape[2:])))
    if (attributes.get("lobpcg_direction") == "authors" and getattr(config, "lower_bound", "") == "lobpcg"
            and any("inputs/p0" in name for name in entries)):
        config = replace(config, lower_bound="authors")  # without p0 the dimensions are so few that v is exact
    return config


class Comparison:
    """The deviations of a dump's arrays by section, each over what is allowed."""

    def __init__(self, expected: dict, noise: dict, before: dict, tolerance: float, steps: int, vectors: set):
        self.expected, self.noise, self.before, self.tolerance = expected, noise, before, tolerance
        self.steps, self.vectors = steps, vectors
        self.worst, self.blunt = {section: Worst() for section in SECTIONS}, []
        self.magnified = FACTOR * max(1.0, tolerance / DEFAULT_TOLERANCE)
        self.biggest = {}
        for name, gradient in expected["gradients"].items():
            learner = name.split("/")[0]
            self.biggest[learner] = max(largest(gradient), self.biggest.get(learner, 0.0))

    def result(self, config, name: str, found) -> None:
        expected = reference_of(config, self.expected["results"], name, found)
        if expected is None:
            return
        noise = largest(reference_of(config, self.noise["results"], name, found))
        found, expected = paired(found, expected, f"results/{name}")
        if name in self.vectors:
            found = same_sign(found, expected)
        self.add("results", name, found - expected, max(self.tolerance * largest(expected), self.magnified * noise))

    def gradient(self, name: str, found) -> None:
        found, expected = paired(found, self.expected["gradients"][name], f"gradients/{name}")
        rounding = 2 * ROUNDING * self.biggest[name.split("/")[0]]  # mean 1 - mean 1, in whatever order they are added
        allowed = max(self.tolerance * largest(expected), self.magnified * largest(self.noise["gradients"][name]), rounding)
        self.add("gradients", name, found - expected, allowed)
        if allowed > BLUNT * largest(expected):
            self.blunt.append(name)

    def after(self, name: str, found) -> None:
        found, expected = paired(found, self.expected["after"][name], f"after/{name}")
        if name.endswith("/step"):
            self.add("after", name, found - expected, 0.0)
            return
        whole = name.startswith("adam/") or name.endswith(".weight_u")
        scale = largest(expected if whole else expected - np.asarray(self.before[name], np.float64))
        rounding = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64) * self.steps
        noise = self.noise["after"][name]
        noise = np.maximum(noise, np.mean(noise))  # of thousands of elements the runs do not show each one's worst
        self.add("after", name, found - expected, np.maximum(self.tolerance * scale, self.magnified * noise) + rounding)

    def add(self, section: str, name: str, difference, allowed) -> None:
        difference = np.abs(difference)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(difference == 0, 0.0, difference / allowed)
        self.worst[section].add(name, float(share.max()) if share.size else 0.0)

    def unseen(self, gradients: dict, error: float) -> list:
        """The learners whose gradients, all off by this share, would pass."""
        worst = {}
        for name in gradients.keys() & self.expected["gradients"].keys():
            planted = Comparison(self.expected, self.noise, self.before, self.tolerance, self.steps, self.vectors)
            planted.gradient(name, np.asarray(gradients[name], np.float64) * (1 + error))
            learner = name.split("/")[0]
            worst[learner] = max(worst.get(learner, 0.0), planted.worst["gradients"].value())
        return sorted(learner for learner in self.biggest if not worst.get(learner, 0.0) > 1)


def told(found: dict, expected: dict, blunt: list) -> list:
    """What the comparison left out."""
    notes = [f"blunt: {len(blunt)} of {len(expected['gradients'])} gradients"] if blunt else []
    for section in SECTIONS:
        known = {n for n in found[section] if not n.endswith("num_batches_tracked")}
        if section == "results" and "entropy_generator" in expected[section]:
            known.discard("entropy")
        if known - expected[section].keys():
            notes.append(f"not compared: {section}/ " + ", ".join(sorted(known - expected[section].keys())))
        if section != "results" and expected[section].keys() - known:
            notes.append(f"absent: {section}/ " + ", ".join(sorted(expected[section].keys() - known)))
    return notes


def replay(group: h5py.Group, tolerance: float, planted: float = 0.0) -> tuple[Comparison, list]:
    """The comparison, and notes to print."""
    attributes, entries = dump.read(group)
    config = config_of(attributes, entries)
    before, inputs, t = dump.section(entries, "before"), inputs_of(config, entries), dump.count_of(attributes)
    expected, nearest_kink, vectors = run(config, before, inputs, t)
    noise = noise_of(config, before, inputs, t, expected, vectors)
    comparison = Comparison(expected, noise, before, tolerance, max(config.energy_steps, config.generator_steps), vectors)
    found = {section: dump.section(entries, section) for section in SECTIONS}
    for name, value in found["results"].items():
        comparison.result(config, name, value)
    for section, compare in (("gradients", comparison.gradient), ("after", comparison.after)):
        for name in found[section].keys() & expected[section].keys():
            compare(name, found[section][name])
    unseen = comparison.unseen(found["gradients"], planted) if planted else []
    if unseen:
        comparison.worst["gradients"].add(f"{', '.join(unseen)}: an error of {planted:g} is not seen", float("inf"))
    return comparison, [f"nearest kink {nearest_kink:.0e}", *told(found, expected, comparison.blunt)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dumps", nargs="+", metavar="DUMP.h5[:/GROUP]")
    parser.add_argument("--tolerance", type=float, default=DEFAULT_TOLERANCE, help="relative deviation allowed of any array (default 1e-4)")
    parser.add_argument("--plant", type=float, default=0.0, metavar="SHARE",
                        help="fail, too, if a learner's gradients, all off by this share, would pass")
    parser.add_argument("--verbose", action="store_true", help="every data set's deviation")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_default_dtype(torch.float64)
    status = 0
    for argument in args.dumps:
        path, _, place = argument.partition(":/")
        try:
            with h5py.File(path, "r") as file:
                root = file["/" + place]
                groups = [root] if "before" in root else [g for n, g in root.items() if n.startswith("iteration-")]
                if not groups:
                    raise ValueError("neither before/ nor iteration-*/ in it")
                for group in groups:
                    comparison, notes = replay(group, args.tolerance, args.plant)
                    worst = comparison.worst
                    good = all(w.seen and w.value() <= 1 for w in worst.values())
                    status = status if good else max(status, 1)
                    label = path + (":" + group.name if group.name != "/" else "")
                    print(f"{'ok  ' if good else 'FAIL'} {label} (shares of what is allowed): "
                          + "  ".join(f"{name} {w.value():.1e} {w.where()}" for name, w in worst.items())
                          + "; " + "; ".join(notes))
                    if args.verbose:
                        for name in comparison.blunt:
                            print(f"       blunt     gradients/{name}")
                        for name, w in worst.items():
                            for entry, value in sorted(w.seen.items(), key=lambda item: -item[1]):
                                print(f"       {value:9.2e} {name}/{entry}")
        except (OSError, ValueError, KeyError, RuntimeError) as problem:
            print(f"FAIL {argument}: cannot be replayed: {problem}", file=sys.stderr)
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
