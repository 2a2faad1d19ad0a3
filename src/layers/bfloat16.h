// SPDX-License-Identifier: MIT
// A network whose activations are bfloat16, between inputs and outputs of float32: its maps are those of the
// layer inside, with everything rounded on the way in and expanded on the way out.
#pragma once

#include "layers/layer.h"

namespace ebm {

class InBfloat16 final : public Layer {
 public:
  /// `inside` must outlive it, and its parameters be rounded (Parameters::rounded) before each use.
  explicit InBfloat16(const Layer& inside) : Layer(inside.input(), inside.output()), inside_(inside) {}

  bool piecewise_linear(Statistics statistics) const override { return inside_.piecewise_linear(statistics); }
  bool couples_samples(Statistics statistics) const override { return inside_.couples_samples(statistics); }
  Narrowest narrowest(const std::string& name) const override { return inside_.narrowest(name); }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  Type outer_type(const Trace&) const override { return Type::float32; }
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_forward_jvp(Trace& trace, Pair y) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  const Layer& inside_;
};

}  // namespace ebm
