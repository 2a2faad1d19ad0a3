// SPDX-License-Identifier: MIT
// A constant that is learned: y = c whatever x is.
//
//   jvp          y_dot = 0
//   vjp          x_bar = 0,  c_bar = the sum of y_bar over rows
//   vjp_of_jvp   x_bar = x_dot_bar = 0,  c_bar as for vjp: tangents do not see it
#pragma once

#include "layers/layer.h"

namespace ebm {

class Constant final : public Layer {
 public:
  /// `name` is that of c in files; it starts from `value` everywhere.
  Constant(const Features& input, const Features& output, std::string name, float value)
      : Layer(input, output), name_(std::move(name)), initial_(value) {}

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics) const override { return true; }
  Narrowest narrowest(const std::string& name) const override { return {0, name}; }

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  void no_gradient(Trace& trace, Gradient gradient) const;

  std::string name_;
  float initial_;
  const Parameter* c_ = nullptr;
};

}  // namespace ebm
