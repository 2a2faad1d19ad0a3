// SPDX-License-Identifier: MIT
// The kernels by family, a file each, so that they compile side by side.
#pragma once

#include "kernels/cuda/tiled.h"

namespace ebm::cuda {

std::span<const TiledConvolution> forward_tf32x3();
std::span<const TiledConvolution> backward_data_tf32x3();
std::span<const TiledConvolution> forward_float32();
std::span<const TiledConvolution> backward_data_float32();
std::span<const TiledProduct> products_tf32x3();

}  // namespace ebm::cuda
