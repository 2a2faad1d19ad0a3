// SPDX-License-Identifier: MIT
// CUTLASS's kernels under this project's own name and launch. https://github.com/NVIDIA/cutlass, BSD-3-Clause.
#pragma once

#include <cuda_runtime.h>
#include <cutlass/cutlass.h>
#include <cutlass/gemm/gemm.h>

#include <string>

#include "kernels/cuda/check.h"
#include "kernels/cuda/tiled.h"

namespace ebm::cuda {

/// A block's tile, a warp's part of it, and how many tiles are on their way from memory.
template <int rows, int columns, int depth, int warp_rows, int warp_columns, int stages_>
struct TileShape {
  using Block = cutlass::gemm::GemmShape<rows, columns, depth>;
  using Warp = cutlass::gemm::GemmShape<warp_rows, warp_columns, depth>;
  static constexpr int stages = stages_;
  static constexpr Tile tile{rows, columns, depth, warp_rows, warp_columns, stages_};
};

/// `Way` names CUTLASS's kernel: Way::Kernel.
template <class Way>
__global__ void __launch_bounds__(Way::Kernel::kThreadCount, 1)
    tiled_kernel(const __grid_constant__ typename Way::Kernel::Params params) {
  extern __shared__ int memory[];
  typename Way::Kernel kernel;
  kernel(params, *reinterpret_cast<typename Way::Kernel::SharedStorage*>(memory));
}

/// Queues it. `size` is for an Error. Where each sum is cut into parts, a block waits for the one before it by a number
/// in the workspace, which begins as 0.
template <class Way>
void launch_tiles(const TiledCall& call, int64_t workspace_bytes, const typename Way::Kernel::Params& params,
                  const std::string& size) {
  constexpr size_t without_asking = 48 << 10, shared = sizeof(typename Way::Kernel::SharedStorage);
  if (workspace_bytes > 0) {
    check(cudaMemsetAsync(call.workspace, 0, static_cast<size_t>(workspace_bytes), call.stream),
          "cudaMemsetAsync of the workspace of CUTLASS's kernel");
  }
  if (shared > without_asking) {
    check(cudaFuncSetAttribute(tiled_kernel<Way>, cudaFuncAttributeMaxDynamicSharedMemorySize, shared),
          "cudaFuncSetAttribute of CUTLASS's kernel");
  }
  cudaLaunchConfig_t config{};
  config.gridDim = typename Way::Kernel::ThreadblockSwizzle().get_grid_shape(params.grid_tiled_shape);
  config.blockDim = dim3(Way::Kernel::kThreadCount);
  config.dynamicSmemBytes = shared;
  config.stream = call.stream;
  const cudaError_t status = cudaLaunchKernelEx(&config, tiled_kernel<Way>, params);
  if (status != cudaSuccess) check(status, "cudaLaunchKernelEx of CUTLASS's kernel for " + size);
}

}  // namespace ebm::cuda
