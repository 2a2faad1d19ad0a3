// SPDX-License-Identifier: MIT
#include "layers/activation.h"

namespace ebm {

namespace {

/// out = dy/dh in, where row r of `in` belongs to sample r % samples.
void mask(Trace& trace, Activation activation, ConstView y, int64_t samples, ConstView in, View out) {
  trace.kernels.run(LeakyReluLinearized{.rows = in.rows,
                                        .columns = in.columns(),
                                        .x_rows = samples,
                                        .x = y,
                                        .in = in,
                                        .slope = {activation.slope},
                                        .out = out});
}

/// mask, and the bias's gradient in the same pass.
void mask_and_sum(Trace& trace, Activation activation, ConstView y, ConstView in, View out,
                  const BiasGradient& bias) {
  const int64_t rows = in.size() / bias.size;
  trace.kernels.run(MaskedColumnSum{.rows = rows,
                                    .columns = bias.size,
                                    .pixels = rows / in.rows,
                                    .in = in,
                                    .y = y,
                                    .slope = activation.slope,
                                    .row_weight = bias.weights,
                                    .out = out,
                                    .sum = bias.out,
                                    .mode = bias.mode});
}

}  // namespace

void mask_tangents(Trace& trace, Activation activation, ConstView y, View y_dot) {
  mask(trace, activation, y, trace.tangent_samples(), y_dot, y_dot);
}

ConstPair masked_cotangents(Trace& trace, Activation activation, ConstView y, ConstPair y_bar, float* memory,
                            const BiasGradient& bias) {
  const View value{memory, y_bar.value.rows, y_bar.value.features, y.type};
  const View tangent{offset(memory, value.size(), y.type), y_bar.tangent.rows, y_bar.tangent.features,
                     y.type};
  ConstPair h_bar;
  if (!y_bar.value.empty()) {
    bias.out != nullptr ? mask_and_sum(trace, activation, y, y_bar.value, value, bias)
                        : mask(trace, activation, y, trace.options.batch, y_bar.value, value);
    h_bar.value = value;
  }
  if (!y_bar.tangent.empty()) {
    mask(trace, activation, y, trace.tangent_samples(), y_bar.tangent, tangent);
    h_bar.tangent = tangent;
  }
  return h_bar;
}

}  // namespace ebm
