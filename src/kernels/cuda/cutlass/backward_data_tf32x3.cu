// SPDX-License-Identifier: MIT
#include "kernels/cuda/cutlass/families.h"
#include "kernels/cuda/cutlass/implicit_gemm.cuh"

namespace ebm::cuda {

// Warps with larger parts, 64x32 or 32x64, spill 4 to 56 bytes on sm_90.
std::span<const TiledConvolution> backward_data_tf32x3() {
  static constexpr TiledConvolution kernels[] = {
      ImplicitGemm<BackwardData, SplitTf32, TileShape<64, 64, 32, 32, 32, 3>>::kernel,
      ImplicitGemm<BackwardData, SplitTf32, TileShape<128, 64, 16, 32, 32, 3>>::kernel,
  };
  return kernels;
}

}  // namespace ebm::cuda
