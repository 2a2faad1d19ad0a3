// SPDX-License-Identifier: MIT
#include "layers/noisy_output.h"

#include <utility>

#include "layers/pairs.h"

namespace ebm {

namespace {

struct NoisyTrace : Trace {
  NoisyTrace(Kernels& kernels, const TraceOptions& options, std::shared_ptr<Scratch> scratch)
      : Trace(kernels, options, std::move(scratch)),
        rows(options.batch + options.tangents * tangent_samples()),
        sigma(kernels, 1),
        sums(kernels, rows) {}

  const int64_t rows;
  std::unique_ptr<Trace> g;
  Tensor h, clean;            // h and, if g keeps its output, g(h): [values; tangents]
  const Buffer<float> sigma;  // s
  const Buffer<double> sums;  // <y_bar, e> by row
  int64_t h_bar{};            // where cotangents begin in scratch memory, behind what mix_tangents needs

  Pair inputs(int64_t tangent_rows) const { return pair_in(h, options.batch, tangent_rows); }
  /// Where g's output goes: its own place, or that of the sum.
  Pair outputs(Pair y) const { return clean.rows() > 0 ? pair_in(clean, options.batch, y.tangent.rows) : y; }
  Pair input_cotangents(int64_t tangent_rows) const {
    return pair_in({scratch->data() + h_bar, h.rows(), h.features(), options.type()}, options.batch,
                   tangent_rows);
  }
};

NoisyTrace& of(Trace& trace) {
  return static_cast<NoisyTrace&>(trace);
}

}  // namespace

NoisyOutput::NoisyOutput(Sequential::Child g, float logsigma)
    : Layer(flat(g.layer->input().size() + g.layer->output().size()), g.layer->output()),
      g_(std::move(g)),
      initial_(logsigma) {}

void NoisyOutput::declare(Parameters& parameters, const std::string& prefix) {
  logsigma_ =
      parameters.add(prefix + "logsigma", {}, Role::other, {Initialization::Kind::constant, initial_});
  g_.layer->declare(parameters, prefix + g_.name + ".");
}

std::unique_ptr<Trace> NoisyOutput::make_trace(Kernels& kernels, const TraceOptions& options,
                                               std::shared_ptr<Scratch> scratch) const {
  auto trace = std::make_unique<NoisyTrace>(kernels, options, scratch);
  const Layer& g = *g_.layer;
  trace->h = Tensor(kernels, trace->rows, g.input(), options.type());
  if (g.keeps_output()) trace->clean = Tensor(kernels, trace->rows, g.output(), options.type());
  if (options.tangents > 0) trace->h_bar = Scratch::floats(options.batch * input().size(), options.type());
  const int64_t all = trace->h_bar + Scratch::floats(trace->rows * inner(), options.type());
  scratch->reserve(all);
  trace->g = g.make_trace(kernels, options, scratch->offset(all));
  return trace;
}

/// s, for this evaluation's maps.
void NoisyOutput::start(Trace& trace) const {
  trace.kernels.run(ExpOf{.x = logsigma_->value, .y = of(trace).sigma.data()});
}

/// The h of rows [h | e].
void NoisyOutput::take_inner(Trace& trace, ConstView x, View to) const {
  trace.kernels.run(JoinColumns{
      .rows = to.rows, .columns = to.columns(), .right = x, .right_step = x.columns(), .out = to});
}

void NoisyOutput::add_noise(Trace& trace, ConstView clean, ConstView x, View y) const {
  trace.kernels.run(AddColumns{.rows = y.rows,
                               .columns = y.columns(),
                               .x = clean,
                               .part = columns_from(x, inner()),
                               .part_step = x.columns(),
                               .scale = of(trace).sigma.data(),
                               .out = y});
}

/// [h_bar | s y_bar], zeros where there is no y_bar.
void NoisyOutput::join_cotangents(Trace& trace, ConstView h_bar, ConstView y_bar, View x_bar) const {
  if (x_bar.empty()) return;
  trace.kernels.run(JoinColumns{.rows = x_bar.rows,
                                .columns = x_bar.columns(),
                                .left_columns = inner(),
                                .left = h_bar,
                                .right = y_bar,
                                .right_step = y_bar.columns(),
                                .scale = of(trace).sigma.data(),
                                .out = x_bar});
}

/// sums[first + r] = <y_bar_r, e_r> for rows [h | e] of x; how many there are then.
int64_t NoisyOutput::pair_with_noise(Trace& trace, ConstView y_bar, ConstView x, int64_t first) const {
  trace.kernels.run(RowDots{.rows = y_bar.rows,
                            .columns = y_bar.columns(),
                            .x = y_bar,
                            .part = columns_from(x, inner()),
                            .part_step = x.columns(),
                            .sums = of(trace).sums.data() + first});
  return first + y_bar.rows;
}

void NoisyOutput::finish_gradient(Trace& trace, int64_t rows, Gradient gradient) const {
  trace.kernels.run(ScaledTotal{.count = rows,
                                .sums = of(trace).sums.data(),
                                .scale = of(trace).sigma.data(),
                                .out = logsigma_->gradient,
                                .mode = write_mode(gradient)});
}

void NoisyOutput::do_forward(Trace& base, View y) const {
  NoisyTrace& trace = of(base);
  const View h = trace.inputs(0).value, clean = trace.outputs({y, {}}).value;
  start(trace);
  take_inner(trace, trace.x, h);
  g_.layer->forward(*trace.g, h, clean);
  add_noise(trace, clean, trace.x, y);
}

void NoisyOutput::do_jvp(Trace& base, View y_dot) const {
  NoisyTrace& trace = of(base);
  const View h_dot = trace.inputs(y_dot.rows).tangent, clean = trace.outputs({{}, y_dot}).tangent;
  take_inner(trace, trace.x_dot, h_dot);
  g_.layer->jvp(*trace.g, h_dot, clean);
  add_noise(trace, clean, trace.x_dot, y_dot);
}

void NoisyOutput::do_forward_jvp(Trace& base, Pair y) const {
  NoisyTrace& trace = of(base);
  const Pair h = trace.inputs(y.tangent.rows), clean = trace.outputs(y);
  start(trace);
  take_inner(trace, trace.x, h.value);
  take_inner(trace, trace.x_dot, h.tangent);
  g_.layer->forward_jvp(*trace.g, {h.value, h.tangent}, clean);
  add_noise(trace, clean.value, trace.x, y.value);
  add_noise(trace, clean.tangent, trace.x_dot, y.tangent);
}

void NoisyOutput::do_vjp(Trace& base, ConstView y_bar, View x_bar, Gradient gradient) const {
  NoisyTrace& trace = of(base);
  const View h_bar = like(trace.input_cotangents(0).value, x_bar);
  g_.layer->vjp(*trace.g, y_bar, h_bar, gradient);
  join_cotangents(trace, h_bar, y_bar, x_bar);
  if (gradient == Gradient::ignore) return;
  finish_gradient(trace, pair_with_noise(trace, y_bar, trace.x, 0), gradient);
}

void NoisyOutput::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  NoisyTrace& trace = of(base);
  Pair h_bar = trace.input_cotangents(y_bar.tangent.rows);
  h_bar = {like(h_bar.value, x_bar.value), like(h_bar.tangent, x_bar.tangent)};
  g_.layer->vjp_of_jvp(*trace.g, y_bar, h_bar, gradient);
  join_cotangents(trace, h_bar.value, y_bar.value, x_bar.value);
  join_cotangents(trace, h_bar.tangent, y_bar.tangent, x_bar.tangent);
  if (gradient == Gradient::ignore) return;
  int64_t rows = pair_with_noise(trace, y_bar.tangent, trace.x_dot, 0);
  if (!y_bar.value.empty()) rows = pair_with_noise(trace, y_bar.value, trace.x, rows);
  finish_gradient(trace, rows, gradient);
}

void NoisyOutput::do_vjp_shared(Trace& base, ConstView y_bar, const SharedWeights& weights, View x_bar,
                                Gradient gradient) const {
  NoisyTrace& trace = of(base);
  const View h_bar = like(trace.input_cotangents(0).value, x_bar);
  g_.layer->vjp_shared(*trace.g, y_bar, weights, h_bar, gradient);
  join_cotangents(trace, h_bar, y_bar, x_bar);
  if (gradient == Gradient::ignore) return;
  finish_gradient(trace, pair_with_noise(trace, y_bar, mix_tangents(trace, weights), 0), gradient);
}

}  // namespace ebm
