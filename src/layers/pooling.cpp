// SPDX-License-Identifier: MIT
#include "layers/pooling.h"

namespace ebm {

namespace {

Tiling tiling_of(const Features& fine, const Extent& window) {
  if (window.height < 1 || window.width < 1 || window.height > fine.height || window.width > fine.width) {
    throw Error("windows of " + to_string(window) + " pixels do not fit into images " + to_string(fine));
  }
  return {.fine = fine.plane(),
          .coarse = {fine.height / window.height, fine.width / window.width},
          .window = window};
}

Features with_plane(const Features& features, const Extent& plane) {
  return {.height = plane.height, .width = plane.width, .channels = features.channels};
}

/// The rows of a formula: every pixel of every sample.
int64_t pixels(ConstView v) {
  return v.rows * v.features.pixels();
}

void sum_windows(Kernels& kernels, const Tiling& tiling, ConstView fine, float scale, View coarse) {
  kernels.run(WindowSum{.rows = pixels(coarse),
                        .columns = coarse.features.channels,
                        .tiling = tiling,
                        .fine = fine,
                        .scale = scale,
                        .coarse = coarse});
}

void spread_windows(Kernels& kernels, const Tiling& tiling, ConstView coarse, float scale, View fine) {
  kernels.run(WindowSpread{.rows = pixels(fine),
                           .columns = fine.features.channels,
                           .tiling = tiling,
                           .coarse = coarse,
                           .scale = scale,
                           .fine = fine});
}

}  // namespace

WindowSumLayer::WindowSumLayer(const Features& input, const Extent& window, float scale)
    : AffineLayer(input, with_plane(input, tiling_of(input, window).coarse)),
      tiling_(tiling_of(input, window)),
      scale_(scale) {}

void WindowSumLayer::apply(Trace& trace, ConstView x, View y) const {
  sum_windows(trace.kernels, tiling_, x, scale_, y);
}

void WindowSumLayer::apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const {
  spread_windows(trace.kernels, tiling_, y_bar, scale_, x_bar);
}

Upsample::Upsample(const Features& input, const Extent& window)
    : AffineLayer(input, with_plane(input, {input.height * window.height, input.width * window.width})),
      tiling_(tiling_of(output(), window)) {}

void Upsample::apply(Trace& trace, ConstView x, View y) const {
  spread_windows(trace.kernels, tiling_, x, 1, y);
}

void Upsample::apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const {
  sum_windows(trace.kernels, tiling_, y_bar, 1, x_bar);
}

}  // namespace ebm
