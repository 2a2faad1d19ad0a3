// SPDX-License-Identifier: MIT
// Dropout (kernels/formulas/dropout.h), where `Statistics::batch` is training and `running` the identity. Each
// forward of a trace draws anew; tangents and cotangents go through the choice of the last one.
#pragma once

#include "layers/layer.h"

namespace ebm {

/// What is left out: single numbers, or all pixels of a channel of a sample (PyTorch's Dropout2d).
enum class Dropped { numbers, channels };

class DropoutLayer final : public Layer {
 public:
  /// The choices are a function of the seed and of the number of the trace's forward. Throws Error unless
  /// 0 <= p < 1.
  DropoutLayer(const Features& features, float p, Dropped dropped, uint64_t seed);
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
  void drop(Trace& trace, int64_t samples, ConstView in, View out) const;

  float p_;
  Dropped dropped_;
  uint64_t seed_;
};

}  // namespace ebm
