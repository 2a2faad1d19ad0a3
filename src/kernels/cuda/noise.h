// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/context.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

/// Queues Kernels::noise on the stream. Throws Error when noise.first is no multiple of 4 or the stream is
/// too large.
void fill_noise(const Context& context, const Noise& noise, View out);

}  // namespace ebm::cuda
