// SPDX-License-Identifier: MIT
#pragma once

#include "methods/registry.h"
#include "methods/vera.h"

namespace ebm {

/// Preset::paper: the constants of Table 11, the entropy weight of the text, and upstream's where the paper
/// says "grid search". Preset::code: upstream's train.py for toy, else its README's run on CIFAR-10, which
/// also trains a classifier; on upstream's own networks, where it has some.
VeraOptions vera_options(NetworkKind networks, Preset preset);

std::unique_ptr<MethodChoice> choose_vera(NetworkKind networks, Preset preset);

}  // namespace ebm
