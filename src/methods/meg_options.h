// SPDX-License-Identifier: MIT
#pragma once

#include "methods/meg.h"
#include "methods/registry.h"

namespace ebm {

inline constexpr Names<PenaltyNorm, 2> penalty_norm_names{
    {{"flat", PenaltyNorm::flat}, {"channel", PenaltyNorm::channel}}};

inline constexpr Names<EnergyOutput, 2> energy_output_names{
    {{"linear", EnergyOutput::linear}, {"softplus", EnergyOutput::softplus}}};

/// Preset::paper: what the first author's fork of MEG's code trains beside EBM-BB, on the networks of the
/// paper's tables. Preset::code: the original code, on its own networks for points and digits.
MegOptions meg_options(NetworkKind networks, Preset preset);

std::unique_ptr<MethodChoice> choose_meg(NetworkKind networks, Preset preset);

}  // namespace ebm
