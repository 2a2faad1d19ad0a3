// SPDX-License-Identifier: MIT
#include "layers/prelu.h"

namespace ebm {

namespace {

struct PreluTrace : Trace {
  PreluTrace(Kernels& kernels, const TraceOptions& options, std::shared_ptr<Scratch> scratch, int64_t columns)
      : Trace(kernels, options, std::move(scratch)), partial(kernels, columns) {}
  Buffer<float> partial;  // the slope's gradient by column
};

Buffer<float>& partial(Trace& trace) {
  return static_cast<PreluTrace&>(trace).partial;
}

}  // namespace

void PreluLayer::declare(Parameters& parameters, const std::string& prefix) {
  slope_ = parameters.add(prefix + "weight", {1}, Role::other, {Initialization::Kind::constant, 0.25f});
}

std::unique_ptr<Trace> PreluLayer::make_trace(Kernels& kernels, const TraceOptions& options,
                                              std::shared_ptr<Scratch> scratch) const {
  if (options.tangents > 0)
    scratch->reserve(floats_of(options.batch * input().size(), options.type()));  // mix_tangents
  return std::make_unique<PreluTrace>(kernels, options, std::move(scratch), input().size());
}

void PreluLayer::linearized(Trace& trace, int64_t x_rows, ConstView in, View out) const {
  trace.kernels.run(LeakyReluLinearized{.rows = in.rows,
                                        .columns = in.columns(),
                                        .x_rows = x_rows,
                                        .x = trace.x,
                                        .in = in,
                                        .slope = slope(),
                                        .out = out});
}

/// x_bar = m y_bar and, by column, the slope's gradient for what the slope multiplied (`input`).
void PreluLayer::backward(Trace& trace, int64_t x_rows, ConstView input, ConstView y_bar, View x_bar,
                          Write mode) const {
  trace.kernels.run(PreluBackward{.rows = y_bar.rows,
                                  .columns = y_bar.columns(),
                                  .x_rows = x_rows,
                                  .x = trace.x,
                                  .input = input,
                                  .y_bar = y_bar,
                                  .slope = slope_->value,
                                  .x_bar = x_bar,
                                  .partial = partial(trace).data(),
                                  .mode = mode});
}

void PreluLayer::finish_gradient(Trace& trace, Write mode) const {
  trace.kernels.run(TotalSum{
      .count = partial(trace).size(), .x = partial(trace).data(), .out = slope_->gradient, .mode = mode});
}

void PreluLayer::do_forward(Trace& trace, View y) const {
  trace.kernels.run(LeakyRelu{.rows = 1, .columns = y.size(), .x = trace.x, .slope = slope(), .y = y});
}

void PreluLayer::do_jvp(Trace& trace, View y_dot) const {
  linearized(trace, trace.tangent_samples(), trace.x_dot, y_dot);
}

void PreluLayer::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  if (gradient == Gradient::ignore) {
    if (!x_bar.empty()) linearized(trace, trace.options.batch, y_bar, x_bar);
    return;
  }
  backward(trace, trace.options.batch, trace.x, y_bar, x_bar, Write::overwrite);
  finish_gradient(trace, write_mode(gradient));
}

void PreluLayer::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  const int64_t samples = trace.tangent_samples();
  if (gradient == Gradient::ignore) {
    if (!y_bar.value.empty() && !x_bar.value.empty())
      linearized(trace, trace.options.batch, y_bar.value, x_bar.value);
    if (!x_bar.tangent.empty()) linearized(trace, samples, y_bar.tangent, x_bar.tangent);
    return;
  }
  backward(trace, samples, trace.x_dot, y_bar.tangent, x_bar.tangent, Write::overwrite);
  if (!y_bar.value.empty()) {
    backward(trace, trace.options.batch, trace.x, y_bar.value, x_bar.value, Write::accumulate);
  }
  finish_gradient(trace, write_mode(gradient));
}

void PreluLayer::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                               Gradient gradient) const {
  if (gradient == Gradient::ignore) {
    if (!x_bar.empty()) linearized(trace, trace.options.batch, y_bar, x_bar);
    return;
  }
  backward(trace, trace.options.batch, mix_tangents(trace, weights), y_bar, x_bar, Write::overwrite);
  finish_gradient(trace, write_mode(gradient));
}

}  // namespace ebm
