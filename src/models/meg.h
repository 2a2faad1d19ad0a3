// SPDX-License-Identifier: MIT
// MEG's networks as its authors' code has them (Kumar et al. 2019, networks/toy.py and networks/mnist.py).
#pragma once

#include <memory>

#include "layers/layer.h"

namespace ebm {

/// Points of the plane, three hidden layers of h: E with LeakyReLU(0.2), G with ReLU, and T(x, z) of [x | z] as
/// E. Names main.0.weight ...; upstream's h is 512.
std::unique_ptr<Layer> meg_toy_energy(int64_t hidden = 512);
std::unique_ptr<Layer> meg_toy_generator(int64_t latent, int64_t hidden = 512);
std::unique_ptr<Layer> meg_toy_statistics(int64_t latent, int64_t hidden = 512);

/// Images of 28 x 28. Upstream's w is 512.
/// E: Conv2d 5 x 5, stride 2, LeakyReLU(0.2) to w/8, w/4, w/2, w channels and 2 x 2 pixels; Linear to 1 named
/// `expand`.
std::unique_ptr<Layer> meg_digit_energy(int64_t channels, int64_t width = 512);
/// G: a Linear to 2 x 2 x w named `expand`, BN ReLU, [ConvTranspose2d BN ReLU] to w/2, w/4, w/8 channels,
/// ConvTranspose2d to the image, Tanh.
std::unique_ptr<Layer> meg_digit_generator(int64_t latent, int64_t channels, int64_t width = 512);
/// T: E's convolutions and a Linear to d; then, of that beside z, Linear LeakyReLU(0.2) to w, Linear to 1.
std::unique_ptr<Layer> meg_digit_statistics(int64_t latent, int64_t channels, int64_t width = 512);

}  // namespace ebm
