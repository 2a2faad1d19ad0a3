// SPDX-License-Identifier: MIT
// The networks of the methods' public code, row by row.
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

/// MEG's, of [Linear LeakyReLU(0.2)] three times, or with another slope.
inline NetworkSpec meg_mlp(int64_t in, int64_t hidden, int64_t out, double slope) {
  NetworkSpec network;
  for (int i = 0; i < 3; ++i)
    network.insert(network.end(),
                   {LayerSpec::linear(i == 0 ? in : hidden, hidden), LayerSpec::leaky_relu(slope)});
  network.push_back(LayerSpec::linear(hidden, out));
  return network;
}
/// A convolution of 5 x 5 with stride 2 that keeps half of the pixels, rounded up.
inline ConvolutionSizes halving5(int64_t side, int64_t channels, int64_t outputs) {
  ConvolutionSizes sizes = square_window(side, channels, outputs, 5, 2);
  sizes.padding_height = sizes.padding_width = 2;
  return sizes;
}
/// MEG's for digits, with w for 512; to `out` numbers.
inline NetworkSpec meg_digits(int64_t channels, int64_t w, int64_t out) {
  NetworkSpec network;
  int64_t side = 28, in = channels;
  for (const int64_t part : {8, 4, 2, 1}) {
    network.insert(network.end(), {LayerSpec::convolution(halving5(side, in, w / part)),
                                   LayerSpec::leaky_relu(double{0.2f})});
    side = (side + 1) / 2;
    in = w / part;
  }
  network.push_back(linear_of_image(4 * w, 4, out));
  return network;
}
inline NetworkSpec meg_digit_generator(int64_t latent, int64_t channels, int64_t w) {
  NetworkSpec network{linear_to_image(latent, 4 * w, 4), LayerSpec::batch_norm(w), LayerSpec::relu()};
  const auto grow = [&](int64_t side, int64_t in, int64_t out) {
    network.push_back(LayerSpec::transposed_convolution(halving5(side, out, in)));
    if (side == 28) return;
    network.insert(network.end(), {LayerSpec::batch_norm(out), LayerSpec::relu()});
  };
  grow(4, w, w / 2);
  grow(7, w / 2, w / 4);
  grow(14, w / 4, w / 8);
  grow(28, w / 8, channels);
  network.push_back(LayerSpec::tanh());
  return network;
}

/// VERA's for images of side x side, with c for 64.
inline NetworkSpec vera_energy(int64_t side, int64_t c) {
  NetworkSpec network;
  int64_t in = 3;
  for (const int64_t times : {1, 2, 4, 8}) {
    network.insert(network.end(),
                   {square_convolution(side, in, times * c, 4, 2), LayerSpec::leaky_relu(double{0.2f})});
    side /= 2;
    in = times * c;
  }
  network.push_back(
      LayerSpec::convolution(
          {.height = side, .width = side, .channels = in, .kernel_height = side, .kernel_width = side})
          .without_bias());
  return network;
}
inline NetworkSpec vera_generator(int64_t side, int64_t latent, int64_t c) {
  NetworkSpec network;
  const auto grow = [&](const ConvolutionSizes& transposed, int64_t out) {
    network.insert(network.end(), {LayerSpec::transposed_convolution(transposed).without_bias(),
                                   LayerSpec::batch_norm(out), LayerSpec::relu()});
  };
  int64_t at = side / 16;
  grow({.height = at,
        .width = at,
        .channels = 8 * c,
        .outputs = latent,
        .kernel_height = at,
        .kernel_width = at},
       8 * c);
  for (int64_t times = 8; times > 1; times /= 2) {
    at *= 2;
    grow(square_window(at, times / 2 * c, times * c, 4, 2), times / 2 * c);
  }
  network.push_back(LayerSpec::transposed_convolution(square_window(side, 3, c, 4, 2)));
  network.push_back(LayerSpec::tanh());
  return network;
}
inline NetworkSpec vera_toy_generator(int64_t latent, int64_t h) {
  const LayerSpec norm = LayerSpec::batch_norm(h), relu = LayerSpec::relu();
  return {LayerSpec::linear(latent, h).without_bias(),
          norm,
          relu,
          LayerSpec::linear(h, h).without_bias(),
          norm,
          relu,
          LayerSpec::linear(h, 2)};
}
inline NetworkSpec vera_toy_energy(int64_t h) {
  const LayerSpec leaky = LayerSpec::leaky_relu(double{0.2f});
  return {LayerSpec::linear(2, h), leaky, LayerSpec::linear(h, h), leaky, LayerSpec::linear(h, 1)};
}

}  // namespace ebm::reference
