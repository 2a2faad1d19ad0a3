// SPDX-License-Identifier: MIT
#include "layers/monotone_coupling.h"

#include <utility>

#include "layers/pairs.h"

namespace ebm {

namespace {

struct CouplingTrace : Trace {
  using Trace::Trace;

  std::unique_ptr<Trace> net;
  Tensor u, p;               // what the net takes and gives: [values; tangents]
  int64_t u_bar{}, v_bar{};  // where cotangents begin in scratch memory, behind those of p

  Pair pair(const Tensor& of, int64_t tangent_rows) const { return pair_in(of, options.batch, tangent_rows); }
  Pair cotangents(int64_t first, const Features& features, int64_t tangent_rows) const {
    return pair_in({scratch->data() + first, options.batch + tangent_rows, features, options.type()},
                   options.batch, tangent_rows);
  }
};

CouplingTrace& of(Trace& trace) {
  return static_cast<CouplingTrace&>(trace);
}

}  // namespace

MonotoneCoupling::MonotoneCoupling(const Features& features, int64_t steps, Sequential::Child net)
    : Layer(features, features),
      sizes_{.moved = features.size() - kept(features.size()), .kept = kept(features.size()), .steps = steps},
      net_(std::move(net)) {
  const Layer& layer = *net_.layer;
  if (features.pixels() == 1 && sizes_.kept > 0 && layer.input() == flat(sizes_.kept) &&
      layer.output() == flat(sizes_.parameters()) && !layer.keeps_output())
    return;
  throw Error("MonotoneCoupling of " + to_string(features) + " with " + std::to_string(steps) +
              " steps wants a net from " + to_string(flat(sizes_.kept)) + " to " +
              to_string(flat(sizes_.parameters())) + " that does not end with an activation; '" + net_.name +
              "' goes from " + to_string(layer.input()) + " to " + to_string(layer.output()));
}

void MonotoneCoupling::declare(Parameters& parameters, const std::string& prefix) {
  net_.layer->declare(parameters, prefix + net_.name + ".");
}

std::unique_ptr<Trace> MonotoneCoupling::make_trace(Kernels& kernels, const TraceOptions& options,
                                                    std::shared_ptr<Scratch> scratch) const {
  auto trace = std::make_unique<CouplingTrace>(kernels, options, scratch);
  const int64_t rows = options.batch + options.tangents * trace->tangent_samples();
  const auto floats = [&](int64_t columns) { return Scratch::floats(rows * columns, options.type()); };
  trace->u_bar = floats(sizes_.parameters());
  trace->v_bar = trace->u_bar + floats(sizes_.kept);
  const int64_t all = trace->v_bar + floats(sizes_.moved);
  scratch->reserve(all);
  trace->u = Tensor(kernels, rows, flat(sizes_.kept), options.type());
  trace->p = Tensor(kernels, rows, flat(sizes_.parameters()), options.type());
  trace->net = net_.layer->make_trace(kernels, options, scratch->offset(all));
  return trace;
}

void MonotoneCoupling::take_kept(Trace& trace, ConstView x, View u) const {
  trace.kernels.run(
      JoinColumns{.rows = u.rows, .columns = u.columns(), .right = x, .right_step = x.columns(), .out = u});
}

void MonotoneCoupling::move_values(Trace& trace, View y) const {
  trace.kernels.run(Coupling{.rows = y.rows,
                             .columns = y.columns(),
                             .sizes = sizes_,
                             .x = trace.x,
                             .p = of(trace).p.view(),
                             .y = y});
}

void MonotoneCoupling::move_tangents(Trace& base, View y_dot) const {
  CouplingTrace& trace = of(base);
  const Pair p = trace.pair(trace.p, y_dot.rows);
  trace.kernels.run(CouplingTangent{.rows = y_dot.rows,
                                    .columns = y_dot.columns(),
                                    .samples = trace.tangent_samples(),
                                    .sizes = sizes_,
                                    .x = trace.x,
                                    .p = p.value,
                                    .x_dot = trace.x_dot,
                                    .p_dot = p.tangent,
                                    .y_dot = y_dot});
}

void MonotoneCoupling::join_cotangents(Trace& trace, ConstView u_bar, ConstView v_bar, ConstView y_bar,
                                       View x_bar) const {
  if (x_bar.empty()) return;
  trace.kernels.run(CouplingInputs{.rows = x_bar.rows,
                                   .columns = x_bar.columns(),
                                   .sizes = sizes_,
                                   .u_bar = u_bar,
                                   .v_bar = v_bar,
                                   .y_bar = y_bar,
                                   .x_bar = x_bar});
}

void MonotoneCoupling::do_forward(Trace& base, View y) const {
  CouplingTrace& trace = of(base);
  const View u = trace.pair(trace.u, 0).value;
  take_kept(trace, trace.x, u);
  net_.layer->forward(*trace.net, u, trace.pair(trace.p, 0).value);
  move_values(trace, y);
}

void MonotoneCoupling::do_jvp(Trace& base, View y_dot) const {
  CouplingTrace& trace = of(base);
  const View u_dot = trace.pair(trace.u, y_dot.rows).tangent;
  take_kept(trace, trace.x_dot, u_dot);
  net_.layer->jvp(*trace.net, u_dot, trace.pair(trace.p, y_dot.rows).tangent);
  move_tangents(trace, y_dot);
}

void MonotoneCoupling::do_forward_jvp(Trace& base, Pair y) const {
  CouplingTrace& trace = of(base);
  const Pair u = trace.pair(trace.u, y.tangent.rows);
  take_kept(trace, trace.x, u.value);
  take_kept(trace, trace.x_dot, u.tangent);
  net_.layer->forward_jvp(*trace.net, {u.value, u.tangent}, trace.pair(trace.p, y.tangent.rows));
  move_values(trace, y.value);
  move_tangents(trace, y.tangent);
}

void MonotoneCoupling::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  do_vjp_log_det(trace, y_bar, nullptr, x_bar, gradient);
}

void MonotoneCoupling::do_add_log_det(Trace& trace, float* log_det) const {
  trace.kernels.run(CouplingLogDet{.rows = trace.options.batch,
                                   .sizes = sizes_,
                                   .x = trace.x,
                                   .p = of(trace).p.view(),
                                   .log_det = log_det});
}

void MonotoneCoupling::do_vjp_log_det(Trace& base, ConstView y_bar, const float* log_det_bar, View x_bar,
                                      Gradient gradient) const {
  CouplingTrace& trace = of(base);
  const View p_bar = trace.cotangents(0, trace.p.features(), 0).value,
             u_bar = like(trace.cotangents(trace.u_bar, trace.u.features(), 0).value, x_bar),
             v_bar = trace.cotangents(trace.v_bar, flat(sizes_.moved), 0).value;
  trace.kernels.run(CouplingBackward{.rows = trace.options.batch,
                                     .columns = sizes_.moved,
                                     .sizes = sizes_,
                                     .x = trace.x,
                                     .p = trace.p.view(),
                                     .log_det_bar = log_det_bar,
                                     .y_bar = y_bar,
                                     .v_bar = v_bar,
                                     .p_bar = p_bar});
  net_.layer->vjp(*trace.net, p_bar, u_bar, gradient);
  join_cotangents(trace, u_bar, v_bar, y_bar, x_bar);
}

void MonotoneCoupling::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  CouplingTrace& trace = of(base);
  const int64_t rows = y_bar.tangent.rows, samples = trace.tangent_samples();
  const Pair p = trace.pair(trace.p, rows), p_bar = trace.cotangents(0, trace.p.features(), rows),
             v_bar = trace.cotangents(trace.v_bar, flat(sizes_.moved), rows);
  Pair u_bar = trace.cotangents(trace.u_bar, trace.u.features(), rows);
  u_bar = {like(u_bar.value, x_bar.value), like(u_bar.tangent, x_bar.tangent)};
  trace.kernels.run(CouplingBackward{.rows = trace.options.batch,
                                     .columns = sizes_.moved,
                                     .tangents = rows / samples,
                                     .tangent_samples = samples,
                                     .sizes = sizes_,
                                     .x = trace.x,
                                     .p = p.value,
                                     .x_dot = trace.x_dot,
                                     .p_dot = p.tangent,
                                     .y_bar = y_bar.value,
                                     .y_dot_bar = y_bar.tangent,
                                     .v_bar = v_bar.value,
                                     .p_bar = p_bar.value,
                                     .v_dot_bar = v_bar.tangent,
                                     .p_dot_bar = p_bar.tangent});
  net_.layer->vjp_of_jvp(*trace.net, {p_bar.value, p_bar.tangent}, u_bar, gradient);
  join_cotangents(trace, u_bar.value, v_bar.value, y_bar.value, x_bar.value);
  join_cotangents(trace, u_bar.tangent, v_bar.tangent, y_bar.tangent, x_bar.tangent);
}

void MonotoneCoupling::do_vjp_shared(Trace&, ConstView, const SharedWeights&, View, Gradient) const {
  throw Error("a monotone coupling: values and tangents have no backward signal in common");
}

}  // namespace ebm
