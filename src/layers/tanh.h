// SPDX-License-Identifier: MIT
// Tanh: y = tanh x, the one curved activation.
//
//   jvp          y_dot = (1 - y^2) x_dot
//   vjp          x_bar = (1 - y^2) y_bar
//   vjp_of_jvp   x_dot_bar = (1 - y^2) y_dot_bar
//                x_bar = (1 - y^2) y_bar - 2 y (1 - y^2) sum over tangents of x_dot y_dot_bar
#pragma once

#include "layers/layer.h"

namespace ebm {

class TanhLayer final : public Layer {
 public:
  explicit TanhLayer(const Features& features) : Layer(features, features) {}
  bool piecewise_linear(Statistics) const override { return false; }
  bool keeps_output() const override { return true; }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  [[noreturn]] void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                                  Gradient gradient) const override;
};

}  // namespace ebm
