// SPDX-License-Identifier: MIT
#include "layers/max_pool.h"

namespace ebm {

namespace {

PoolWindows windows_of(const Features& image, const Window& window) {
  const auto [kernel, stride, padding, unused] = window;
  const auto fits = [](int64_t side, int64_t k, int64_t s, int64_t p) {
    return k >= 1 && s >= 1 && p >= 0 && 2 * p <= k && side + 2 * p >= k;
  };
  if (!fits(image.height, kernel.height, stride.height, padding.height) ||
      !fits(image.width, kernel.width, stride.width, padding.width)) {
    throw Error("windows of " + to_string(kernel) + " pixels do not fit into images " + to_string(image) +
                "; they must, with a padding of half of them at most");
  }
  return {.fine = image.plane(),
          .coarse = {(image.height + 2 * padding.height - kernel.height) / stride.height + 1,
                     (image.width + 2 * padding.width - kernel.width) / stride.width + 1},
          .kernel = kernel,
          .stride = stride,
          .padding = padding};
}

Features pooled_features(const Features& image, const Window& window) {
  const Extent plane = windows_of(image, window).coarse;
  return {.height = plane.height, .width = plane.width, .channels = image.channels};
}

/// The rows of a formula: every pixel of every sample.
int64_t pixels(ConstView v) {
  return v.rows * v.features.pixels();
}

}  // namespace

MaxPool::MaxPool(const Features& input, const Window& window)
    : Layer(input, pooled_features(input, window)), windows_(windows_of(input, window)) {}

void MaxPool::do_forward(Trace& trace, View y) const {
  trace.kernels.run(MaxPooling{
      .rows = pixels(y), .columns = y.features.channels, .windows = windows_, .x = trace.x, .y = y});
}

void MaxPool::do_jvp(Trace& trace, View y_dot) const {
  trace.kernels.run(MaxPoolingPick{.rows = pixels(y_dot),
                                   .columns = y_dot.features.channels,
                                   .images = trace.tangent_samples(),
                                   .windows = windows_,
                                   .x = trace.x,
                                   .in = trace.x_dot,
                                   .out = y_dot});
}

void MaxPool::spread(Trace& trace, int64_t samples, ConstView y_bar, View x_bar) const {
  if (x_bar.empty()) return;
  trace.kernels.run(MaxPoolingSpread{.rows = pixels(x_bar),
                                     .columns = x_bar.features.channels,
                                     .images = samples,
                                     .windows = windows_,
                                     .x = trace.x,
                                     .y_bar = y_bar,
                                     .out = x_bar});
}

void MaxPool::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient) const {
  spread(trace, trace.options.batch, y_bar, x_bar);
}

void MaxPool::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient) const {
  if (!y_bar.value.empty()) spread(trace, trace.options.batch, y_bar.value, x_bar.value);
  spread(trace, trace.tangent_samples(), y_bar.tangent, x_bar.tangent);
}

void MaxPool::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights&, View x_bar, Gradient) const {
  spread(trace, trace.options.batch, y_bar, x_bar);
}

}  // namespace ebm
