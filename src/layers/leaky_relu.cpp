// SPDX-License-Identifier: MIT
#include "layers/leaky_relu.h"

namespace ebm {

namespace {

/// out = m in; row r of `in` belongs to sample r % x_rows.
void linearized(Trace& trace, int64_t x_rows, ConstView in, float slope, View out) {
  if (out.empty()) return;
  trace.kernels.run(LeakyReluLinearized{.rows = in.rows,
                                        .columns = in.columns(),
                                        .x_rows = x_rows,
                                        .x = trace.x,
                                        .in = in,
                                        .slope = {slope},
                                        .out = out});
}

}  // namespace

void LeakyReluLayer::do_forward(Trace& trace, View y) const {
  trace.kernels.run(LeakyRelu{.rows = 1, .columns = y.size(), .x = trace.x, .slope = {slope_}, .y = y});
}

void LeakyReluLayer::do_jvp(Trace& trace, View y_dot) const {
  linearized(trace, trace.tangent_samples(), trace.x_dot, slope_, y_dot);
}

void LeakyReluLayer::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient) const {
  linearized(trace, trace.options.batch, y_bar, slope_, x_bar);
}

void LeakyReluLayer::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient) const {
  if (!y_bar.value.empty()) linearized(trace, trace.options.batch, y_bar.value, slope_, x_bar.value);
  linearized(trace, trace.tangent_samples(), y_bar.tangent, slope_, x_bar.tangent);
}

void LeakyReluLayer::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights&, View x_bar,
                                   Gradient) const {
  linearized(trace, trace.options.batch, y_bar, slope_, x_bar);
}

}  // namespace ebm
