// SPDX-License-Identifier: MIT
#include "layers/constant.h"

namespace ebm {

namespace {

void set_zero(Trace& trace, View out) {
  if (!out.empty()) trace.kernels.zero(out.data, out.bytes());
}

}  // namespace

void Constant::declare(Parameters& parameters, const std::string& prefix) {
  c_ = parameters.add(prefix + name_, {output().size()}, Role::other,
                      {Initialization::Kind::constant, initial_});
}

void Constant::do_forward(Trace& trace, View y) const {
  set_zero(trace, y);
  trace.kernels.run(AddBias{.rows = y.rows, .columns = y.columns(), .bias = c_->value, .y = y});
}

void Constant::do_jvp(Trace& trace, View y_dot) const {
  set_zero(trace, y_dot);
}

/// What those add to c's gradient that do not see it.
void Constant::no_gradient(Trace& trace, Gradient gradient) const {
  if (gradient == Gradient::overwrite)
    trace.kernels.zero(c_->gradient, c_->size * static_cast<int64_t>(sizeof(float)));
}

void Constant::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  set_zero(trace, x_bar);
  if (gradient == Gradient::ignore) return;
  trace.kernels.run(ColumnSum{.rows = y_bar.rows,
                              .columns = y_bar.columns(),
                              .x = y_bar,
                              .out = c_->gradient,
                              .mode = write_mode(gradient)});
}

void Constant::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  set_zero(trace, x_bar.tangent);
  if (y_bar.value.empty()) return no_gradient(trace, gradient);
  do_vjp(trace, y_bar.value, x_bar.value, gradient);
}

void Constant::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                             Gradient gradient) const {
  set_zero(trace, x_bar);
  if (weights.values == nullptr) return no_gradient(trace, gradient);
  if (gradient == Gradient::ignore) return;
  trace.kernels.run(WeightedColumnSum{.rows = y_bar.rows,
                                      .columns = y_bar.columns(),
                                      .x = y_bar,
                                      .row_weight = weights.values,
                                      .out = c_->gradient,
                                      .mode = write_mode(gradient)});
}

}  // namespace ebm
