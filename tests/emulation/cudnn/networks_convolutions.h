// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "kernels/cuda/cudnn/plan.h"

namespace ebm::test {

/// The convolutions that training the networks of Tables 8, 9 and 10 with `batch` samples asks for: every
/// pass of every layer for the values, for values stacked with tangents, and for k tangents a sample, as each
/// of the bounds uses them. Found by playing whole iterations on a device that computes nothing. Each is
/// there once, as float32 of Precision::full.
std::vector<cuda::PlanRequest> convolutions_of_networks(int64_t batch);

}  // namespace ebm::test
