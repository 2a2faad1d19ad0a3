// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/formulas/rank_rows.h"
#include "kernels/kernels.h"

namespace ebm {

/// Throws Error unless a rank's rows of so many columns begin where noise may: at a multiple of 4.
void require_noise_for(const RankRows& rows, int64_t columns);

/// Fills `out`, a rank's rows of all steps of a batch, with its part of the batch's noise: what any other
/// number of ranks draws for these rows.
void rank_noise(Kernels& kernels, const Noise& noise, const RankRows& rows, View out);

}  // namespace ebm
