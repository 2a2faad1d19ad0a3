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

}  // namespace

std::unique_ptr<Trace> TanhLayer::make_trace(Kernels& kernels, const TraceOptions& options,
                                             std::shared_ptr<Scratch> scratch) const {
  return std::make_unique<TanhTrace>(kernels, options, std::move(scratch));
}

void TanhLayer::do_forward(Trace& trace, View y) const {
  static_cast<TanhTrace&>(trace).y = y;
  trace.kernels.run(Tanh{.rows = y.rows, .columns = y.columns(), .x = trace.x, .y = y});
}

void TanhLayer::linearized(Trace& trace, int64_t samples, ConstView in, View out) const {
  trace.kernels.run(TanhLinearized{.rows = in.rows,
                                   .columns = in.columns(),
                                   .y_rows = samples,
                                   .y = saved_output(trace),
                                   .in = in,
                                   .out = out});
}

void TanhLayer::curvature(Trace& trace, ConstView y_dot_bar, View x_bar, Write mode) const {
  trace.kernels.run(TanhCurvature{.rows = trace.tangent_samples(),
                                  .columns = trace.x.columns(),
                                  .tangents = trace.x_dot.rows / trace.tangent_samples(),
                                  .y = saved_output(trace),
                                  .x_dot = trace.x_dot,
                                  .y_dot_bar = y_dot_bar,
                                  .x_bar = x_bar,
                                  .mode = mode});
}

}  // namespace ebm
