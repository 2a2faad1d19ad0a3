// SPDX-License-Identifier: MIT
// Batch norm of each channel, y = g xh + b with xh = s (x - m), s = 1 / sqrt(var + eps).
//
// Statistics::running: m, s are constants.
//   jvp y_dot = g s x_dot;  vjp x_bar = g s y_bar, g_bar = sum xh y_bar, b_bar = sum y_bar;
//   vjp_of_jvp the same for each chain, g_bar += sum s x_dot y_dot_bar.
// Statistics::batch: m, s are the batch's, over the N = B H W rows of a channel. With
// P u = u - mean u - xh mean(xh u):
//   jvp y_dot = g s P x_dot;  vjp x_bar = g s P y_bar;
//   vjp_of_jvp: x_dot_bar = g s P y_dot_bar, and x_bar gains the terms of BatchNormCurvature
//   (docs/method.md, "Batch norm", derives them).
// Where several ranks share the batch (TraceOptions::ranks), m, s and the means in P are over all of their rows. Each
// sum goes round once, and comes back as the mean over the ranks of their sums: divided by the rows of one rank that is
// the mean over all, so that the formulas are those of one rank. The parameters' gradients stay a rank's share of
// the sum.
// A leaky ReLU may follow: its derivative, 1 or the slope, multiplies y_dot last and cotangents first of all.
#pragma once

#include "layers/affine.h"

namespace ebm {

class BatchNorm final : public Layer {
 public:
  /// PyTorch's defaults: eps 1e-5, momentum 0.1; weight 1, bias 0, running mean 0, running variance 1.
  explicit BatchNorm(const Features& features, float eps = 1e-5f, float momentum = 0.1f,
                     Activation activation = {})
      : Layer(features, features), eps_(eps), momentum_(momentum), activation_(activation) {}

  /// From now on x comes from `before`, which leaves its bias to this layer and must live as long.
  void take_bias_of(AffineLayer& before);

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics statistics) const override { return statistics == Statistics::running; }
  bool couples_samples(Statistics statistics) const override { return statistics == Statistics::batch; }
  bool keeps_output() const override { return activation_.present(); }
  /// Throws Error for batch statistics of one row, and for tangents of a part of the batch with batch
  /// statistics.
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
  Mask mask(Trace& trace, int64_t samples) const;
  ConstPair masked(Trace& trace, ConstPair y_bar) const;
  void scale(Trace& trace, int64_t samples, ConstView in, View out) const;
  void batch_statistics(Trace& trace, ConstView y) const;
  void project(Trace& trace, ConstView in, const float* sum_u, const float* sum_xhu, View out,
               Mask mask) const;
  void values_backward(Trace& trace, ConstView y_bar, Mask mask, View x_bar, Gradient gradient,
                       Write mode) const;
  void tangent_backward(Trace& trace, int64_t tangent, ConstView y_dot_bar, Pair x_bar, Write x_bar_mode,
                        Gradient gradient, Write mode) const;

  const float* bias_before() const { return before_ != nullptr ? before_->bias() : nullptr; }

  float eps_, momentum_;
  Activation activation_;
  const AffineLayer* before_ = nullptr;  // whose bias x lacks
  const Parameter *weight_ = nullptr, *bias_ = nullptr;
  const Parameter *running_mean_ = nullptr, *running_var_ = nullptr;
};

}  // namespace ebm
