// SPDX-License-Identifier: MIT
// Single results of a convolution's passes, summed in float64 on the host: what plans are judged by.
#pragma once

#include <span>

#include "kernels/cuda/cudnn/plan.h"

namespace ebm::cuda {

/// The elements of the array that a pass computes: y, x_bar or weight_bar.
int64_t result_size(const PlanRequest& request);

/// Element `index` of what the pass computes (before it is added to anything), from the two arrays it reads:
/// x (rows x H x W x C, or x_bar's place), weight (O x kernel x C), y (rows x H' x W' x O). kernels/kernels.h
/// has the formula.
double result_at(const PlanRequest& request, int64_t index, std::span<const float> x,
                 std::span<const float> weight, std::span<const float> y);

}  // namespace ebm::cuda
