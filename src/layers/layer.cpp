// SPDX-License-Identifier: MIT
#include "layers/layer.h"

namespace ebm {

void Layer::declare(Parameters&, const std::string&) {}

std::unique_ptr<Trace> Layer::make_trace(Kernels& kernels, const TraceOptions& options,
                                         std::shared_ptr<Scratch> scratch) const {
  return std::make_unique<Trace>(kernels, options, std::move(scratch));
}

void Layer::check(const char* map, const Trace& trace, ConstView x, ConstView y, int64_t rows) const {
  const auto fits = [&](ConstView v, const Features& features) {
    return v.empty() || (v.features == features && v.rows == rows && v.type == outer_type(trace));
  };
  if (!fits(x, input_) || !fits(y, output_)) {
    throw Error(std::string(map) + ": a layer " + to_string(input_) + " -> " + to_string(output_) +
                " with a trace of " + std::to_string(rows) + " rows got " + to_string(x) + " and " +
                to_string(y) +
                "; make the trace for this batch and pass the layer's shapes, in the trace's type");
  }
}

void Layer::check_kept(const char* map, const Trace& trace) {
  if (trace.options.kept == Kept::nothing) {
    throw Error(std::string(map) + ": this trace keeps nothing; make one with Kept::for_derivatives");
  }
}

void Layer::check_tangents(const char* map, const Trace& trace, ConstView x_dot) const {
  check_kept(map, trace);
  const int64_t samples = trace.tangent_samples();
  const int64_t tangents = samples > 0 ? x_dot.rows / samples : 0;
  if (x_dot.empty() || x_dot.rows % samples != 0 || tangents < 1 || tangents > trace.options.tangents) {
    throw Error(std::string(map) + ": " + std::to_string(x_dot.rows) +
                " tangent rows for a trace of at most " + std::to_string(trace.options.tangents) +
                " tangents of " + std::to_string(samples) + " samples; make the trace with more tangents");
  }
}

void Layer::forward(Trace& trace, ConstView x, View y) const {
  check("forward", trace, x, y, trace.options.batch);
  trace.x = x;
  do_forward(trace, y);
}

void Layer::jvp(Trace& trace, ConstView x_dot, View y_dot) const {
  check_tangents("jvp", trace, x_dot);
  check("jvp", trace, x_dot, y_dot, x_dot.rows);
  trace.x_dot = x_dot;
  do_jvp(trace, y_dot);
}

void Layer::forward_jvp(Trace& trace, ConstPair x, Pair y) const {
  check("forward_jvp", trace, x.value, y.value, trace.options.batch);
  check_tangents("forward_jvp", trace, x.tangent);
  check("forward_jvp", trace, x.tangent, y.tangent, x.tangent.rows);
  trace.x = x.value;
  trace.x_dot = x.tangent;
  do_forward_jvp(trace, y);
}

void Layer::do_forward_jvp(Trace& trace, Pair y) const {
  do_forward(trace, y.value);
  do_jvp(trace, y.tangent);
}

void Layer::vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  check_kept("vjp", trace);
  check("vjp", trace, x_bar, y_bar, trace.options.batch);
  do_vjp(trace, y_bar, x_bar, gradient);
}

void Layer::add_log_det(Trace& trace, float* log_det) const {
  check_kept("add_log_det", trace);
  do_add_log_det(trace, log_det);
}

namespace {

[[noreturn]] void throw_no_log_det(const Layer& layer) {
  throw Error("a layer " + to_string(layer.input()) + " -> " + to_string(layer.output()) +
              " does not know its determinant");
}

}  // namespace

void Layer::do_add_log_det(Trace&, float*) const {
  throw_no_log_det(*this);
}

void Layer::vjp_log_det(Trace& trace, ConstView y_bar, const float* log_det_bar, View x_bar,
                        Gradient gradient) const {
  check_kept("vjp_log_det", trace);
  check("vjp_log_det", trace, x_bar, y_bar, trace.options.batch);
  do_vjp_log_det(trace, y_bar, log_det_bar, x_bar, gradient);
}

void Layer::do_vjp_log_det(Trace&, ConstView, const float*, View, Gradient) const {
  throw_no_log_det(*this);
}

void Layer::vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  check("vjp_of_jvp", trace, x_bar.value, y_bar.value, trace.options.batch);
  check_tangents("vjp_of_jvp", trace, y_bar.tangent);
  check("vjp_of_jvp", trace, x_bar.tangent, y_bar.tangent, trace.x_dot.rows);
  if (y_bar.value.empty() && !x_bar.value.empty() && piecewise_linear(trace.options.statistics)) {
    throw Error(
        "vjp_of_jvp: without a cotangent of y, x_bar of a piecewise linear layer is zero; ask for none");
  }
  do_vjp_of_jvp(trace, y_bar, x_bar, gradient);
}

void Layer::vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                       Gradient gradient) const {
  check_kept("vjp_shared", trace);
  check("vjp_shared", trace, x_bar, y_bar, trace.options.batch);
  if (!piecewise_linear(trace.options.statistics)) {
    throw Error("vjp_shared: this layer is not piecewise linear; use vjp_of_jvp");
  }
  if (trace.x_dot.rows == 0) throw Error("vjp_shared: needs a jvp first");
  if (weights.values == nullptr && trace.tangent_samples() < trace.options.batch) {
    throw Error("vjp_shared: samples without tangents need factors of their values");
  }
  do_vjp_shared(trace, y_bar, weights, x_bar, gradient);
}

ConstView Layer::mix_tangents(Trace& trace, const SharedWeights& weights) {
  const ConstView x = trace.x;
  const int64_t samples = trace.tangent_samples(), tangents = trace.x_dot.rows / samples;
  const View mixed{trace.scratch->data(), x.rows, x.features, x.type};
  if (weights.values != nullptr) {
    trace.kernels.run(MixTangents{.rows = x.rows,
                                  .columns = x.columns(),
                                  .tangent_rows = samples,
                                  .x = x,
                                  .x_dot = trace.x_dot,
                                  .a = weights.values,
                                  .b = weights.tangents,
                                  .b_step = tangents,
                                  .out = mixed});
  }
  const auto tangent = [&](int64_t t) -> ConstArray {
    return t < tangents ? ConstArray(trace.x_dot.row_range(t * samples, samples)) : nullptr;
  };
  for (int64_t t = weights.values != nullptr ? 1 : 0; t < tangents; t += 2) {
    trace.kernels.run(AddTangents{.rows = samples,
                                  .columns = x.columns(),
                                  .x_dot = tangent(t),
                                  .next = tangent(t + 1),
                                  .b = weights.tangents + t,
                                  .b_step = tangents,
                                  .out = mixed,
                                  .mode = t == 0 ? Write::overwrite : Write::accumulate});
  }
  return mixed;
}

}  // namespace ebm
