// SPDX-License-Identifier: MIT
#include "layers/tanh.h"

namespace ebm {

namespace {

struct TanhTrace : Trace {
  using Trace::Trace;
  ConstView y;  // the output, which the derivatives are functions of
};

ConstView saved_output(const Trace& trace) {
  return static_cast<const TanhTrace&>(trace).y;
}

void linearized(Trace& trace, int64_t y_rows, ConstView in, View out) {
  if (out.empty()) return;
  trace.kernels.run(TanhLinearized{.rows = in.rows,
                                   .columns = in.columns(),
                                   .y_rows = y_rows,
                                   .y = saved_output(trace),
                                   .in = in,
                                   .out = out});
}

}  // namespace

std::unique_ptr<Trace> TanhLayer::make_trace(Kernels& kernels, const TraceOptions& options,
                                             std::shared_ptr<Scratch> scratch) const {
  return std::make_unique<TanhTrace>(kernels, options, std::move(scratch));
}

void TanhLayer::do_forward(Trace& trace, View y) const {
  static_cast<TanhTrace&>(trace).y = y;
  trace.kernels.run(Tanh{.rows = y.rows, .columns = y.columns(), .x = trace.x, .y = y});
}

void TanhLayer::do_jvp(Trace& trace, View y_dot) const {
  linearized(trace, trace.tangent_samples(), trace.x_dot, y_dot);
}

void TanhLayer::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient) const {
  linearized(trace, trace.options.batch, y_bar, x_bar);
}

void TanhLayer::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient) const {
  linearized(trace, trace.tangent_samples(), y_bar.tangent, x_bar.tangent);
  if (x_bar.value.empty()) return;
  const bool has_value = !y_bar.value.empty();
  if (has_value) linearized(trace, trace.options.batch, y_bar.value, x_bar.value);
  // Samples without tangents get no curvature; without y_bar their x_bar is zero.
  const int64_t samples = trace.tangent_samples();
  if (!has_value && samples < trace.options.batch) {
    const View rest = x_bar.value.row_range(samples, trace.options.batch - samples);
    trace.kernels.zero(rest.data, rest.bytes());
  }
  trace.kernels.run(TanhCurvature{.rows = samples,
                                  .columns = trace.x.columns(),
                                  .tangents = trace.x_dot.rows / samples,
                                  .y = saved_output(trace),
                                  .x_dot = trace.x_dot,
                                  .y_dot_bar = y_bar.tangent,
                                  .x_bar = x_bar.value,
                                  .mode = has_value ? Write::accumulate : Write::overwrite});
}

void TanhLayer::do_vjp_shared(Trace&, ConstView, const SharedWeights&, View, Gradient) const {
  throw Error("tanh is curved: values and tangents have no backward signal in common");
}

}  // namespace ebm
