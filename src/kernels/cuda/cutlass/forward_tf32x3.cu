// SPDX-License-Identifier: MIT
#include "kernels/cuda/cutlass/families.h"
#include "kernels/cuda/cutlass/implicit_gemm.cuh"

namespace ebm::cuda {

std::span<const TiledConvolution> forward_tf32x3() {
  static constexpr TiledConvolution kernels[] = {
      ImplicitGemm<Forward, SplitTf32, TileShape<128, 64, 16, 64, 32, 4>>::kernel,
      ImplicitGemm<Forward, SplitTf32, TileShape<128, 128, 16, 64, 32, 3>>::kernel,
      ImplicitGemm<Forward, SplitTf32, TileShape<64, 64, 32, 32, 32, 3>>::kernel,
      ImplicitGemm<Forward, SplitTf32Narrow, TileShape<128, 32, 16, 32, 32, 4>>::kernel,
  };
  return kernels;
}

}  // namespace ebm::cuda
