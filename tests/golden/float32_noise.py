# SPDX-License-Identifier: MIT
"""What float32 costs an iteration, array by array: it is computed RUNS times in float32, each time from a state and draws
that are off by ULPS roundings, and with gradients off by one rounding of their network's largest; the worst difference from
float64 counts. (The gradient's own rounding alone would miss an exact 0 that another order of summation makes 1e-9, of which
Adam makes a step.) The disturbance is larger than any program's own rounding should be, so that an input of a ReLU that this may
take over its kink is taken there by some of the runs.

Measured on dumps of all methods on narrow convolutional networks: with six runs off by two roundings a dump of this project is
off by at most 1.5 times as much as these; FACTOR leaves room for other orders of summation.
"""
from __future__ import annotations

import numpy as np
import torch

import iteration_dump as dump
from methods import module_of

ROUNDING = 2.0**-24
RUNS, ULPS, FACTOR = 8, 4, 4


def computed(config, learners: dict, inputs: dict, t: int):
    """One iteration: ({'results': ..., 'gradients': ..., 'after': ...} as arrays of float64, what the method notes)."""
    results, gradients, notes = module_of(config.method).iterate(config, learners, inputs, t)
    return {"results": {n: v.double().numpy() for n, v in results.items()},
            "gradients": {n: v.double().numpy() for n, v in gradients.items()},
            "after": dump.state_entries(learners)}, notes


def same_sign(vectors, reference):
    """Rows turned to the reference's side."""
    dots = (vectors * reference).sum(1, keepdims=True)
    return np.where(dots < 0, -vectors, vectors)


class Disturbance:
    """Random relative errors of some roundings."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)

    def state(self, entries: dict) -> dict:
        return {n: v if n.endswith("/step") else self.off(np.asarray(v, np.float64)) for n, v in entries.items()}

    def draws(self, inputs: dict) -> dict:
        """pairing is an order, and stays."""
        return {n: v if n == "pairing" else torch.as_tensor(self.off(v.numpy())) for n, v in inputs.items()}

    def off(self, values):
        return values * (1 + ULPS * ROUNDING * self.random.standard_normal(np.shape(values)))

    def gradient(self, gradient, biggest: float):
        return gradient + ROUNDING * biggest * torch.as_tensor(self.random.standard_normal(gradient.shape)).to(gradient)


def in_float32(config, before: dict, inputs: dict, t: int, disturbance: Disturbance) -> dict:
    learners = dump.load_state(config, disturbance.state(before), torch.float32)
    for learner in learners.values():
        learner.disturb = disturbance.gradient
    return computed(config, learners, {n: v.float() for n, v in disturbance.draws(inputs).items()}, t)[0]


def noise_of(config, before: dict, inputs: dict, t: int, expected: dict, vectors: set) -> dict:
    """{section: {name: the largest |float32 - expected| over the runs, element by element}}; vectors: names of results that are
    singular vectors, whose sign is free."""
    noise = {section: {n: np.zeros(np.shape(v)) for n, v in arrays.items()} for section, arrays in expected.items()}
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        for seed in range(RUNS):
            found = in_float32(config, before, inputs, t, Disturbance(seed))
            for section, arrays in expected.items():
                for name, value in arrays.items():
                    one = found[section][name]
                    one = same_sign(one, value) if section == "results" and name in vectors else one
                    noise[section][name] = np.maximum(noise[section][name], np.abs(one - value))
    finally:
        torch.set_default_dtype(default)
    return noise
