// SPDX-License-Identifier: MIT
#include "layers/max_pool.h"

namespace ebm {

namespace {

/// The rows of a formula: every pixel of every sample.
int64_t pixels(ConstView v) {
  return v.rows * v.features.pixels();
}

}  // namespace

MaxPool::MaxPool(const Features& input, const Window& window)
    : Layer(input, pooled_features(input, window)), windows_(pool_windows(input, window)) {}

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
