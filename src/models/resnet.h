// SPDX-License-Identifier: MIT
// The networks of Tables 9 and 10, residual networks for 64 x 64 images (ANIMEFACE). A block's two sides are
// named as in the tables: main.1.left.2.weight, main.1.right.0.weight.
#pragma once

#include <memory>
#include <optional>

#include "kernels/formulas/smooth.h"
#include "layers/spectral_norm.h"

namespace ebm {

/// Whether the energy has batch norm: Table 9 lists it, the paper's text and the authors' code do without.
enum class EnergyNorm { none, batch };

class Stack;

// A `curve` has the place of each LeakyReLU or ReLU.

/// The rows of E before its last, to 16c numbers.
Stack resnet_energy_trunk(EnergyNorm norm, int64_t channels, WeightNorm weight_norm = WeightNorm::none,
                          std::optional<Curve> curve = {});

/// E: five residual blocks from c to 16c channels (LeakyReLU 0.1, average pooling after the first four),
/// LeakyReLU, the sum over all pixels, Linear to 1 named `expand`. The paper's c is 64.
std::unique_ptr<Layer> resnet_energy(EnergyNorm norm, int64_t channels = 64,
                                     WeightNorm weight_norm = WeightNorm::none,
                                     std::optional<Curve> curve = {});

/// G: Linear to 4 x 4 x 16c, four residual blocks that upsample, to c channels, BN ReLU Conv2d to RGB, Tanh.
std::unique_ptr<Layer> resnet_generator(int64_t latent = 128, int64_t channels = 64,
                                        std::optional<Curve> curve = {});

}  // namespace ebm
