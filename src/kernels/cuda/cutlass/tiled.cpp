// SPDX-License-Identifier: MIT
#include <array>
#include <vector>

#include "core/error.h"
#include "kernels/cuda/cutlass/families.h"

namespace ebm::cuda {

std::span<const TiledConvolution> tiled_convolutions() {
  static const std::vector<TiledConvolution> all = [] {
    std::vector<TiledConvolution> kernels;
    for (const auto family :
         {forward_tf32x3(), backward_data_tf32x3(), forward_float32(), backward_data_float32()})
      kernels.insert(kernels.end(), family.begin(), family.end());
    return kernels;
  }();
  return all;
}

std::span<const TiledProduct> tiled_products() {
  return products_tf32x3();
}

const char* why_no_tiles() {
  return nullptr;
}

}  // namespace ebm::cuda
