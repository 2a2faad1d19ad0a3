// SPDX-License-Identifier: MIT
// The networks of Tables 7 to 10, row by row as the tables have them.
#pragma once

#include "reference/network.h"

namespace ebm::reference {

/// A convolution of side x side images with "same" padding at stride 1, half the side at stride 2.
inline ConvolutionSizes square_window(int64_t side, int64_t channels, int64_t outputs, int64_t kernel,
                                      int64_t stride) {
  const int64_t padding = kernel == 1 ? 0 : 1;
  return {.height = side,
          .width = side,
          .channels = channels,
          .outputs = outputs,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .padding_height = padding,
          .padding_width = padding};
}

inline LayerSpec square_convolution(int64_t side, int64_t channels, int64_t outputs, int64_t kernel,
                                    int64_t stride = 1) {
  return LayerSpec::convolution(square_window(side, channels, outputs, kernel, stride));
}
inline LayerSpec pool2(int64_t side, int64_t channels) {
  return LayerSpec::average_pool(square_window(side, channels, 1, 2, 2));
}
/// From side to 2 side.
inline LayerSpec upsample2(int64_t side, int64_t channels) {
  return LayerSpec::upsample(square_window(2 * side, channels, 1, 2, 2));
}
inline LayerSpec leaky01() {
  return LayerSpec::leaky_relu(double{0.1f});
}
inline LayerSpec batch_norm_with(int64_t channels, double eps) {
  LayerSpec spec = LayerSpec::batch_norm(channels);
  spec.eps = eps;
  return spec;
}
inline LayerSpec linear_of_image(int64_t in, int64_t in_pixels, int64_t out) {
  LayerSpec spec = LayerSpec::linear(in, out);
  spec.in_pixels = in_pixels;
  return spec;
}
inline LayerSpec linear_to_image(int64_t in, int64_t out, int64_t out_pixels) {
  LayerSpec spec = LayerSpec::linear(in, out);
  spec.out_pixels = out_pixels;
  return spec;
}

/// Table 7 for images of so many pixels of 3 channels, widths w, w/2, w/4, w/8, w/8.
inline NetworkSpec table7_energy(int64_t pixels, int64_t w) {
  return {linear_of_image(3 * pixels, pixels, w),
          LayerSpec::prelu(),
          LayerSpec::linear(w, w / 2),
          LayerSpec::prelu(),
          LayerSpec::linear(w / 2, w / 4),
          LayerSpec::prelu(),
          LayerSpec::linear(w / 4, w / 8),
          LayerSpec::prelu(),
          LayerSpec::linear(w / 8, w / 8),
          LayerSpec::prelu(),
          LayerSpec::linear(w / 8, 1)};
}
inline NetworkSpec table7_generator(int64_t latent, int64_t pixels, int64_t w) {
  return {LayerSpec::linear(latent, w / 4),
          LayerSpec::batch_norm(w / 4),
          LayerSpec::prelu(),
          LayerSpec::linear(w / 4, w / 2),
          LayerSpec::batch_norm(w / 2),
          LayerSpec::prelu(),
          LayerSpec::linear(w / 2, w),
          LayerSpec::batch_norm(w),
          LayerSpec::prelu(),
          linear_to_image(w, 3 * pixels, pixels),
          LayerSpec::tanh()};
}

/// Table 8 with c for 64.
inline NetworkSpec table8_energy(int64_t c) {
  return {square_convolution(32, 3, c, 3),
          leaky01(),
          square_convolution(32, c, c, 4, 2),
          leaky01(),
          square_convolution(16, c, 2 * c, 3),
          leaky01(),
          square_convolution(16, 2 * c, 2 * c, 4, 2),
          leaky01(),
          square_convolution(8, 2 * c, 4 * c, 3),
          leaky01(),
          square_convolution(8, 4 * c, 4 * c, 4, 2),
          leaky01(),
          square_convolution(4, 4 * c, 8 * c, 3),
          leaky01(),
          linear_of_image(8 * c * 16, 16, 1)};
}
inline NetworkSpec table8_generator(int64_t latent, int64_t c) {
  const auto doubling = [](int64_t side, int64_t in, int64_t out) {
    return LayerSpec::transposed_convolution(square_window(2 * side, out, in, 4, 2));
  };
  return {linear_to_image(latent, 8 * c * 16, 16),
          doubling(4, 8 * c, 4 * c),
          LayerSpec::batch_norm(4 * c),
          LayerSpec::relu(),
          doubling(8, 4 * c, 2 * c),
          LayerSpec::batch_norm(2 * c),
          LayerSpec::relu(),
          doubling(16, 2 * c, c),
          LayerSpec::batch_norm(c),
          LayerSpec::relu(),
          square_convolution(32, c, 3, 3),
          LayerSpec::tanh()};
}

inline constexpr double resnet_eps = double{1e-4f};

/// Table 9 with c for 64, with or without its batch norms.
inline NetworkSpec table9_energy(int64_t c, bool with_batch_norm) {
  const auto rows = [&](const NetworkSpec& all) {
    NetworkSpec kept;
    for (const LayerSpec& row : all)
      if (with_batch_norm || row.kind != Kind::batch_norm) kept.push_back(row);
    return kept;
  };
  const auto norm = [](int64_t channels) { return batch_norm_with(channels, resnet_eps); };
  NetworkSpec network{LayerSpec::residual(rows({square_convolution(64, 3, c, 3), norm(c), leaky01(),
                                                square_convolution(64, c, c, 3), pool2(64, c)}),
                                          rows({pool2(64, 3), norm(3), square_convolution(32, 3, c, 1)}))};
  for (int64_t side = 32, in = c; in < 16 * c; side /= 2, in *= 2) {
    const int64_t out = 2 * in;
    NetworkSpec left{norm(in),  leaky01(), square_convolution(side, in, out, 3),
                     norm(out), leaky01(), square_convolution(side, out, out, 3)};
    NetworkSpec right{norm(in), square_convolution(side, in, out, 1)};
    if (side > 4) {
      left.push_back(pool2(side, out));
      right.push_back(pool2(side, out));
    }
    network.push_back(LayerSpec::residual(rows(left), rows(right)));
  }
  network.push_back(leaky01());
  network.push_back(LayerSpec::spatial_sum(16 * c));
  network.push_back(LayerSpec::linear(16 * c, 1));
  return network;
}

/// Table 10 with c for 64.
inline NetworkSpec table10_generator(int64_t latent, int64_t c) {
  NetworkSpec network{linear_to_image(latent, 16 * c * 16, 16)};
  for (int64_t side = 4, in = 16 * c; in > c; side *= 2, in /= 2) {
    const int64_t out = in / 2;
    network.push_back(
        LayerSpec::residual({batch_norm_with(in, resnet_eps), LayerSpec::relu(), upsample2(side, in),
                             square_convolution(2 * side, in, out, 3), batch_norm_with(out, resnet_eps),
                             LayerSpec::relu(), square_convolution(2 * side, out, out, 3)},
                            {upsample2(side, in), square_convolution(2 * side, in, out, 1)}));
  }
  network.push_back(batch_norm_with(c, resnet_eps));
  network.push_back(LayerSpec::relu());
  network.push_back(square_convolution(64, c, 3, 3));
  network.push_back(LayerSpec::tanh());
  return network;
}

}  // namespace ebm::reference
