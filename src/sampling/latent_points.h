// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "kernels/kernels.h"

namespace ebm {

/// `count` latent points from N(0, I), a function of (seed, stream): count x d.
std::vector<float> latent_points(Kernels& kernels, uint64_t seed, uint32_t stream, int64_t count,
                                 const Features& latent);

/// Rows of `columns` latent points each, on great circles from one to another: row i goes from row 2i to row
/// 2i + 1 of `ends` (N x d), its points at equal angles, its lengths between the ends' lengths in even steps.
/// Points of N(0, I) all have nearly the same length, so the points between are as likely as the ends.
std::vector<float> interpolate(const std::vector<float>& ends, int64_t latent, int64_t columns);

}  // namespace ebm
