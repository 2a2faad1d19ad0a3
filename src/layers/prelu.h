// SPDX-License-Identifier: MIT
// PReLU: y = x if x > 0, else a x, with ONE learned slope a (PyTorch's default; it starts at 0.25).
//
//   jvp          y_dot = m x_dot,  m = 1 or a by the side of x
//   vjp          x_bar = m y_bar,  a_bar = sum over x <= 0 of x y_bar
//   vjp_of_jvp   x_bar = m y_bar,  x_dot_bar = m y_dot_bar,
//                a_bar = sum over x <= 0 of x y_bar + x_dot y_dot_bar
#pragma once

#include "layers/layer.h"

namespace ebm {

class PreluLayer final : public Layer {
 public:
  explicit PreluLayer(const Features& features) : Layer(features, features) {}

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics) const override { return true; }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  Slope slope() const { return {.learned = slope_->value}; }
  void linearized(Trace& trace, int64_t x_rows, ConstView in, View out) const;
  void backward(Trace& trace, int64_t x_rows, ConstView input, ConstView y_bar, View x_bar, Write mode) const;
  void finish_gradient(Trace& trace, Write mode) const;

  const Parameter* slope_ = nullptr;
};

}  // namespace ebm
