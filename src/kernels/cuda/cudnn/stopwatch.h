// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "kernels/cuda/context.h"
#include "kernels/cuda/cudnn/plan.h"

namespace ebm::cuda {

/// Which of the plans, all for `request`, is the fastest, on arrays of their own that are freed again. Waits
/// for the GPU; not for a stream that records. Nothing if there is no room for the arrays.
std::optional<size_t> fastest_of(const std::vector<Plan>& plans, const PlanRequest& request,
                                 const Context& context, cudnnHandle_t handle, void* workspace);

}  // namespace ebm::cuda
