// SPDX-License-Identifier: MIT
// Stands in for cutlass/ in a build without CUTLASS's headers, or for no GPU that runs its kernels.
#include "kernels/cuda/tiled.h"

namespace ebm::cuda {

std::span<const TiledConvolution> tiled_convolutions() {
  return {};
}

std::span<const TiledProduct> tiled_products() {
  return {};
}

const char* why_no_tiles() {
  return "this build has no kernels for 3xTF32, because CUTLASS's headers were not there or CUDA_ARCH names "
         "no 80 or later; pip install nvidia-cutlass==4.2.0.0 (or set CUTLASS_ROOT) and build again with "
         "`make`, or use --jacobian fp32";
}

}  // namespace ebm::cuda
