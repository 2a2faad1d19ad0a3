// SPDX-License-Identifier: MIT
#include "layers/smooth_activation.h"

namespace ebm {

void SmoothActivation::do_forward(Trace& trace, View y) const {
  trace.kernels.run(Smooth{.rows = y.rows, .columns = y.columns(), .curve = curve_, .x = trace.x, .y = y});
}

void SmoothActivation::linearized(Trace& trace, int64_t samples, ConstView in, View out) const {
  trace.kernels.run(SmoothLinearized{.rows = in.rows,
                                     .columns = in.columns(),
                                     .x_rows = samples,
                                     .curve = curve_,
                                     .x = trace.x,
                                     .in = in,
                                     .out = out});
}

void SmoothActivation::curvature(Trace& trace, ConstView y_dot_bar, View x_bar, Write mode) const {
  trace.kernels.run(SmoothCurvature{.rows = trace.tangent_samples(),
                                    .columns = trace.x.columns(),
                                    .tangents = trace.x_dot.rows / trace.tangent_samples(),
                                    .curve = curve_,
                                    .x = trace.x,
                                    .x_dot = trace.x_dot,
                                    .y_dot_bar = y_dot_bar,
                                    .x_bar = x_bar,
                                    .mode = mode});
}

}  // namespace ebm
