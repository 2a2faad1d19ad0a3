// SPDX-License-Identifier: MIT
#pragma once

#include "methods/registry.h"
#include "methods/vera.h"

namespace ebm {

/// Preset::paper: the constants of Table 11, the entropy weight of the text, and upstream's where the paper
/// says "grid search". Preset::code: upstream's train.py for toy, else its README's run on CIFAR-10, which
/// also trains a classifier and has rates that fall at epochs 150 and 175.
VeraOptions vera_options(NetworkKind networks, Preset preset);

std::unique_ptr<MethodChoice> choose_vera(NetworkKind networks, Preset preset);

/// What a user of VERA chooses, of given options.
std::unique_ptr<MethodChoice> choice_of(const VeraOptions& options);

}  // namespace ebm
