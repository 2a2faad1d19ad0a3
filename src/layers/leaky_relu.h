// SPDX-License-Identifier: MIT
// LeakyReLU: y = x if x > 0, else a x, with a constant slope a. With m = 1 or a by the side of x:
//   jvp y_dot = m x_dot;   vjp x_bar = m y_bar;   vjp_of_jvp x_bar = m y_bar, x_dot_bar = m y_dot_bar.
#pragma once

#include "layers/layer.h"

namespace ebm {

class LeakyReluLayer : public Layer {
 public:
  LeakyReluLayer(const Features& features, float slope) : Layer(features, features), slope_(slope) {}
  bool piecewise_linear(Statistics) const override { return true; }

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  float slope_;
};

}  // namespace ebm
