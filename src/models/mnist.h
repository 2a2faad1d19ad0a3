// SPDX-License-Identifier: MIT
// The networks of Table 7, multi-layer perceptrons for (stacked) MNIST. The table gives widths alone;
// activations are those of the first author's code for the same networks.
#pragma once

#include <memory>
#include <optional>

#include "kernels/formulas/smooth.h"
#include "layers/spectral_norm.h"

namespace ebm {

inline constexpr Features stacked_mnist_image{.height = 28, .width = 28, .channels = 3};

class Stack;

// A `curve` has the place of each PReLU.

/// The rows of E before its last.
Stack mnist_energy_trunk(const Features& image, int64_t width, WeightNorm weight_norm = WeightNorm::none,
                         std::optional<Curve> curve = {});

/// E: Linear PReLU to widths w, w/2, w/4, w/8, w/8, then Linear to 1; the paper's w is 2000.
/// Names main.0.weight ...
std::unique_ptr<Layer> mnist_energy(const Features& image = stacked_mnist_image, int64_t width = 2000,
                                    WeightNorm weight_norm = WeightNorm::none,
                                    std::optional<Curve> curve = {});

/// G: Linear BN PReLU to widths w/4, w/2, w, then Linear to the image, Tanh.
std::unique_ptr<Layer> mnist_generator(int64_t latent = 128, const Features& image = stacked_mnist_image,
                                       int64_t width = 2000, std::optional<Curve> curve = {});

}  // namespace ebm
