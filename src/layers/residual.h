// SPDX-License-Identifier: MIT
// Residual block: y = f(x) + g(x), two layers side by side, or y = f(x) + x. Each map is the sum of theirs.
#pragma once

#include <utility>

#include "layers/sequential.h"

namespace ebm {

class Residual final : public Layer {
 public:
  /// The names are those of the parameters, as in "main.0.left.1.weight". Throws Error if the two take or
  /// give different shapes, or if one keeps its output: the sum takes its place.
  Residual(Sequential::Child left, Sequential::Child right);
  /// y = f(x) + x.
  explicit Residual(Sequential::Child left) : Residual(std::move(left), {}) {}

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics statistics) const override;
  bool couples_samples(Statistics statistics) const override;
  Narrowest narrowest(const std::string& name) const override;
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
  bool right_is_identity() const { return right_.layer == nullptr; }

  Sequential::Child left_, right_;  // no layer on the right: x itself
};

}  // namespace ebm
