// SPDX-License-Identifier: MIT
#include "layers/linear.h"

#include <cmath>

namespace ebm {

namespace {

/// The rows of both views as one, given that they are stacked.
template <class V>
V joined(V first, V second) {
  return {first.data, first.rows + second.rows, first.features};
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, Bias bias) : Layer(flat(in), flat(out)), has_bias_(bias) {}

void Linear::declare(Parameters& parameters, const std::string& prefix) {
  const int64_t in = input().size(), out = output().size();
  const Initialization uniform{Initialization::Kind::uniform, 1 / std::sqrt(static_cast<float>(in))};
  weight_ = parameters.add(prefix + "weight", {out, in}, uniform);
  if (has_bias_ == Bias::yes) bias_ = parameters.add(prefix + "bias", {out}, uniform);
}

std::unique_ptr<Trace> Linear::make_trace(Kernels& kernels, const TraceOptions& options,
                                          std::shared_ptr<Scratch> scratch) const {
  if (options.tangents > 0) scratch->reserve(options.batch * input().size());  // mix_tangents
  return Layer::make_trace(kernels, options, std::move(scratch));
}

void Linear::times_weight_transposed(Trace& trace, ConstView x, View y) const {
  trace.kernels.gemm({.m = x.rows,
                      .n = output().size(),
                      .inner = input().size(),
                      .a = x.data,
                      .b = weight_->value,
                      .transpose_b = Transpose::yes,
                      .c = y.data,
                      .precision = trace.options.precision});
}

void Linear::times_weight(Trace& trace, ConstView y_bar, View x_bar) const {
  trace.kernels.gemm({.m = y_bar.rows,
                      .n = input().size(),
                      .inner = output().size(),
                      .a = y_bar.data,
                      .b = weight_->value,
                      .c = x_bar.data,
                      .precision = trace.options.precision});
}

void Linear::add_bias(Trace& trace, View y) const {
  if (bias_ != nullptr) {
    trace.kernels.run(AddBias{.rows = y.rows, .columns = y.columns(), .bias = bias_->value, .y = y.data});
  }
}

void Linear::add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const {
  trace.kernels.gemm({.m = output().size(),
                      .n = input().size(),
                      .inner = y_bar.rows,
                      .a = y_bar.data,
                      .transpose_a = Transpose::yes,
                      .b = x.data,
                      .c = weight_->gradient,
                      .beta = mode == Write::accumulate ? 1.0f : 0.0f,
                      .precision = trace.options.precision});
}

void Linear::add_bias_gradient(Trace& trace, ConstView y_bar, const float* row_weight, Write mode) const {
  if (bias_ == nullptr) return;
  trace.kernels.run(ColumnSum{.rows = y_bar.rows,
                              .columns = y_bar.columns(),
                              .x = y_bar.data,
                              .row_weight = row_weight,
                              .out = bias_->gradient,
                              .mode = mode});
}

void Linear::do_forward(Trace& trace, View y) const {
  times_weight_transposed(trace, trace.x, y);
  add_bias(trace, y);
}

void Linear::do_jvp(Trace& trace, View y_dot) const {
  times_weight_transposed(trace, trace.x_dot, y_dot);
}

void Linear::do_forward_jvp(Trace& trace, Pair y) const {
  if (stacked(trace.x, trace.x_dot) && stacked(y.value, y.tangent)) {
    times_weight_transposed(trace, joined(trace.x, trace.x_dot), joined(y.value, y.tangent));
    add_bias(trace, y.value);
  } else {
    Layer::do_forward_jvp(trace, y);
  }
}

void Linear::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  if (!x_bar.empty()) times_weight(trace, y_bar, x_bar);
  if (gradient == Gradient::ignore) return;
  add_weight_gradient(trace, y_bar, trace.x, write_mode(gradient));
  add_bias_gradient(trace, y_bar, nullptr, write_mode(gradient));
}

void Linear::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  const bool has_value = !y_bar.value.empty();
  const bool one_call = has_value && stacked(y_bar.value, y_bar.tangent);
  if (one_call && !x_bar.value.empty() && !x_bar.tangent.empty() && stacked(x_bar.value, x_bar.tangent)) {
    times_weight(trace, joined(y_bar.value, y_bar.tangent), joined(x_bar.value, x_bar.tangent));
  } else {
    if (has_value && !x_bar.value.empty()) times_weight(trace, y_bar.value, x_bar.value);
    if (!x_bar.tangent.empty()) times_weight(trace, y_bar.tangent, x_bar.tangent);
  }
  if (gradient == Gradient::ignore) return;
  const Write mode = write_mode(gradient);
  if (one_call && stacked(trace.x, trace.x_dot)) {
    add_weight_gradient(trace, joined(y_bar.value, y_bar.tangent), joined(trace.x, trace.x_dot), mode);
  } else {
    add_weight_gradient(trace, y_bar.tangent, trace.x_dot, mode);
    if (has_value) add_weight_gradient(trace, y_bar.value, trace.x, Write::accumulate);
  }
  if (has_value) {
    add_bias_gradient(trace, y_bar.value, nullptr, mode);
  } else if (bias_ != nullptr && mode == Write::overwrite) {  // a tangent does not see the bias
    trace.kernels.zero(bias_->gradient, bias_->size * static_cast<int64_t>(sizeof(float)));
  }
}

void Linear::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                           Gradient gradient) const {
  if (!x_bar.empty()) times_weight(trace, y_bar, x_bar);
  if (gradient == Gradient::ignore) return;
  add_weight_gradient(trace, y_bar, mix_tangents(trace, weights), write_mode(gradient));
  add_bias_gradient(trace, y_bar, weights.values, write_mode(gradient));
}

}  // namespace ebm
