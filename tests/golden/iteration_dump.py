# SPDX-License-Identifier: MIT
"""Reads and writes the file of one dumped training iteration: the file's root, or one group of it, holds
    attributes        the fields of toy_game.Config
    inputs/           x, z, v0, z_generator, v0_generator, alpha: those that the iteration drew
    before/, after/   energy/NAME, generator/NAME (parameters, running statistics),
                      adam/energy|generator/{exp_avg,exp_avg_sq}/NAME and adam/energy|generator/step (int64)
    gradients/        energy/NAME, generator/NAME
    results/          per sample or scalar
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

from toy_game import Config, make_adam, network_from_state, state_of

KINDS = ("energy", "generator")


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


# Attributes without which an iteration cannot be replayed; the others of Config have a default.
NEEDED = ("method", "lower_bound", "upper_bound", "penalty_weight", "hinge", "entropy_weight", "lr_energy",
          "lr_generator", "adam_beta1", "adam_beta2", "adam_epsilon")


def config_from(attributes: dict) -> Config:
    missing = [name for name in NEEDED if name not in attributes]
    if missing:
        raise ValueError(f"attributes missing: {', '.join(missing)}")
    found = {f.name: type(f.default)(attributes[f.name]) for f in fields(Config) if f.name in attributes}
    return Config(**found)


# ------------------------------------------------------------------------------------------------ state <-> file


def state_entries(config: Config, networks: dict, adams: dict) -> dict:
    """{path: float64 array} of parameters, running statistics and Adam's moments and step count."""
    entries = {}
    for kind in KINDS:
        entries.update({f"{kind}/{n}": v.detach().double().numpy().copy() for n, v in state_of(networks[kind]).items()})
        step = 0
        for name, parameter in networks[kind].named_parameters():
            moments = adams[kind].state.get(parameter, {})
            for moment in ("exp_avg", "exp_avg_sq"):
                value = moments.get(moment, torch.zeros_like(parameter))
                entries[f"adam/{kind}/{moment}/{name}"] = value.detach().double().numpy().copy()
            step = int(moments.get("step", step))
        entries[f"adam/{kind}/step"] = np.int64(step)
    return entries


def load_state(config: Config, entries: dict, dtype=torch.float64) -> tuple[dict, dict]:
    """(networks, adams) by kind, from {path: array}."""
    networks, adams = {}, {}
    for kind, lr in zip(KINDS, (config.lr_energy, config.lr_generator)):
        state = {n: torch.as_tensor(np.asarray(v), dtype=dtype) for n, v in section(entries, kind).items()
                 if not n.endswith("num_batches_tracked")}
        if not state:
            raise ValueError(f"before/{kind}/ is empty")
        networks[kind] = network_from_state(state, config, kind).to(dtype)
        adams[kind] = make_adam(config, networks[kind], lr)
        step = float(np.asarray(entries[f"adam/{kind}/step"]).reshape(()))
        for name, parameter in networks[kind].named_parameters():
            moments = {m: torch.as_tensor(np.asarray(entries[f"adam/{kind}/{m}/{name}"]), dtype=dtype).reshape(
                parameter.shape).clone() for m in ("exp_avg", "exp_avg_sq")}
            adams[kind].state[parameter] = {"step": torch.tensor(step), **moments}
    return networks, adams


def rounded(entries: dict) -> dict:
    """The same state as float32 holds it (steps stay integers)."""
    return {n: v if np.asarray(v).dtype.kind == "i" else np.asarray(v, np.float32) for n, v in entries.items()}
