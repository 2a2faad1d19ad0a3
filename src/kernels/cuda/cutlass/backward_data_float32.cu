// SPDX-License-Identifier: MIT
#include "kernels/cuda/cutlass/families.h"
#include "kernels/cuda/cutlass/implicit_gemm.cuh"

namespace ebm::cuda {

// Warps with larger parts spill 104 to 188 bytes.
std::span<const TiledConvolution> backward_data_float32() {
  static constexpr TiledConvolution kernels[] = {
      ImplicitGemm<BackwardData, Float32, TileShape<64, 64, 8, 32, 32, 4>>::kernel,
      ImplicitGemm<BackwardData, Float32, TileShape<128, 64, 8, 32, 32, 4>>::kernel,
  };
  return kernels;
}

}  // namespace ebm::cuda
