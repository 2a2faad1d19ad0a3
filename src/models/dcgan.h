// SPDX-License-Identifier: MIT
// The networks of Table 8, for 32 x 32 images (CIFAR-10).
#pragma once

#include <memory>
#include <optional>

#include "kernels/formulas/smooth.h"
#include "layers/spectral_norm.h"

namespace ebm {

class Stack;

inline constexpr float dcgan_eps = 1e-5f;

// A `curve` has the place of each LeakyReLU or ReLU.

/// The rows of E before its last: seven Conv2d with LeakyReLU(0.1), c to 8c channels, to 4 x 4 pixels.
Stack dcgan_energy_trunk(int64_t channels, WeightNorm weight_norm = WeightNorm::none,
                         std::optional<Curve> curve = {});

/// E: seven Conv2d with LeakyReLU(0.1), c to 8c channels, then a Linear to 1 named `expand`. The paper's c
/// is 64.
std::unique_ptr<Layer> dcgan_energy(int64_t channels = 64, WeightNorm weight_norm = WeightNorm::none,
                                    std::optional<Curve> curve = {});

/// G: Linear to 4 x 4 x 8c, three [ConvTranspose2d BN ReLU] to c channels, Conv2d to RGB, Tanh.
std::unique_ptr<Layer> dcgan_generator(int64_t latent = 128, int64_t channels = 64, float eps = dcgan_eps,
                                       std::optional<Curve> curve = {});

}  // namespace ebm
