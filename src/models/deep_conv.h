// SPDX-License-Identifier: MIT
// DCGAN's networks for 32 x 32 images as the public code of the paper's DCGAN row has them: StudioGAN,
// src/models/deep_conv.py, with its batch norm's eps 1e-4.
#pragma once

#include <memory>

#include "layers/layer.h"

namespace ebm {

/// E: three blocks [Conv2d 3 x 3, BN, ReLU, Conv2d 4 x 4 stride 2, BN, ReLU] of c, 2c, 4c channels, Conv2d
/// 3 x 3 to 8c, BN, ReLU, the sum over all pixels, Linear to 1 named `expand`. Upstream's c is 64.
std::unique_ptr<Layer> deep_conv_energy(int64_t channels = 64);

/// G: that of Table 8 but for eps.
std::unique_ptr<Layer> deep_conv_generator(int64_t latent = 128, int64_t channels = 64);

}  // namespace ebm
