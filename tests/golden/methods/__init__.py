# SPDX-License-Identifier: MIT
"""One module a method or family of methods. Each has
    METHODS    the names it answers to
    RATES      {learner: the option with its rate}
    Config     its constants
    needed     the draws without which an iteration cannot be computed
    iterate    one iteration of these learners with these draws
    draw       the draws of an iteration
"""
from . import ebm, gan, meg, vera
from .common import Config, Learner, state_of

MODULES = {name: module for module in (ebm, gan, meg, vera) for name in module.METHODS}


def module_of(method: str):
    if method not in MODULES:
        raise ValueError(f"method {method}: known here are {', '.join(MODULES)}")
    return MODULES[method]


def make_learner(config: Config, name: str, network, average=None) -> Learner:
    limits = config.limits().get(name) if hasattr(config, "limits") else None
    return Learner(config, network, getattr(config, module_of(config.method).RATES[name]), average, limits)
