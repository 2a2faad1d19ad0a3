// SPDX-License-Identifier: MIT
#include "bounds/generator_jacobian.h"

namespace ebm {

namespace {

Precision require_float32(Precision precision) {
  if (!as_float32(precision))
    throw Error("a Jacobian is of float32 or 3xTF32; s1 is lost in what rounds more");
  return precision;
}

}  // namespace

GeneratorJacobian::GeneratorJacobian(Kernels& kernels, Network& generator, int64_t batch, int64_t tangents,
                                     Precision precision, Precision weight_gradients)
    : kernels_(kernels),
      generator_(generator),
      batch_(batch),
      tangents_(tangents),
      trace_(generator.make_trace({.batch = batch,
                                   .statistics = Statistics::running,
                                   .tangents = tangents,
                                   .precision = require_float32(precision),
                                   .weight_precision = weight_gradients})),
      samples_(kernels, batch, generator.output()) {}

void GeneratorJacobian::linearize(ConstView z) {
  z_ = z;
}

void GeneratorJacobian::do_apply(ConstView v, View jv) {
  const ConstView v_dot = v.reshaped(generator_.input());
  const View y_dot = jv.reshaped(generator_.output());
  if (z_.empty()) return generator_.jvp(*trace_, v_dot, y_dot);
  generator_.forward_jvp(*trace_, {z_, v_dot}, {samples_, y_dot});
  z_ = {};
}

void GeneratorJacobian::do_apply_adjoint(ConstView u, View jtu) {
  if (!z_.empty()) generator_.forward(*trace_, z_, samples_);
  z_ = {};
  generator_.vjp(*trace_, u.reshaped(generator_.output()), jtu.reshaped(generator_.input()),
                 Gradient::ignore);
}

void GeneratorJacobian::log_det(View log_det) {
  if (!z_.empty()) generator_.forward(*trace_, z_, samples_);
  z_ = {};
  kernels_.zero(log_det.data, log_det.bytes());
  generator_.add_log_det(*trace_, log_det.data);
}

void GeneratorJacobian::log_det_gradient(ConstView log_det_bar, View z_bar, Gradient gradient) {
  generator_.vjp_log_det(*trace_, {}, log_det_bar.data, z_bar, gradient);
}

void GeneratorJacobian::gradient(ConstView u_bar, View z_bar, Gradient gradient) {
  generator_.vjp_of_jvp(*trace_, {{}, u_bar.reshaped(generator_.output())}, {z_bar, {}}, gradient);
}

void GeneratorJacobian::gradient_of_columns(ConstView v, ConstView u_bar, Gradient gradient) {
  generator_.vjp_shared(*trace_, u_bar.reshaped(generator_.output()), {nullptr, v.data}, {}, gradient);
}

}  // namespace ebm
