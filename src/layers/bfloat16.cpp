// SPDX-License-Identifier: MIT
#include "layers/bfloat16.h"

#include <utility>

#include "layers/pairs.h"

namespace ebm {

namespace {

struct Bfloat16Trace : Trace {
  using Trace::Trace;

  std::unique_ptr<Trace> inside;
  Tensor x, y;       // [values; tangents]
  int64_t x_bars{};  // where cotangents of the input begin in scratch memory, behind those of the output

  int64_t batch() const { return options.batch; }
  Pair inputs(int64_t tangent_rows) const { return pair_in(x, batch(), tangent_rows); }
  Pair outputs(int64_t tangent_rows) const { return pair_in(y, batch(), tangent_rows); }
  Pair input_cotangents(int64_t tangent_rows) const {
    return pair_in({scratch->data() + x_bars, x.rows(), x.features(), Type::bfloat16}, batch(), tangent_rows);
  }
  Pair output_cotangents(int64_t tangent_rows) const {
    return pair_in({scratch->data(), y.rows(), y.features(), Type::bfloat16}, batch(), tangent_rows);
  }
};

Bfloat16Trace& of(Trace& trace) {
  return static_cast<Bfloat16Trace&>(trace);
}

/// to = from, rounded; `to` itself, or nothing if there is no `from`.
ConstView round(Trace& trace, ConstView from, View to) {
  if (from.empty()) return {};
  trace.kernels.run(ToActivations{.columns = from.size(), .x = from.data, .y = to});
  return to;
}

void expand(Trace& trace, ConstView from, View to) {
  if (!to.empty()) trace.kernels.run(FromActivations{.columns = to.size(), .x = from, .y = to.data});
}

}  // namespace

std::unique_ptr<Trace> InBfloat16::make_trace(Kernels& kernels, const TraceOptions& options,
                                              std::shared_ptr<Scratch> scratch) const {
  auto trace = std::make_unique<Bfloat16Trace>(kernels, options, scratch);
  const int64_t rows = options.batch + options.tangents * trace->tangent_samples();
  trace->x_bars = Scratch::floats(rows * output().size(), Type::bfloat16);
  const int64_t all = trace->x_bars + Scratch::floats(rows * input().size(), Type::bfloat16);
  scratch->reserve(all);
  trace->x = Tensor(kernels, rows, input(), Type::bfloat16);
  trace->y = Tensor(kernels, rows, output(), Type::bfloat16);
  trace->inside = inside_.make_trace(kernels, options, scratch->offset(all));
  return trace;
}

void InBfloat16::do_forward(Trace& base, View y) const {
  Bfloat16Trace& trace = of(base);
  const View inner = trace.outputs(0).value;
  inside_.forward(*trace.inside, round(trace, base.x, trace.inputs(0).value), inner);
  expand(trace, inner, y);
}

void InBfloat16::do_jvp(Trace& base, View y_dot) const {
  Bfloat16Trace& trace = of(base);
  const View inner = trace.outputs(y_dot.rows).tangent;
  inside_.jvp(*trace.inside, round(trace, base.x_dot, trace.inputs(y_dot.rows).tangent), inner);
  expand(trace, inner, y_dot);
}

void InBfloat16::do_forward_jvp(Trace& base, Pair y) const {
  Bfloat16Trace& trace = of(base);
  const Pair x = trace.inputs(y.tangent.rows), inner = trace.outputs(y.tangent.rows);
  inside_.forward_jvp(*trace.inside, {round(trace, base.x, x.value), round(trace, base.x_dot, x.tangent)},
                      inner);
  expand(trace, inner.value, y.value);
  expand(trace, inner.tangent, y.tangent);
}

void InBfloat16::do_vjp(Trace& base, ConstView y_bar, View x_bar, Gradient gradient) const {
  Bfloat16Trace& trace = of(base);
  const View inner = like(trace.input_cotangents(0).value, x_bar);
  inside_.vjp(*trace.inside, round(trace, y_bar, trace.output_cotangents(0).value), inner, gradient);
  expand(trace, inner, x_bar);
}

void InBfloat16::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  Bfloat16Trace& trace = of(base);
  const int64_t rows = y_bar.tangent.rows;
  const Pair bars = trace.output_cotangents(rows);
  Pair inner = trace.input_cotangents(rows);
  inner = {like(inner.value, x_bar.value), like(inner.tangent, x_bar.tangent)};
  inside_.vjp_of_jvp(*trace.inside,
                     {round(trace, y_bar.value, bars.value), round(trace, y_bar.tangent, bars.tangent)},
                     inner, gradient);
  expand(trace, inner.value, x_bar.value);
  expand(trace, inner.tangent, x_bar.tangent);
}

void InBfloat16::do_vjp_shared(Trace& base, ConstView y_bar, const SharedWeights& weights, View x_bar,
                               Gradient gradient) const {
  Bfloat16Trace& trace = of(base);
  const View inner = like(trace.input_cotangents(0).value, x_bar);
  inside_.vjp_shared(*trace.inside, round(trace, y_bar, trace.output_cotangents(0).value), weights, inner,
                     gradient);
  expand(trace, inner, x_bar);
}

}  // namespace ebm
