// SPDX-License-Identifier: MIT
// SNGAN's residual networks for 32 x 32 images as the authors' code has them (sngan_projection,
// dis_models/snresnet_32.py and gen_models/resnet_32.py, without classes).
#pragma once

#include <memory>

#include "layers/spectral_norm.h"

namespace ebm {

/// E: residual blocks of c channels with ReLU: one that begins with its convolution and one with ReLU, both with
/// average pooling, then two more beside x itself; ReLU, the sum over all pixels, Linear to 1 without a bias
/// named `expand`. Upstream's c is 128; all its weights have a spectral norm.
std::unique_ptr<Layer> sngan_energy(int64_t channels = 128, WeightNorm weight_norm = WeightNorm::spectral);

/// G: Linear to 4 x 4 x c, three residual blocks of c channels that upsample, BN ReLU Conv2d to RGB, Tanh.
/// Upstream's c is 256.
std::unique_ptr<Layer> sngan_generator(int64_t latent = 128, int64_t channels = 256);

}  // namespace ebm
