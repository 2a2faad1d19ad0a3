// SPDX-License-Identifier: MIT
// Affine layers: y = A x + b, each sample on its own, where A is linear in x and in a weight W (some have
// none). A leaky ReLU may follow: y = m h with h = A x + b and m = 1 or the slope by the side of h.
//
//   jvp          y_dot = m A x_dot
//   vjp          x_bar = A^T h_bar with h_bar = m y_bar,  W_bar = the gradient of <h_bar, A x> by W,
//                b_bar = the sum of h_bar over rows (and pixels)
//   vjp_of_jvp   the same for each chain, W_bar summed over both; b_bar from the values alone
// Values and tangents go through A alike, so stacked rows go through it in one call.
//
// With WeightNorm::spectral W's place is taken by the trace's normalised one, and its gradient by a scratch
// array from which W_bar follows (spectral_norm.h).
#pragma once

#include "layers/activation.h"
#include "layers/spectral_norm.h"

namespace ebm {

enum class Bias { yes, no };

class AffineLayer : public Layer {
 public:
  bool piecewise_linear(Statistics) const override { return true; }
  bool keeps_output() const override { return activation_.present(); }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

  /// From now on y = A x: the next layer, a batch norm, stands in for b (BatchNorm::take_bias_of). Only
  /// without an activation.
  void leave_bias() { leaves_bias_ = true; }
  /// b, or null.
  const float* bias() const { return bias_ != nullptr ? bias_->value : nullptr; }

 protected:
  AffineLayer(const Features& input, const Features& output, Activation activation = {},
              WeightNorm weight_norm = WeightNorm::none)
      : Layer(input, output), activation_(activation), weight_norm_(weight_norm) {}

  /// For declare(): W is there.
  void declare_weight(Parameters& parameters, const std::string& prefix, const Parameter* weight);

  /// y = A x, x_bar = A^T y_bar, and W's gradient (never called without weight_), for any number of rows.
  virtual void apply(Trace& trace, ConstView x, View y) const = 0;
  /// apply, then bias and activation on some of y's rows.
  virtual void apply_with_bias(Trace& trace, ConstView x, View y, const AddBias& then) const;
  virtual void apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const = 0;
  virtual void add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const = 0;

  /// W, and b with as many numbers as the last axes of y that it is added along: set by declare().
  const Parameter* weight_ = nullptr;
  const Parameter* bias_ = nullptr;

  /// The weight that a trace's A has, in the type of its activations, and where add_weight_gradient writes.
  ConstArray weight(const Trace& trace) const;
  float* weight_gradient(const Trace& trace) const;

  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_forward_jvp(Trace& trace, Pair y) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  void normalize_weight(Trace& trace) const;
  Write weight_mode(Gradient gradient) const;
  void finish_weight_gradient(Trace& trace, Gradient gradient) const;
  void apply_to(Trace& trace, ConstView x, View y, View values) const;
  void finish_tangents(Trace& trace, View y_dot) const;
  ConstPair through_activation(Trace& trace, ConstPair y_bar, const float* weights, Gradient gradient) const;
  void add_bias_gradient(Trace& trace, ConstView h_bar, const float* weights, Gradient gradient) const;
  void no_bias_gradient(Trace& trace, Gradient gradient) const;

  Activation activation_;
  WeightNorm weight_norm_;
  std::unique_ptr<SpectralNorm> spectral_;  // set by declare(), if there is one
  bool leaves_bias_ = false;
};

}  // namespace ebm
