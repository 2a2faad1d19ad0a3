// SPDX-License-Identifier: MIT
#pragma once

#include "methods/meg.h"
#include "methods/registry.h"

namespace ebm {

inline constexpr Names<PenaltyNorm, 2> penalty_norm_names{
    {{"flat", PenaltyNorm::flat}, {"channel", PenaltyNorm::channel}}};

/// Preset::paper: what the first author's fork of MEG's code trains beside EBM-BB. Preset::code: the original
/// code. Both on the networks of the paper's tables.
MegOptions meg_options(NetworkKind networks, Preset preset);

std::unique_ptr<MethodChoice> choose_meg(NetworkKind networks, Preset preset);

/// What a user of this method chooses, of given options.
std::unique_ptr<MethodChoice> choice_of(const MegOptions& options);

}  // namespace ebm
