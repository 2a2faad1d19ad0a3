// SPDX-License-Identifier: MIT
// VERA's networks as its authors' code has them (Grathwohl et al. 2021, models/mlp.py and models/dcgan.py).
#pragma once

#include <memory>

#include "layers/layer.h"

namespace ebm {

/// Points of the plane, two hidden layers of h, upstream's 100.
/// E: Linear LeakyReLU(0.2). G: Linear without a bias, BN, ReLU, and a Linear to the point.
std::unique_ptr<Layer> vera_toy_energy(int64_t hidden = 100);
std::unique_ptr<Layer> vera_toy_generator(int64_t latent, int64_t hidden = 100);

/// Images of s x s pixels, s = 32 or 64. Upstream's c is 64.
/// E: four Conv2d 4 x 4 with stride 2 and LeakyReLU(0.2), of c to 8c channels, and one over all pixels that
/// are left, without a bias, to 1.
std::unique_ptr<Layer> vera_image_energy(int64_t side, int64_t channels = 64);
/// G: ConvTranspose2d from one pixel to s/16 x s/16 x 8c, three that double the image to c channels, each
/// without a bias and with BN ReLU; one more to RGB, Tanh.
std::unique_ptr<Layer> vera_image_generator(int64_t side, int64_t latent, int64_t channels = 64);

}  // namespace ebm
