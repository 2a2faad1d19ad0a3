// SPDX-License-Identifier: MIT
// Queues a kernel in plain C++ (no <<<>>>), checked.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>

#include "core/type_name.h"
#include "kernels/cuda/check.h"

namespace ebm::cuda {

/// Kernels that stride over their elements start no more blocks than this: some 30 for each multiprocessor of
/// an H100.
inline constexpr int64_t max_blocks = 4096;

constexpr int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// `what` names the work in an Error.
template <class... Parameters, class... Arguments>
void launch(cudaStream_t stream, dim3 grid, dim3 block, const char* what, void (*kernel)(Parameters...),
            const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, arguments...);
  if (status != cudaSuccess) check(status, "cudaLaunchKernelEx of " + type_name(what));
}

}  // namespace ebm::cuda
