# SPDX-License-Identifier: MIT
"""Replays dumped iterations with PyTorch's autograd in float64 and says how far each dump is off:

    python3 tests/golden/replay.py runs/NAME/iteration-100.h5 [...] [--tolerance 1e-4] [--verbose]
    python3 tests/golden/replay.py 'tests/golden/toy_slq.h5:/iteration-2'

Only before/, inputs/ and the attributes enter the computation; results/, gradients/ and after/ are then compared. For
each of the three it prints the worst deviation and where it is; exit status 1 if one is above the tolerance or NaN,
or if a section had nothing to compare; 2 if a file cannot be replayed. Deviations:
    results     max |difference| / max |value| of the data set (at least 1e-2; for the losses max |energy_fake|, their
                terms cancel); singular vectors up to their sign and as far as the gap 1 - (s1 / s2)^2 defines them
    gradients   max |difference| / max |gradient| of the parameter, or 1 % of the network's largest gradient
                when that is more (the bias of the energy's last layer has gradient 0: mean 1 - mean 1)
    after       parameters, running statistics, averages: max |difference| / max |update| of the data set; Adam's moments
                and a spectral norm's u: over their own maximum
The tolerance is that of float32 sums over a batch, or 1e-6 times the condition, when that is more: the gradient of log s1
carries the rounding of J times s_d / s1; methods/vera.py has that of VERA's importance samples.
The attributes say what to compute, the names in before/ and their shapes which networks: methods/, networks.py.
Taken out of the differences first:
    - what inputs of (leaky) ReLUs within 5e-6 (of the layer's largest) of their kink change when they take the other
      side, as rounding lets them: the iteration is replayed with all of them left and with all of them right of it, and
      so for three narrower windows;
    - what gradients of any step off by a tenth of the tolerance (of the network's largest) change afterwards: Adam divides
      by the gradient's size, so that rounding noise becomes a step of size lr;
    - in `after`, one float32 rounding of the value a step.
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
from methods import module_of

SECTIONS = ("results", "gradients", "after")
NEAR_KINK = (5e-6, 1e-6, 2e-7, 4e-8)  # the narrow ones see the nearest kinks alone, which others may cancel
CONDITIONED = 1e-6  # the rounding of J, some eight ulps of float32


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
    """Records the input of a (leaky) ReLU nearest to its kink, over its layer's largest, and moves the kinks by `shift`
    of that."""

    def __init__(self, learners: dict, shift: float = 0.0):
        self.nearest, self.shift = float("inf"), shift
        for learner in learners.values():
            for layer in learner.network.modules():
                if isinstance(layer, (torch.nn.PReLU, torch.nn.LeakyReLU, torch.nn.ReLU)):
                    layer.register_forward_hook(self.see)

    def see(self, layer, inputs, output):
        size = inputs[0].detach().abs()
        self.nearest = min(self.nearest, float(size.min() / size.max()))
        if self.shift:
            return torch.where(inputs[0] > self.shift * size.max(), inputs[0], self.slope(layer) * inputs[0])
        return None

    @staticmethod
    def slope(layer):
        return getattr(layer, "weight", getattr(layer, "negative_slope", 0.0))


def largest(value) -> float:
    return float(np.abs(value).max()) if np.size(value) else 0.0


def paired(found, expected, name: str):
    """Both in float64 and in the expected shape; (B,) and (B, 1) count as one shape."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if np.squeeze(found).shape != np.squeeze(expected).shape:
        raise ValueError(f"{name} is {found.shape}, expected {expected.shape}")
    return found.reshape(expected.shape), expected


def condition_of(s: np.ndarray, log_s1) -> float:
    """The largest s_d / s_1, s_1 as the bound in use has it: LOBPCG may be far from the smallest one yet."""
    return float((s[:, 0] / (s[:, -1] if log_s1 is None else np.exp(log_s1))).max())


def excess(found, expected, allowed):
    """|found - expected| beyond what is allowed; NaN stays NaN."""
    difference = np.abs(found - expected)
    return difference - np.minimum(difference, allowed)


def run(config, before: dict, inputs: dict, t: int, shift: float = 0.0, off: float = 0.0):
    """One replay: ({'results': ..., 'gradients': ..., 'after': ...} as arrays, the kinks seen, what the method notes). off:
    every gradient of every step is off by this share of its network's largest."""
    learners = dump.load_state(config, before)
    for learner in learners.values():
        learner.off = off
    kinks = KinkWatch(learners, shift)
    results, gradients, notes = module_of(config.method).iterate(config, learners, inputs, t)
    sections = {"results": {n: v.numpy() for n, v in results.items()},
                "gradients": {n: v.numpy() for n, v in gradients.items()},
                "after": dump.state_entries(learners)}
    return sections, kinks, notes


def differences(runs: list, expected: dict, of) -> dict:
    """{section: {name: of |run - expected| over the runs}}."""
    return {section: {n: of(np.abs(r[section][n] - v) for r in runs) for n, v in expected[section].items()}
            for section in SECTIONS}


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
    if (attributes.get("lobpcg_direction") == "authors" and getattr(config, "lower_bound", "") == "lobpcg"
            and any("inputs/p0" in name for name in entries)):
        config = replace(config, lower_bound="authors")  # without p0 the dimensions are so few that v is exact
    return config


def replay(group: h5py.Group, tolerance: float):
    """({section: Worst}, the tolerance to hold them against, notes to print)."""
    attributes, entries = dump.read(group)
    config = config_of(attributes, entries)
    before, inputs, t = dump.section(entries, "before"), inputs_of(config, entries), dump.count_of(attributes)
    expected, kinks, notes = run(config, before, inputs, t)
    sides = [run(config, before, inputs, t, shift=side * window)[0] for window in NEAR_KINK for side in (1, -1)
             if kinks.nearest < window]
    kink = differences(sides, expected, sum)
    found = {section: dump.section(entries, section) for section in SECTIONS}
    worst = {section: Worst() for section in SECTIONS}

    spectra = {name: torch.linalg.svdvals(J).numpy() for name, J in notes.get("jacobians", {}).items()}
    condition = max((condition_of(s, expected["results"].get(name.replace("v", "log_s1", 1)))
                     for name, s in spectra.items()), default=notes.get("condition", 1.0))
    tolerance = max(tolerance, CONDITIONED * condition)
    steps = differences([run(config, before, inputs, t, off=sign * tolerance / 10)[0] for sign in (1, -1)], expected,
                        lambda moved: np.maximum(*moved))
    allowed = {section: {n: v + steps[section][n] for n, v in kink[section].items()} for section in SECTIONS}

    for name, value in found["results"].items():
        reference = reference_of(config, expected["results"], name, value)
        if reference is None:
            continue
        value, reference = paired(value, reference, f"results/{name}")
        weight = 1.0
        if name in spectra:
            value = np.where((value * reference).sum(1, keepdims=True) < 0, -value, value)
            s = spectra[name]
            weight = 1 - (s[:, -1:] / s[:, -2:-1]) ** 2 if s.shape[1] > 1 else 1.0
        change = allowed["results"].get(name, 0.0)
        off = largest(weight * excess(value, reference, change if value.ndim else largest(change)))
        scale = largest(expected["results"]["energy_fake"]) if name.startswith("loss_") else largest(reference)
        worst["results"].add(name, off / max(scale, largest(reference), 1e-2))

    biggest = {learner: max(largest(g) for g in dump.section(expected["gradients"], learner).values())
               for learner in module_of(config.method).RATES}
    for name in found["gradients"].keys() & expected["gradients"].keys():
        value, reference = paired(found["gradients"][name], expected["gradients"][name], f"gradients/{name}")
        off = largest(excess(value, reference, allowed["gradients"][name]))
        scale = max(largest(reference), 1e-2 * biggest[name.split("/")[0]])
        worst["gradients"].add(name, off / scale if scale else off)

    roundings = max(config.energy_steps, config.generator_steps)
    for name in found["after"].keys() & expected["after"].keys():
        value, reference = paired(found["after"][name], expected["after"][name], f"after/{name}")
        if name.endswith("/step"):
            worst["after"].add(name, abs(float(value - reference)))
            continue
        rounding = np.spacing(np.abs(reference).astype(np.float32)).astype(np.float64) * roundings
        off = largest(excess(value, reference, rounding + allowed["after"][name]))
        whole = name.startswith("adam/") or name.endswith(".weight_u")
        scale = largest(reference if whole else reference - np.asarray(before[name], np.float64))
        worst["after"].add(name, off / scale if scale else off)

    notes = [f"nearest kink {kinks.nearest:.0e}", f"condition {condition:.1e}"]
    for section in SECTIONS:
        known = {n for n in found[section] if not n.endswith("num_batches_tracked")}
        if section == "results" and "entropy_generator" in expected[section]:
            known.discard("entropy")
        if known - expected[section].keys():
            notes.append(f"not compared: {section}/ " + ", ".join(sorted(known - expected[section].keys())))
        if section != "results" and expected[section].keys() - known:
            notes.append(f"absent: {section}/ " + ", ".join(sorted(expected[section].keys() - known)))
    return worst, tolerance, notes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dumps", nargs="+", metavar="DUMP.h5[:/GROUP]")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="worst relative deviation allowed (default 1e-4)")
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
                    worst, tolerance, notes = replay(group, args.tolerance)
                    good = all(w.seen and w.value() <= tolerance for w in worst.values())
                    status = status if good else max(status, 1)
                    label = path + (":" + group.name if group.name != "/" else "")
                    print(f"{'ok  ' if good else 'FAIL'} {label} (tolerance {tolerance:.0e}): "
                          + "  ".join(f"{name} {w.value():.1e} {w.where()}" for name, w in worst.items())
                          + "; " + "; ".join(notes))
                    if args.verbose:
                        for name, w in worst.items():
                            for entry, value in sorted(w.seen.items(), key=lambda item: -item[1]):
                                print(f"       {value:9.2e} {name}/{entry}")
        except (OSError, ValueError, KeyError, RuntimeError) as problem:
            print(f"FAIL {argument}: cannot be replayed: {problem}", file=sys.stderr)
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
