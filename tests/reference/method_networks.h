// SPDX-License-Identifier: MIT
// The networks for 32 x 32 images of the public code of DCGAN and SNGAN, row by row.
#pragma once

#include "reference/image_networks.h"

namespace ebm::reference {

/// DCGAN's classifier with c for 64; its generator is that of Table 8 with another eps.
inline NetworkSpec deep_conv_energy(int64_t c) {
  NetworkSpec network;
  const auto add = [&](const LayerSpec& convolution, int64_t channels) {
    network.insert(network.end(), {convolution, batch_norm_with(channels, double{1e-4f}), LayerSpec::relu()});
  };
  add(square_convolution(32, 3, c, 3), c);
  add(square_convolution(32, c, c, 4, 2), c);
  add(square_convolution(16, c, 2 * c, 3), 2 * c);
  add(square_convolution(16, 2 * c, 2 * c, 4, 2), 2 * c);
  add(square_convolution(8, 2 * c, 4 * c, 3), 4 * c);
  add(square_convolution(8, 4 * c, 4 * c, 4, 2), 4 * c);
  add(square_convolution(4, 4 * c, 8 * c, 3), 8 * c);
  network.push_back(LayerSpec::spatial_sum(8 * c));
  network.push_back(LayerSpec::linear(8 * c, 1));
  return network;
}
inline NetworkSpec deep_conv_generator(int64_t latent, int64_t c) {
  NetworkSpec network = table8_generator(latent, c);
  for (LayerSpec& layer : network) layer.eps = double{1e-4f};
  return network;
}

/// SNGAN's classifier with c for 128.
inline NetworkSpec sngan_energy(int64_t c) {
  const auto convolution = [](int64_t side, int64_t in, int64_t out, int64_t kernel) {
    return square_convolution(side, in, out, kernel).normalised();
  };
  const LayerSpec relu = LayerSpec::relu();
  LayerSpec last = LayerSpec::linear(c, 1).normalised();
  last.bias = false;
  const LayerSpec plain =
      LayerSpec::residual({relu, convolution(8, c, c, 3), relu, convolution(8, c, c, 3)}, {});
  return {LayerSpec::residual({convolution(32, 3, c, 3), relu, convolution(32, c, c, 3), pool2(32, c)},
                              {pool2(32, 3), convolution(16, 3, c, 1)}),
          LayerSpec::residual({relu, convolution(16, c, c, 3), relu, convolution(16, c, c, 3), pool2(16, c)},
                              {convolution(16, c, c, 1), pool2(16, c)}),
          plain,
          plain,
          relu,
          LayerSpec::spatial_sum(c),
          last};
}
/// SNGAN's generator with c for 256.
inline NetworkSpec sngan_generator(int64_t latent, int64_t c) {
  const LayerSpec norm = batch_norm_with(c, double{2e-5f}), relu = LayerSpec::relu();
  NetworkSpec network{linear_to_image(latent, 16 * c, 16)};
  for (const int64_t side : {4, 8, 16}) {
    network.push_back(
        LayerSpec::residual({norm, relu, upsample2(side, c), square_convolution(2 * side, c, c, 3), norm,
                             relu, square_convolution(2 * side, c, c, 3)},
                            {upsample2(side, c), square_convolution(2 * side, c, c, 1)}));
  }
  network.insert(network.end(), {norm, relu, square_convolution(32, c, 3, 3), LayerSpec::tanh()});
  return network;
}

}  // namespace ebm::reference
