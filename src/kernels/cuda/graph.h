// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>

#include "kernels/cuda/context.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

/// Records what `work` queues on the context's stream as a CUDA graph. Throws Error if it allocates or waits.
std::unique_ptr<Graph> capture(const Context& context, const std::function<void()>& work);

/// Copies into and out of page-locked host memory, with an event to wait for.
std::unique_ptr<Readback> make_readback(const Context& context, int64_t bytes);
std::unique_ptr<Staging> make_staging(const Context& context, int64_t bytes);

}  // namespace ebm::cuda
