// SPDX-License-Identifier: MIT
// Queues a kernel in plain C++ (no <<<>>>), checked.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>

#include "core/type_name.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/formulas/formula.h"

namespace ebm::cuda {

/// Kernels that stride over their elements start no more blocks than this: some 30 for each multiprocessor of
/// an H100.
inline constexpr int64_t max_blocks = 4096;

constexpr int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// What every thread of a kernel calls before it touches memory: a kernel that was launched early waits here for the end of the
/// one before it, and lets the one after it start (programmatic dependent launch, sm_90 and later).
EBM_DEVICE inline void wait_for_previous_kernel() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  cudaTriggerProgrammaticLaunchCompletion();
  cudaGridDependencySynchronize();
#endif
}

/// Whether the code of this project's kernels that the GPU runs has that wait: all are built for the same architectures.
inline bool kernels_wait(const void* one_of_them) {
  static const bool wait = [&] {
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, one_of_them), "cudaFuncGetAttributes");
    return attributes.ptxVersion >= 90;
  }();
  return wait;
}

/// Queues a kernel that calls wait_for_previous_kernel(). `what` names the work in an Error.
template <class... Parameters, class... Arguments>
void launch(const Context& context, dim3 grid, dim3 block, const char* what, void (*kernel)(Parameters...),
            const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = context.stream();
  cudaLaunchAttribute early{};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &early;
  config.numAttrs = context.launches_early() && kernels_wait(reinterpret_cast<const void*>(kernel)) ? 1 : 0;
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, arguments...);
  if (status != cudaSuccess) check(status, "cudaLaunchKernelEx of " + type_name(what));
}

}  // namespace ebm::cuda
