// SPDX-License-Identifier: MIT
#include "kernels/cuda/cutlass/families.h"
#include "kernels/cuda/cutlass/implicit_gemm.cuh"

namespace ebm::cuda {

std::span<const TiledConvolution> forward_float32() {
  static constexpr TiledConvolution kernels[] = {
      ImplicitGemm<Forward, Float32, TileShape<128, 128, 8, 32, 64, 4>>::kernel,
      ImplicitGemm<Forward, Float32, TileShape<128, 64, 8, 64, 32, 4>>::kernel,
  };
  return kernels;
}

}  // namespace ebm::cuda
