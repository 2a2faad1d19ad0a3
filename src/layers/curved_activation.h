// SPDX-License-Identifier: MIT
// Activations y = f(x), element by element, whose derivative is no constant of pieces:
//   jvp          y_dot = f'(x) x_dot
//   vjp          x_bar = f'(x) y_bar
//   vjp_of_jvp   x_dot_bar = f'(x) y_dot_bar
//                x_bar = f'(x) y_bar + f''(x) sum over tangents of x_dot y_dot_bar
#pragma once

#include "layers/layer.h"

namespace ebm {

class CurvedActivation : public Layer {
 public:
  bool piecewise_linear(Statistics) const override { return false; }

 protected:
  explicit CurvedActivation(const Features& features) : Layer(features, features) {}

  /// out = f' in, where row r of `in` belongs to sample r % samples.
  virtual void linearized(Trace& trace, int64_t samples, ConstView in, View out) const = 0;
  /// x_bar (+)= f'' sum over tangents of x_dot y_dot_bar, for the samples that have tangents.
  virtual void curvature(Trace& trace, ConstView y_dot_bar, View x_bar, Write mode) const = 0;

  void do_jvp(Trace& trace, View y_dot) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  [[noreturn]] void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                                  Gradient gradient) const override;
};

}  // namespace ebm
