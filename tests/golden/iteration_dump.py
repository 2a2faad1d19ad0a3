# SPDX-License-Identifier: MIT
"""Reads and writes the file of one dumped training iteration: the file's root, or one group of it, holds
    attributes        the fields of the method's Config (methods/), and `iteration`, counted from 1
    inputs/           x, z, v0, z_generator, ...: those that the iteration drew; with N energy steps x, z, v0, p0, alpha and
                      noise have N B rows, step k the rows k B .. (k + 1) B - 1, and likewise the *_generator draws and
                      pairing with N generator steps
    before/, after/   LEARNER/NAME (parameters, running statistics, a spectral norm's u), LEARNER being energy, generator,
                      statistics (MEG's T) or posterior (VERA's), adam/LEARNER/{exp_avg,exp_avg_sq}/NAME,
                      adam/LEARNER/step (int64), and ema/LEARNER/NAME where there is an average
    gradients/        LEARNER/NAME: of the last step's loss, before any clipping
    results/          per sample or scalar: of the last step
A state is a flat dictionary under these paths (`adam/energy/exp_avg/main.0.weight`).
"""
from __future__ import annotations

import sys
from dataclasses import fields

try:
    import h5py
except ImportError:
    sys.exit("iteration dumps: h5py is missing: install it with `python3 -m pip install h5py`")
import numpy as np
import torch

from methods import Config, Learner, make_learner, module_of, state_of
from networks import network_from_state


# ---------------------------------------------------------------------------------------------------- the file


def write(parent: h5py.Group, name: str, attributes: dict, sections: dict) -> None:
    """The group `name` of `parent`; sections: {'inputs': {path: array}, ...}. Text attributes are of fixed length.
    The hundreds of data sets are of a few numbers each, so their contents and all attributes are kept inside the
    object headers, without time stamps: the same bytes at every run."""
    in_header = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    in_header.set_attr_phase_change(1000, 1000)
    in_header.set_obj_track_times(False)
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    compact.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    compact.set_obj_track_times(False)
    groups = {"": h5py.Group(h5py.h5g.create(parent.id, name.encode(), gcpl=in_header))}

    def group(path: str) -> h5py.Group:
        if path not in groups:
            above, _, last = path.rpartition("/")
            groups[path] = h5py.Group(h5py.h5g.create(group(above).id, last.encode(), gcpl=in_header))
        return groups[path]

    for attribute, value in attributes.items():
        groups[""].attrs[attribute] = np.bytes_(value) if isinstance(value, str) else value
    for section_name, entries in sections.items():
        for entry, value in entries.items():
            above, _, last = f"{section_name}/{entry}".rpartition("/")
            value = np.asarray(value, order="C")
            space = h5py.h5s.create_simple(value.shape) if value.ndim else h5py.h5s.create(h5py.h5s.SCALAR)
            data = h5py.h5d.create(group(above).id, last.encode(), h5py.h5t.py_create(value.dtype), space, compact)
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, value)


def read(group: h5py.Group) -> tuple[dict, dict]:
    """(attributes, {path: array}) of a group written as above, by this module or by any other program."""
    attributes = {}
    for name, value in group.attrs.items():
        value = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
        value = value[0] if isinstance(value, np.ndarray) and value.size == 1 else value
        attributes[name] = value.decode() if isinstance(value, bytes) else value
    entries = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            entries[name] = item[()]

    group.visititems(visit)
    return attributes, entries


def section(entries: dict, name: str) -> dict:
    return {path[len(name) + 1:]: value for path, value in entries.items() if path.startswith(name + "/")}


# Attributes without which an iteration cannot be replayed; others have a default.
NEEDED = ("lr_energy", "lr_generator", "adam_beta1", "adam_beta2", "adam_epsilon")
NEEDED_BY = {
    "ebm_bb": ("lower_bound", "upper_bound", "penalty_weight", "penalty_normaliser", "hinge", "entropy_weight", "entropy_z"),
    "ebm_0gp": ("lower_bound", "upper_bound", "penalty_weight", "hinge", "entropy_weight", "entropy_z"),
    "wgan_0gp": ("upper_bound", "penalty_weight"),
    "dcgan": (),
    "sngan": (),
    "meg": ("penalty_weight", "information_weight", "lr_statistics"),
    "vera": ("penalty_weight", "entropy_weight", "importance_samples", "lr_posterior", "sigma_min", "sigma_max"),
}
DEFAULTS = {"wgan_0gp": {"lower_bound": "none", "hinge": 0.0, "entropy_weight": 0.0}}


def config_from(attributes: dict) -> Config:
    if "method" not in attributes:
        raise ValueError("there is no attribute `method`")
    method = attributes["method"]
    kind = module_of(method).Config
    missing = [name for name in NEEDED + NEEDED_BY[method] if name not in attributes]
    if missing:
        raise ValueError(f"attributes missing: {', '.join(missing)}")
    found = {f.name: type(f.default)(attributes[f.name]) for f in fields(kind) if f.name in attributes}
    config = kind(**{**DEFAULTS.get(method, {}), **found})
    if config.lr_horizon == 0:  # stands for the whole run
        config.lr_horizon = int(attributes.get("iterations", 0))
    if config.lr_schedule != "constant" and config.lr_horizon <= 0:
        raise ValueError(f"lr_schedule {config.lr_schedule} with lr_horizon {config.lr_horizon}")
    if (config.lr_schedule != "constant" or config.warm_up > 0) and "iteration" not in attributes:
        raise ValueError("there is no attribute `iteration`, which the rate hangs on")
    return config


def count_of(attributes: dict) -> int:
    """t, the iteration counted from 0."""
    return int(attributes.get("iteration", 1)) - 1


# ------------------------------------------------------------------------------------------------ state <-> file


def numbers(values: dict, prefix: str) -> dict:
    return {f"{prefix}/{n}": v.detach().double().numpy().copy() for n, v in values.items()}


def state_entries(learners: dict[str, Learner]) -> dict:
    """{path: float64 array} of parameters, running statistics, Adam's moments and step count, averages."""
    entries = {}
    for name, learner in learners.items():
        entries.update(numbers(state_of(learner.network), name))
        step = 0
        for parameter_name, parameter in learner.network.named_parameters():
            moments = learner.adam.state.get(parameter, {})
            for moment in ("exp_avg", "exp_avg_sq"):
                value = moments.get(moment, torch.zeros_like(parameter))
                entries[f"adam/{name}/{moment}/{parameter_name}"] = value.detach().double().numpy().copy()
            step = int(moments.get("step", step))
        entries[f"adam/{name}/step"] = np.int64(step)
    for name, learner in learners.items():
        if learner.average is not None:
            entries.update(numbers(learner.average, f"ema/{name}"))
    return entries


def load_state(config: Config, entries: dict, dtype=torch.float64) -> dict[str, Learner]:
    """The learners of the method, from {path: array}."""
    learners = {}

    def tensors(prefix: str) -> dict:
        return {n: torch.as_tensor(np.asarray(v), dtype=dtype).clone() for n, v in section(entries, prefix).items()
                if not n.endswith("num_batches_tracked")}

    for name in module_of(config.method).RATES:
        state = tensors(name)
        if not state:
            raise ValueError(f"before/{name}/ is empty")
        average = tensors(f"ema/{name}")
        if config.ema > 0 and not average:
            raise ValueError(f"before/ema/{name}/ is empty")
        network = network_from_state(state, config, name).to(dtype)
        learner = learners[name] = make_learner(config, name, network, average if config.ema > 0 else None)
        step = float(np.asarray(entries[f"adam/{name}/step"]).reshape(()))
        for parameter_name, parameter in network.named_parameters():
            moments = {m: torch.as_tensor(np.asarray(entries[f"adam/{name}/{m}/{parameter_name}"]), dtype=dtype).reshape(
                parameter.shape).clone() for m in ("exp_avg", "exp_avg_sq")}
            learner.adam.state[parameter] = {"step": torch.tensor(step), **moments}
    return learners


def rounded(entries: dict) -> dict:
    """The same state as float32 holds it (steps stay integers)."""
    return {n: v if np.asarray(v).dtype.kind == "i" else np.asarray(v, np.float32) for n, v in entries.items()}
