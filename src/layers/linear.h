// SPDX-License-Identifier: MIT
// Linear: y = x W^T + b, W out x in.
//
//   jvp          y_dot = x_dot W^T
//   vjp          x_bar = y_bar W,  W_bar = y_bar^T x,  b_bar = sum over rows of y_bar
//   vjp_of_jvp   x_bar = y_bar W,  x_dot_bar = y_dot_bar W,  W_bar = y_bar^T x + y_dot_bar^T x_dot,
//                b_bar as above
// Values and tangents go through W alike, so stacked rows go through it in one product.
#pragma once

#include "layers/layer.h"

namespace ebm {

enum class Bias { yes, no };

class Linear final : public Layer {
 public:
  /// Starts as PyTorch does: W and b from U(-1/sqrt(in), 1/sqrt(in)).
  Linear(int64_t in, int64_t out, Bias bias = Bias::yes);

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics) const override { return true; }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_forward_jvp(Trace& trace, Pair y) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  void times_weight_transposed(Trace& trace, ConstView x, View y) const;
  void times_weight(Trace& trace, ConstView y_bar, View x_bar) const;
  void add_bias(Trace& trace, View y) const;
  void add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const;
  void add_bias_gradient(Trace& trace, ConstView y_bar, const float* row_weight, Write mode) const;

  Bias has_bias_;
  const Parameter* weight_ = nullptr;
  const Parameter* bias_ = nullptr;
};

}  // namespace ebm
