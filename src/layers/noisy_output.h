// SPDX-License-Identifier: MIT
// A layer with noise of a learned size on its output: rows [h | e] give
//   y = g(h) + s e,   s = exp(logsigma)
//
//   jvp          y_dot = J_g h_dot + s e_dot
//   vjp          h_bar = J_g^T y_bar,  e_bar = s y_bar,  logsigma_bar = s sum over samples of <y_bar, e>
//   vjp_of_jvp   g's, with e_bar = s y_bar, e_dot_bar = s y_dot_bar and
//                logsigma_bar = s (sum of <y_bar, e> + sum of <y_dot_bar, e_dot>)
// e lies in the rows as y does in memory: pixels, then channels.
#pragma once

#include "layers/sequential.h"

namespace ebm {

class NoisyOutput final : public Layer {
 public:
  /// `g` with its name. Its inputs are flat. logsigma starts from the given number.
  NoisyOutput(Sequential::Child g, float logsigma);

  /// logsigma, of shape (), and g's.
  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics statistics) const override {
    return g_.layer->piecewise_linear(statistics);
  }
  bool couples_samples(Statistics statistics) const override { return g_.layer->couples_samples(statistics); }
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
  int64_t inner() const { return g_.layer->input().size(); }
  void start(Trace& trace) const;
  void take_inner(Trace& trace, ConstView x, View to) const;
  void add_noise(Trace& trace, ConstView clean, ConstView x, View y) const;
  void join_cotangents(Trace& trace, ConstView h_bar, ConstView y_bar, View x_bar) const;
  int64_t pair_with_noise(Trace& trace, ConstView y_bar, ConstView x, int64_t first) const;
  void finish_gradient(Trace& trace, int64_t rows, Gradient gradient) const;

  Sequential::Child g_;
  float initial_;
  const Parameter* logsigma_ = nullptr;
};

}  // namespace ebm
