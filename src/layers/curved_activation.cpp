// SPDX-License-Identifier: MIT
#include "layers/curved_activation.h"

namespace ebm {

void CurvedActivation::do_jvp(Trace& trace, View y_dot) const {
  linearized(trace, trace.tangent_samples(), trace.x_dot, y_dot);
}

void CurvedActivation::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient) const {
  if (!x_bar.empty()) linearized(trace, trace.options.batch, y_bar, x_bar);
}

void CurvedActivation::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient) const {
  const int64_t samples = trace.tangent_samples();
  if (!x_bar.tangent.empty()) linearized(trace, samples, y_bar.tangent, x_bar.tangent);
  if (x_bar.value.empty()) return;
  const bool has_value = !y_bar.value.empty();
  if (has_value) linearized(trace, trace.options.batch, y_bar.value, x_bar.value);
  // Samples without tangents get no curvature; without y_bar their x_bar is zero.
  if (!has_value && samples < trace.options.batch) {
    const View rest = x_bar.value.row_range(samples, trace.options.batch - samples);
    trace.kernels.zero(rest.data, rest.bytes());
  }
  curvature(trace, y_bar.tangent, x_bar.value, has_value ? Write::accumulate : Write::overwrite);
}

void CurvedActivation::do_vjp_shared(Trace&, ConstView, const SharedWeights&, View, Gradient) const {
  throw Error("a curved activation: values and tangents have no backward signal in common");
}

}  // namespace ebm
